package exchange

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

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
// the events and in the body, which it returns.
func (r *recorder) recordSplitSecrets(events []contract.Event, body []byte) []byte {
	pieces := textPieces(events)
	texts := make([]string, len(pieces))
	for i, p := range pieces {
		texts[i] = p.text
	}
	clean, found := r.redactor.Pieces(texts)
	if slices.Equal(clean, texts) {
		return body
	}
	r.recordLeaks("events, put together", found)
	regions := eventRegions(body)
	var out []byte
	written := 0 // of the body
	for from := 0; from < len(pieces); {
		at, to := pieces[from].event, from
		for to < len(pieces) && pieces[to].event == at {
			to++
		}
		event := &events[at]
		if data := replacedPieces(event.Data, texts[from:to], clean[from:to]); data != nil {
			if at < len(regions) {
				region := body[regions[at].start:regions[at].end]
				out = append(append(out, body[written:regions[at].start]...), replacedRegion(region, *event, data)...)
				written = regions[at].end
			}
			event.Data = data
		}
		from = to
	}
	if len(regions) < len(events) { // a secret that was replaced held line ends
		return rendered(events)
	}
	return append(out, body[written:]...)
}

// maxPieces bounds the texts of one event that are replaced one by one: each of them takes a copy of the event.
const maxPieces = 16

// replacedPieces is the data of an event with other texts, nil when all are the same. Where the texts are many, or escaped in
// a way of their own, the data is their sum.
func replacedPieces(data []byte, old, clean []string) []byte {
	changed := 0
	whole := false
	for i := range old {
		if old[i] == clean[i] {
			continue
		}
		changed++
		before := quote(old[i])
		if whole = whole || changed > maxPieces || !bytes.Contains(data, before); !whole {
			data = bytes.Replace(data, before, quote(clean[i]), 1)
		}
	}
	switch {
	case changed == 0:
		return nil
	case whole:
		return quote(strings.Join(clean, ""))
	default:
		return data
	}
}

// region is the place of an event in the body of a stream, its blank line included.
type region struct{ start, end int }

// eventRegions finds the events of a stream as [eventDecoder] does.
func eventRegions(body []byte) []region {
	var out []region
	start, hasData := 0, false
	for at := 0; at < len(body); {
		i := bytes.IndexAny(body[at:], "\r\n")
		if i < 0 {
			break // no event: it has no blank line
		}
		line, next := body[at:at+i], at+i+1
		if body[at+i] == '\r' && next < len(body) && body[next] == '\n' {
			next++
		}
		if at == 0 {
			line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		}
		if len(line) == 0 {
			if hasData {
				out = append(out, region{start, next})
			}
			start, hasData = next, false
		}
		hasData = hasData || bytes.HasPrefix(line, []byte("data:")) || string(line) == "data"
		at = next
	}
	return out
}

// replacedRegion is an event of a body with other data.
func replacedRegion(region []byte, e contract.Event, data []byte) []byte {
	if bytes.Contains(region, e.Data) {
		return bytes.Replace(region, e.Data, data, 1)
	}
	e.Data = data
	return rendered([]contract.Event{e}) // it had several data lines
}

// rendered is a stream of events.
func rendered(events []contract.Event) []byte {
	var out bytes.Buffer
	for _, e := range events {
		if e.Name != "" {
			out.WriteString("event: " + e.Name + "\n")
		}
		out.WriteString("data: ")
		out.Write(bytes.ReplaceAll(e.Data, []byte("\n"), []byte("\ndata: ")))
		out.WriteString("\n\n")
	}
	return out.Bytes()
}

// quote is a text as a JSON string, without the escapes that only HTML needs.
func quote(text string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return bytes.TrimSpace(out.Bytes())
}
