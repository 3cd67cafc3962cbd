package dialect

import (
	"bytes"
	"encoding/json"
)

// EventKind describes what one event of a stream means to a client.
type EventKind int

// The kinds of events.
const (
	EventOther     EventKind = iota // a ping, a usage count, or something that the format does not define
	EventLifecycle                  // the announcement of the response or of a part of it
	EventContent                    // a piece of the response
	EventItemEnd                    // the end of a part of the response
	EventFinish                     // the end of the response, as the format expresses it
	EventDone                       // OpenAI's [DONE]
	EventError                      // an error in any form that a client may encounter
	EventNotJSON                    // data that is not a single JSON value, which clients cannot parse
)

// Classify returns what an event means on the surface; name is the value of its event field. An event that contains an error object in the form of
// any API format is an error. The judge decides whether the form is right.
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

// FinishMarks recognise the event that ends a stream without decoding it, by two strings that occur in it in this order. Because quotes inside JSON
// strings are escaped, text from a model cannot look like a mark.
type FinishMarks struct{ object, mark []byte }

// FinishMarks returns the marks of a streaming surface, in the spellings used by the API and its imitators. ok is false for a surface that does not
// stream.
func (s Surface) FinishMarks() (m FinishMarks, ok bool) {
	return s.endpoint().finish, s.Streaming()
}

// In reports whether an event's data ends the stream. An empty finish reason does not count.
func (m FinishMarks) In(data []byte) bool {
	_, rest, found := bytes.Cut(data, m.object)
	if !found {
		return false
	}
	_, rest, found = bytes.Cut(rest, m.mark)
	return found && len(rest) > 0 && (rest[0] != '"' || !bytes.HasSuffix(m.mark, []byte(`:"`)))
}

// MayFail reports whether a stream contains text that occurs in every event that is, or could be, an error.
func MayFail(stream []byte) bool {
	for _, mark := range []string{`"error"`, "event: error", "event:error", "response.failed"} {
		if bytes.Contains(stream, []byte(mark)) {
			return true
		}
	}
	return false
}
