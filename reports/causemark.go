package reports

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
)

// span is a part of a text, in bytes. It is nowhere if both are 0.
type span struct{ from, to int }

func (s span) nowhere() bool { return s == span{} }

// place is where the offending part of an answer is.
type place struct {
	status bool
	// header is the name of a field whose value is the part.
	header string
	// body is the part of the body.
	body span
}

// placeOf locates what a finding is about in the answer that it was found in. It is empty where nothing can be located: what is absent
// is marked where it would be, and what the upstream saw has no place in the answer.
func placeOf(o contract.Observation, f contract.Finding) place {
	switch f.Requirement {
	case contract.NotSuccess, contract.StatusClass, contract.StatusExact:
		return place{status: true}
	case contract.StatusBlame:
		if isStatus(f.Got) {
			return place{status: true}
		}
	case contract.ContentType:
		return place{header: "Content-Type"}
	case contract.RetryAfter:
		return place{header: "Retry-After"}
	case contract.Secrecy:
		return leakPlace(o, f.Got)
	default:
	}
	return place{body: bodyPlace(o, f)}
}

func bodyPlace(o contract.Observation, f contract.Finding) span {
	switch f.Requirement {
	case contract.Envelope:
		return envelopePlace(o, f.Got)
	case contract.Message:
		return memberPlace(o, "message")
	case contract.CodePlace:
		return memberPlace(o, f.Got[strings.LastIndexByte(f.Got, '.')+1:])
	case contract.Code, contract.CodeKnown, contract.StatusBlame:
		if at := quotedPlace(o.Body, f.Got); !at.nowhere() {
			return at
		}
		return memberPlace(o, "code")
	case contract.Consistent:
		if at := quotedPlace(o.Body, f.Got); !at.nowhere() {
			return at
		}
		word, _, _ := strings.Cut(f.Want, " with ")
		if at := textPlace(o.Body, strconv.Quote(word)); !at.nowhere() {
			return at
		}
		return memberPlace(o, "code")
	case contract.Fields:
		if name, absent := strings.CutPrefix(f.Got, "no "); absent {
			return memberPlace(o, name)
		}
		name, _, _ := strings.Cut(f.Want, " ")
		return memberPlace(o, name)
	case contract.StreamEnd, contract.StreamError, contract.StreamFormat:
		if strings.Contains(f.Got, "[DONE]") {
			if i := bytes.LastIndex(o.Body, []byte("[DONE]")); i >= 0 {
				return span{i, i + len("[DONE]")}
			}
		}
		return quotedPlace(o.Body, f.Got)
	default:
		return span{}
	}
}

// leakPlace is where a secret stood: the excerpt in the finding, or the name that redaction put in its place.
func leakPlace(o contract.Observation, got string) place {
	what, where := got, ""
	if i := strings.LastIndex(got, " in "); i >= 0 {
		what, where = got[:i], got[i+len(" in "):]
	}
	if name, ok := strings.CutPrefix(where, "header "); ok {
		return place{header: name}
	}
	name := strings.TrimPrefix(what, "the ")
	for _, text := range []string{unquoted(what), "[" + name + "]", name} {
		if at := textPlace(o.Body, text); text != "" && !at.nowhere() {
			return place{body: at}
		}
	}
	return place{}
}

var byteNumber = regexp.MustCompile(`^not JSON(?: at byte|: byte) (\d+)`)

// envelopePlace is where an answer stops being an error envelope.
func envelopePlace(o contract.Observation, got string) span {
	if m := byteNumber.FindStringSubmatch(got); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= len(o.Body) {
			return word(o.Body, n-1)
		}
		return span{}
	}
	if path, ok := strings.CutPrefix(got, "error."); ok {
		name, _, _ := strings.Cut(path, " ")
		return memberPlace(o, name)
	}
	for _, d := range documents(o) {
		var name string
		switch {
		case strings.HasPrefix(got, `"error" is `):
			name = "error"
		case strings.HasPrefix(got, `the outer "type"`):
			name = "type"
		case strings.HasPrefix(got, `an object without "error"`):
			return firstKey(o.Body)
		default:
			return quotedPlace(o.Body, got)
		}
		if value, end := member(o.Body, d, name); !value.nowhere() {
			return value
		} else if !end.nowhere() && name == "type" {
			return end
		}
	}
	return span{}
}

