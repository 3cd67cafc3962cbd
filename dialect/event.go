package dialect

import (
	"bytes"
	"encoding/json"
)

// EventKind says what one event of a stream means to a client.
type EventKind int

// The kinds of events.
const (
	EventOther     EventKind = iota // a ping, a usage count, something the format does not know
	EventLifecycle                  // the answer or a part of it is announced
	EventContent                    // a piece of the answer
	EventItemEnd                    // a part of the answer is finished
	EventFinish                     // the answer is finished, in the format's own words
	EventDone                       // OpenAI's [DONE]
	EventError                      // an error in any form that a client may meet
	EventNotJSON                    // data that is not one JSON value, which no client can read
)

// Classify says what an event means on the surface; name is its event field. Whatever holds an error object is an error,
// in the form of any format: whether the form is right is for the judge to say.
func (s Surface) Classify(name string, data []byte) EventKind {
	data = bytes.TrimSpace(data)
	if string(data) == "[DONE]" {
		return EventDone
	}
	if len(data) == 0 && name != "error" {
		return EventOther // some servers keep a connection alive with it
	}
	var value any
	if json.Unmarshal(data, &value) != nil {
		if name == "error" {
			return EventError
		}
		return EventNotJSON
	}
	body, _ := value.(Object) // members are case-sensitive, which a struct's fields are not
	kind, _ := body["type"].(string)
	if body["error"] != nil || name == "error" || kind == "error" || kind == "response.failed" {
		return EventError
	}
	if classify := s.endpoint().classify; classify != nil {
		return classify(kind, body)
	}
	return EventOther
}

// classifyPieces reads an event that lists pieces of the answer, one for each alternative: it is the finish when one of
// them has a reason for it in the member finish.
func classifyPieces(pieces any, finish string) EventKind {
	list, _ := pieces.(List)
	kind := EventOther
	for _, item := range list {
		kind = EventContent
		if piece, _ := item.(Object); filled(piece[finish]) {
			return EventFinish
		}
	}
	return kind
}

// filled reports whether v is a string that is not empty.
func filled(v any) bool {
	s, _ := v.(string)
	return s != ""
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
