package exchange

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// decode feeds the pieces one after the other, the first at 1 ns, the next at 2 ns, and ends the stream whole.
func decode(limits Limits, pieces ...string) (*eventDecoder, error) {
	limits = limits.withDefaults()
	d := &eventDecoder{maxEvent: limits.Event, maxEvents: limits.Events}
	for i, piece := range pieces {
		if err := d.feed([]byte(piece), time.Duration(i+1)); err != nil {
			d.end(false)
			return d, err
		}
	}
	d.end(true)
	return d, nil
}

func event(name, data string) contract.Event {
	return contract.Event{At: 1, Name: name, Data: contract.Bytes(data)}
}

func TestEventStreams(t *testing.T) {
	for sentence, row := range map[string]struct {
		stream     string
		events     []contract.Event
		violations []string
		partial    string
	}{
		"nothing at all":                    {stream: ""},
		"LF ends lines":                     {stream: "data: a\n\ndata: b\n\n", events: []contract.Event{event("", "a"), event("", "b")}},
		"CRLF ends lines":                   {stream: "data: a\r\n\r\ndata: b\r\n\r\n", events: []contract.Event{event("", "a"), event("", "b")}},
		"CR ends lines":                     {stream: "data: a\r\rdata: b\r\r", events: []contract.Event{event("", "a"), event("", "b")}},
		"line ends may be mixed":            {stream: "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", events: []contract.Event{event("", "a"), event("", "b"), event("", "c")}},
		"one leading BOM is skipped":        {stream: "\uFEFFdata: a\n\n", events: []contract.Event{event("", "a")}},
		"a second BOM is part of the field": {stream: "\uFEFF\uFEFFdata: a\n\n", violations: []string{`line 1: "\ufeffdata: a" is not a field of an event stream`}},
		"only one space is taken away":      {stream: "data:  a\n\ndata:b\n\n", events: []contract.Event{event("", " a"), event("", "b")}},
		"data lines are joined":             {stream: "data: a\ndata\ndata: b\n\n", events: []contract.Event{event("", "a\n\nb")}},
		"an empty data line is an event":    {stream: "data:\n\n", events: []contract.Event{event("", "")}},
		"colons stay in the value":          {stream: "data: a: b\n\n", events: []contract.Event{event("", "a: b")}},
		"a name goes with its event alone":  {stream: "event: x\ndata: a\n\ndata: b\n\n", events: []contract.Event{event("x", "a"), event("", "b")}},
		"the last name counts":              {stream: "event: x\nevent: y\ndata: a\n\n", events: []contract.Event{event("y", "a")}},
		"id and retry are no part of it":    {stream: "id: 7\nretry: 100\n\nid\ndata: a\n\n", events: []contract.Event{event("", "a")}},
		"comments are skipped":              {stream: ": keep-alive\n\ndata: a\n: x\n\n: end\n", events: []contract.Event{event("", "a")}},
		"names are matched to the letter":   {stream: "Data: a\n\n", violations: []string{`line 1: "Data: a" is not a field of an event stream`}},
		"a line of JSON is not a field":     {stream: "{\"error\":1}\n\n", violations: []string{`line 1: "{\"error\":1}" is not a field of an event stream`}},
		"a line without a colon is none":    {stream: "done\n\n", violations: []string{`line 1: "done" is not a field of an event stream`}},
		"a NUL in an id is a violation":     {stream: "id: \x00\n\n", violations: []string{`line 1: "id: \x00" contains a NUL in its id`}},
		"a retry is a number":               {stream: "retry: 1s\nretry\n\n", violations: []string{`line 1: "retry: 1s" has a retry value that is not a number`, `line 2: "retry" has a retry value that is not a number`}},
		"an event without data is dropped":  {stream: "event: ping\n\n", violations: []string{`line 2: "ping" is the name of an event without data, which clients ignore`}},
		"bytes that are not UTF-8 are kept": {stream: "data: \xff\n\n", events: []contract.Event{event("", "\xff")}, violations: []string{`line 1: "data: \xff" is not UTF-8`}},
		"a stream that ends inside an event": {
			stream: "data: a\n\nevent: x\ndata: b\n", events: []contract.Event{event("", "a")}, partial: "event: x\ndata: b\n",
			violations: []string{`line 4: "event: x\ndata: b\n" is an incomplete event: the stream ends before the blank line that completes it`},
		},
		"a stream that ends inside a line": {
			stream: "data: a\n\ndata: b", events: []contract.Event{event("", "a")}, partial: "data: b",
			violations: []string{`line 2: "data: b" is an incomplete event: the stream ends before the blank line that completes it`},
		},
		"a long line is shown in part": {
			stream:     strings.Repeat("x", 100) + "\n\n",
			violations: []string{`line 1: "` + strings.Repeat("x", 60) + `"… is not a field of an event stream`},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			whole, err := decode(Limits{}, row.stream)
			require.NoError(t, err)
			assert.Equal(t, row.events, whole.events)
			assert.Equal(t, row.violations, whole.describe(redact.New()))
			assert.Equal(t, row.partial, string(whole.partial()))

			bytewise, err := decode(Limits{}, strings.Split(row.stream, "")...)
			require.NoError(t, err)
			assertSame(t, whole, bytewise)
		})
	}
}

