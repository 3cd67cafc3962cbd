package load

import (
	"bytes"
	"encoding/json"
	"mime"

	"github.com/gatecert/gatecert/dialect"
)

// healthy reports whether an answer is a success beyond doubt. It may doubt what [contract.IsSuccess] accepts - then the
// full judgement follows - and never accepts what that would not: 3 µs in place of 17 µs for an answer of 1 KB.
func healthy(s dialect.Surface, a response) bool {
	if _, encoded := field(a.header, "Content-Encoding"); encoded {
		return false
	}
	contentType, _ := field(a.header, "Content-Type")
	if s.Streaming() {
		return isMedia(contentType, "text/event-stream") && finished(s, a.body)
	}
	return isMedia(contentType, "application/json") && json.Valid(a.body) && hasShape(s, a.body)
}

func isMedia(contentType []byte, want string) bool {
	if string(contentType) == want {
		return true
	}
	media, _, err := mime.ParseMediaType(string(contentType))
	return err == nil && media == want
}

// finished recognises a whole event stream in the providers' own spelling without an error in it.
func finished(s dialect.Surface, body []byte) bool {
	end, known := s.FinishMarks()
	if !known || !bytes.HasSuffix(body, []byte("\n\n")) {
		return false
	}
	if dialect.MayFail(body) {
		return false
	}
	ended := false
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		data, isData := bytes.CutPrefix(line, []byte("data: "))
		switch {
		case isData && json.Valid(data):
			ended = ended || end.In(data)
		case isData && string(data) == "[DONE]":
		case !isData && (len(line) == 0 || bytes.HasPrefix(line, []byte("event: "))):
		default:
			return false
		}
	}
	return ended
}

// hasShape reports whether valid JSON is an object with the surface's list of answers, not empty, and no error.
func hasShape(s dialect.Surface, body []byte) bool {
	e, _ := s.Details()
	shaped := false
	body = bytes.TrimSpace(body)
	if len(body) < 2 || body[0] != '{' {
		return false
	}
	for rest := body[1:]; ; {
		key, value, after, ok := nextMember(rest)
		if !ok {
			return shaped
		}
		switch {
		case bytes.IndexByte(key, '\\') >= 0:
			return false // an escaped key could be any
		case string(key) == "error" && string(value) != "null":
			return false
		case string(key) == e.Answers:
			if shaped || !isList(value) {
				return false
			}
			shaped = true
		}
		rest = after
	}
}

func isList(value []byte) bool {
	if len(value) < 3 || value[0] != '[' {
		return false
	}
	return bytes.TrimLeft(value[1:], " \t\r\n")[0] != ']'
}

// nextMember cuts the first member off the inside of an object that is known to be valid JSON.
func nextMember(rest []byte) (key, value, after []byte, ok bool) {
	const space = " \t\r\n,"
	rest = bytes.TrimLeft(rest, space)
	if len(rest) == 0 || rest[0] != '"' {
		return nil, nil, nil, false
	}
	end := stringEnd(rest)
	key, rest = rest[1:end-1], rest[end:]
	rest = bytes.TrimLeft(rest, " \t\r\n:")
	end = valueEnd(rest)
	return key, bytes.TrimRight(rest[:end], " \t\r\n"), rest[end:], true
}

// stringEnd is the index after a JSON string.
func stringEnd(s []byte) int {
	for i := 1; ; i++ {
		quote := bytes.IndexByte(s[i:], '"')
		if quote < 0 {
			return len(s)
		}
		i += quote
		escapes := 0
		for s[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// valueEnd is the index after a JSON value inside an object.
func valueEnd(s []byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i += stringEnd(s[i:]) - 1
		case '{', '[':
			depth++
		case ',':
			if depth == 0 {
				return i
			}
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return len(s)
}
