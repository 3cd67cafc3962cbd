package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
)

// EventKind says what one event of a stream means to a client.
type EventKind int

// The kinds of events.
const (
	EventOther   EventKind = iota // a ping, a start, something the format does not know
	EventContent                  // a piece of the answer
	EventFinish                   // the format's own end
	EventDone                     // OpenAI's [DONE]
	EventError                    // an error in any form that a client may meet
)

// Classify says what an event means on the surface; name is its event field. Whatever holds an error object is an error,
// in the form of any format: whether the form is right is for the judge to say.
func (s Surface) Classify(name string, data []byte) EventKind {
	data = bytes.TrimSpace(data)
	if string(data) == "[DONE]" {
		return EventDone
	}
	var head struct {
		Type  string `json:"type"`
		Error any    `json:"error"`
	}
	if !lenient(data, &head) {
		if name == "error" {
			return EventError
		}
		return EventOther
	}
	if head.Error != nil || name == "error" || head.Type == "error" || head.Type == "response.failed" {
		return EventError
	}
	if classify := s.endpoint().classify; classify != nil {
		return classify(head.Type, data)
	}
	return EventOther
}

// lenient decodes what it can and reports whether data is JSON at all: a member of the wrong type must not hide an error
// object next to it.
func lenient(data []byte, into any) bool {
	err := json.Unmarshal(data, into)
	var wrongType *json.UnmarshalTypeError
	return err == nil || errors.As(err, &wrongType)
}

// FinishMarks recognise the event that ends a stream by two pieces of text that stand in it, in this order, without
// decoding it. Quotes inside JSON strings are escaped, so no text of a model can look like a mark.
type FinishMarks struct{ object, mark []byte }

// FinishMarks returns those of a streaming surface, in the spelling of the API and of those that copy it; ok is false
// for a surface that does not stream.
func (s Surface) FinishMarks() (m FinishMarks, ok bool) {
	return s.endpoint().finish, s.Streaming()
}

// In reports whether an event's data ends the stream. A finish reason that is the empty string is none.
func (m FinishMarks) In(data []byte) bool {
	_, rest, found := bytes.Cut(data, m.object)
	if !found {
		return false
	}
	_, rest, found = bytes.Cut(rest, m.mark)
	return found && len(rest) > 0 && (rest[0] != '"' || !bytes.HasSuffix(m.mark, []byte(`:"`)))
}

// MayFail reports whether a stream holds text that stands in every event that is, or could be, an error.
func MayFail(stream []byte) bool {
	for _, mark := range []string{`"error"`, "event: error", "event:error", "response.failed"} {
		if bytes.Contains(stream, []byte(mark)) {
			return true
		}
	}
	return false
}