// assertSame compares all that decoders found but for the time it came.
func assertSame(t *testing.T, want, got *eventDecoder) {
	t.Helper()
	require.Len(t, got.events, len(want.events))
	for i := range want.events {
		assert.Equal(t, want.events[i].Name, got.events[i].Name)
		assert.Equal(t, want.events[i].Data, got.events[i].Data)
	}
	assert.Equal(t, want.describe(redact.New()), got.describe(redact.New()))
	assert.Equal(t, want.partial(), got.partial())
}

func TestEventsHaveTheTimeOfTheirLastPiece(t *testing.T) {
	d, err := decode(Limits{}, "data: a", "\n", "\ndata: b\n\n", "data: c\n\n")
	require.NoError(t, err)
	var times []time.Duration
	for _, e := range d.events {
		times = append(times, e.At)
	}
	assert.Equal(t, []time.Duration{3, 3, 4}, times)
}

func TestStreamLimits(t *testing.T) {
	for sentence, row := range map[string]struct {
		limits Limits
		stream string
		events int
		want   string // "" for none
	}{
		"as many events as allowed":      {Limits{Events: 2}, "data: a\n\ndata: b\n\n: end\n\n", 2, ""},
		"one event more":                 {Limits{Events: 2}, "data: a\n\ndata: b\n\ndata: c\n\n", 2, "more than 2 events"},
		"an event as long as allowed":    {Limits{Event: 7}, "data: a\n\n", 1, ""},
		"a line longer than allowed":     {Limits{Event: 7}, "data: a\n\ndata: bb\n\n", 1, "event 2 is longer than 7 bytes"},
		"lines together longer":          {Limits{Event: 20}, "data: 1234\ndata: 1234\n\n", 0, "event 1 is longer than 20 bytes"},
		"a comment longer than allowed":  {Limits{Event: 7}, ": 456789", 0, "event 1 is longer than 7 bytes"},
		"comments are counted each":      {Limits{Event: 7}, ": 1\n: 2\n: 3\n: 4\n", 0, ""},
		"a line without end is not kept": {Limits{Event: 7}, strings.Repeat("x", 1000), 0, "event 1 is longer than 7 bytes"},
	} {
		t.Run(sentence, func(t *testing.T) {
			d, err := decode(row.limits, row.stream)
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, row.want)
			}
			assert.Len(t, d.events, row.events)
			assert.LessOrEqual(t, len(d.partial()), row.limits.withDefaults().Event)
		})
	}
}

func TestViolationsAreCounted(t *testing.T) {
	d, err := decode(Limits{}, strings.Repeat("nonsense\n", 100))
	require.NoError(t, err)
	described := d.describe(redact.New())
	assert.Len(t, described, maxViolations+1)
	assert.Equal(t, "and 81 more", described[maxViolations]) // 80 lines, and the end inside an event
}

func FuzzEventStream(f *testing.F) {
	f.Add([]byte("\uFEFFevent: a\r\ndata: 1\rdata: 2\n\n: x\n\nid: \x00\nretry: x\n\ndata: \xff"), 3)
	f.Add([]byte("data: a\n\n\r\n\r\rdata\n\n"), 1)
	f.Add(bytes.Repeat([]byte("data: x\n\n"), 20), 7)
	f.Add([]byte(strings.Repeat("x", 200)), 64)
	limits := Limits{Event: 64, Events: 8}
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		size = max(1, min(size, len(stream)))
		var pieces []string
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			pieces = append(pieces, string(rest[:min(size, len(rest))]))
		}
		whole, wholeErr := decode(limits, string(stream))
		split, splitErr := decode(limits, pieces...)
		assert.Equal(t, wholeErr, splitErr)
		assertSame(t, whole, split)
		assert.LessOrEqual(t, len(whole.events), limits.Events)
		assert.LessOrEqual(t, len(whole.violations), maxViolations)
		assert.LessOrEqual(t, len(whole.partial()), limits.Event+1) // a last line's LF
		for _, e := range whole.events {
			assert.LessOrEqual(t, len(e.Data), limits.Event)
		}
	})
}

func BenchmarkSSE(b *testing.B) {
	const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word"}}]}` + "\n\n"
	stream := []byte(strings.Repeat(chunk, 1000))
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		d := &eventDecoder{maxEvent: 1 << 20, maxEvents: 10_000}
		for rest := stream; len(rest) > 0; rest = rest[min(4096, len(rest)):] {
			if err := d.feed(rest[:min(4096, len(rest))], 1); err != nil {
				b.Fatal(err)
			}
		}
	}
}
