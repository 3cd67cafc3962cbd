package dialect

import (
	"bytes"
	"encoding/json"
)

// PieceMarks find what one event of a stream adds to the response, without decoding the event: a string member with one of these names, after the
// member within. Because quotes inside JSON strings are escaped, text from a model cannot look like a mark.
type PieceMarks struct {
	// within is the member before the pieces, "" where they may stand anywhere in the event.
	within string
	// texts are the members that hold pieces: the answer's text first, then what the model thinks, then arguments of tools.
	texts []string
}

// PieceMarks returns the marks of a streaming surface. ok is false for a surface that does not stream.
func (s Surface) PieceMarks() (m PieceMarks, ok bool) {
	return s.endpoint().pieces, s.Streaming()
}

// In returns the first piece of the response in an event's data, still escaped as in JSON and without its quotes. ok is false if the event adds
// nothing: it announces something, ends the stream, or contains an empty piece.
func (m PieceMarks) In(data []byte) (piece []byte, ok bool) {
	if m.within != "" {
		if data, ok = afterMember(data, m.within); !ok {
			return nil, false
		}
	}
	for _, name := range m.texts {
		for rest := data; ; {
			if rest, ok = afterMember(rest, name); !ok {
				break
			}
			if piece := jsonString(rest); len(piece) > 0 {
				return piece, true
			}
		}
	}
	return nil, false
}

// afterMember returns what follows the first member of a name: its value and the rest.
func afterMember(data []byte, name string) (value []byte, ok bool) {
	for {
		at := bytes.Index(data, []byte(name))
		if at < 0 {
			return nil, false
		}
		quoted := at > 0 && data[at-1] == '"'
		data = data[at+len(name):]
		if !quoted || len(data) == 0 || data[0] != '"' {
			continue
		}
		if rest := bytes.TrimLeft(data[1:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			return bytes.TrimLeft(rest[1:], " \t\r\n"), true
		}
	}
}

// jsonString returns the string with which data begins, escaped and without its quotes; nil when it begins with something else or
// the string has no end.
func jsonString(data []byte) []byte {
	if len(data) == 0 || data[0] != '"' {
		return nil
	}
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return data[1:i]
		}
	}
	return nil
}

// Unescape returns the text of a piece that [PieceMarks.In] returned, or "" if its escapes are invalid.
func Unescape(piece []byte) string {
	if bytes.IndexByte(piece, '\\') < 0 {
		return string(piece)
	}
	var text string
	if json.Unmarshal(append(append([]byte{'"'}, piece...), '"'), &text) != nil {
		return ""
	}
	return text
}

// Usage is the number of tokens that a response used, as the API counts them.
type Usage struct {
	Input, Output int
}

// maxUsage bounds a number of tokens that is believed.
const maxUsage = 1 << 31

// UsageIn finds the usage in a response on the surface, streamed or not, without decoding the response. If the usage occurs more than once, the last
// one counts, because a stream repeats it as it grows. ok is false if the response does not state its number of tokens.
func (s Surface) UsageIn(body []byte) (u Usage, ok bool) {
	names := s.endpoint().usage
	if names.output == "" {
		return Usage{}, false
	}
	if u.Output, ok = lastNumber(body, names.output); !ok {
		return Usage{}, false
	}
	u.Input, _ = lastNumber(body, names.input)
	if names.thoughts != "" { // Gemini does not count them among the candidates'
		thoughts, _ := lastNumber(body, names.thoughts)
		u.Output += thoughts
	}
	return u, true
}

// usageNames are the members in which an API counts tokens.
type usageNames struct{ input, output, thoughts string }

// lastNumber returns the value of the last member of a name that is a whole number.
func lastNumber(body []byte, name string) (n int, ok bool) {
	for {
		value, found := afterMember(body, name)
		if !found {
			return n, ok
		}
		got, digits := 0, 0
		for digits < len(value) && value[digits] >= '0' && value[digits] <= '9' && got < maxUsage {
			got, digits = got*10+int(value[digits]-'0'), digits+1
		}
		if digits > 0 && got < maxUsage {
			n, ok = got, true
		}
		body = value
	}
}