// word is the text from a place up to the next blank or the end of a tag.
func word(body []byte, at int) span {
	to := at + 1
	for to < len(body) && to < at+32 && body[to-1] > ' ' && body[to-1] != '>' && body[to] > ' ' {
		to++
	}
	return wholeRunes(body, span{at, to})
}

// documents are the parts of a body that can be JSON: all of it, or the data of each event.
func documents(o contract.Observation) []span {
	if o.Stream == nil {
		return []span{{0, len(o.Body)}}
	}
	var list []span
	at := 0
	for _, e := range o.Stream.Events {
		if i := bytes.Index(o.Body[at:], e.Data); i >= 0 && len(e.Data) > 0 {
			list = append(list, span{at + i, at + i + len(e.Data)})
			at += i + len(e.Data)
		}
	}
	return list
}

// memberPlace is a member of the error object of an answer or event; where it is absent, the brace before which it is missing.
func memberPlace(o contract.Observation, name string) span {
	for _, d := range documents(o) {
		object, _ := member(o.Body, d, "error")
		if object.nowhere() {
			continue
		}
		value, end := member(o.Body, object, name)
		if !value.nowhere() {
			return value
		}
		return end
	}
	return span{}
}

// member finds the value of a member of the JSON object in a part of a body. end is the object's closing brace. Both are nowhere if
// the part is not an object.
func member(body []byte, in span, name string) (value, end span) {
	part := body[in.from:in.to]
	d := json.NewDecoder(bytes.NewReader(part))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return span{}, span{}
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return span{}, span{}
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return span{}, span{}
		}
		if key == name {
			stop := in.from + int(d.InputOffset())
			value = span{stop - len(raw), stop}
		}
	}
	if _, err := d.Token(); err != nil {
		return span{}, span{}
	}
	stop := in.from + int(d.InputOffset())
	return value, span{stop - 1, stop}
}

var keyText = regexp.MustCompile(`^\s*\{\s*("(?:[^"\\]|\\.)*")`)

func firstKey(body []byte) span {
	if m := keyText.FindSubmatchIndex(body); m != nil {
		return span{m[2], m[3]}
	}
	return span{}
}

// quotedPlace is where the first text that a finding quotes stands in the body.
func quotedPlace(body []byte, got string) span {
	quoted := quotedText.FindString(got)
	if at := textPlace(body, quoted); !at.nowhere() { // with its quotes: a value
		return at
	}
	return textPlace(body, unquoted(got))
}

// unquoted is the first text that a finding quotes, "" for none.
func unquoted(got string) string {
	text, err := strconv.Unquote(strings.TrimSuffix(quotedText.FindString(got), "…"))
	if err != nil {
		return ""
	}
	return text
}

func textPlace(body []byte, text string) span {
	if text == "" || text == `""` {
		return span{}
	}
	if i := bytes.Index(body, []byte(text)); i >= 0 {
		return span{i, i + len(text)}
	}
	// JSON escapes what the finding shows as it reads.
	if encoded, err := json.Marshal(text); err == nil {
		if inner := encoded[1 : len(encoded)-1]; len(inner) > 0 {
			if i := bytes.Index(body, inner); i >= 0 {
				return span{i, i + len(inner)}
			}
		}
	}
	return span{}
}

// wholeRunes widens a span so that it splits no character.
func wholeRunes(body []byte, s span) span {
	for s.from > 0 && s.from > s.to-utf8.UTFMax && !utf8.RuneStart(body[s.from]) {
		s.from--
	}
	for s.to < len(body) && s.to < s.from+utf8.UTFMax && !utf8.RuneStart(body[s.to]) {
		s.to++
	}
	return s
}
