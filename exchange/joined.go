package exchange

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/gatecert/gatecert/contract"
)

// textMembers are the members of a stream's events that hold pieces of what a client puts together.
var textMembers = []string{"content", "text", "delta", "arguments", "partial_json", "message", "reasoning_content", "thinking"}

// piece is a text of an event as a client reads it.
type piece struct {
	event int
	text  string
}

// textPieces returns the texts of all events in their order.
func textPieces(events []contract.Event) []piece {
	var pieces []piece
	for i, e := range events {
		var value any
		if json.Unmarshal(e.Data, &value) == nil {
			walkTexts(value, func(text string) { pieces = append(pieces, piece{i, text}) })
		}
	}
	return pieces
}

func walkTexts(value any, yield func(text string)) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			walkTexts(item, yield)
		}
	case map[string]any:
		for _, name := range textMembers {
			if text, ok := v[name].(string); ok && text != "" {
				yield(text)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walkTexts(v[name], yield) // strings of other members are no text
		}
	}
}

// recordSplitSecrets finds the secrets that stand in the texts of several events, put together, and replaces their parts in
// the events and in the body.
func (r *recorder) recordSplitSecrets(events []contract.Event, body []byte) []byte {
	pieces := textPieces(events)
	texts := make([]string, len(pieces))
	for i, p := range pieces {
		texts[i] = p.text
	}
	clean, found := r.redactor.Pieces(texts)
	if len(found) == 0 {
		return body
	}
	r.recordLeaks("events, put together", found)
	for i, p := range pieces {
		if clean[i] == p.text {
			continue
		}
		event := &events[p.event]
		old, replacement := quote(p.text), quote(clean[i])
		if !bytes.Contains(event.Data, old) { // escaped in another way
			body = bytes.Replace(body, event.Data, replacement, 1)
			event.Data = replacement
			continue
		}
		data := bytes.Replace(event.Data, old, replacement, 1)
		body = bytes.Replace(body, event.Data, data, 1)
		event.Data = data
	}
	return body
}

// quote is a text as a JSON string, without the escapes that only HTML needs.
func quote(text string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return bytes.TrimSpace(out.Bytes())
}
