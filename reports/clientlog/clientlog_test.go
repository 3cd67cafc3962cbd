package clientlog

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

var update = flag.Bool("update", false, "write the golden files anew")

// call is a call on a row with attempts that got these statuses.
func call(client string, row contract.RowID, outcome Outcome, statuses ...int) Call {
	c := Call{Client: client, Row: row, Case: string(row) + "/x/chat", Surface: dialect.Chat, Outcome: outcome}
	for i, status := range statuses {
		c.Attempts = append(c.Attempts, Attempt{Gap: int64(1000 * min(i, 1)), Status: status, Success: status == 200 && outcome == Answered})
	}
	if outcome == Typed || outcome == Untyped {
		c.Class, c.Status = "StubError", statuses[len(statuses)-1]
	}
	if r, _ := contract.RowByID(row); r.Code() != "" {
		c.Code, c.CodeAt, c.Shown = r.Code(), "err.code", InField
	}
	return c
}

func with(c Call, change func(*Call)) Call {
	change(&c)
	return c
}

func TestFindings(t *testing.T) {
	for name, tt := range map[string]struct {
		call Call
		want []Finding
	}{
		"quota, once": {call("a", "code:insufficient_user_quota", Typed, 403), nil},
		"quota, three times": {call("a", "code:insufficient_user_quota", Typed, 429, 429, 429),
			[]Finding{{RetriedInVain, "sends the request 3 times; the contract says: Top up or check your plan quota"}}},
		"retry, three times":        {call("a", "code:do_request_failed", Typed, 502, 502, 502), nil},
		"retry, once":               {call("a", "code:do_request_failed", Typed, 502), []Finding{{NotRetried, "does not retry; the contract says: Retry"}}},
		"retry, in a begun stream":  {call("a", "code:do_request_failed", Typed, 200), nil},
		"retry, and an answer then": {call("a", "http:429", Answered, 429, 200), nil},
		"an ordinary answer":        {call("a", "code:model_not_found", Answered, 200), nil},
		"too early": {with(call("a", "http:429", Typed, 429, 429), func(c *Call) { c.Attempts[0].RetryAfter, c.Attempts[1].Gap = "2", 900 }),
			[]Finding{{RetriedEarly, "retries after 900ms; Retry-After says 2 s"}}},
		"late enough": {with(call("a", "http:429", Typed, 429, 429), func(c *Call) { c.Attempts[0].RetryAfter, c.Attempts[1].Gap = "2", 1990 }), nil},
		"only in the message": {with(call("a", "code:model_not_found", Typed, 404), func(c *Call) { c.Shown = InMessage }),
			[]Finding{{CodeHidden, "the code is only in the text of the message"}}},
		"no code is asked for":   {with(call("a", "http:404", Typed, 404), func(c *Call) { c.Code, c.Shown = "model_not_found", Nowhere }), nil},
		"accepted":               {call("a", "code:empty_response", Accepted, 200), []Finding{{ErrorAccepted, "raises no error"}}},
		"untyped":                {call("a", "http:404", Untyped, 404), []Finding{{ErrorUntyped, "raises StubError, which is not one of its own error classes"}}},
		"waits":                  {with(call("a", "http:429", Hung, 429), func(c *Call) { c.Milliseconds = 12000 }), []Finding{{NotRetried, "does not retry; the contract says: See Rate Limits"}, {NotEnded, "does not end the call within 12.0 s"}}},
		"a fault of the adapter": {with(call("a", "code:do_request_failed", Crashed, 502), func(c *Call) { c.Message = "it ended" }), nil},
	} {
		assert.Equal(t, tt.want, Findings(tt.call), name)
	}
}

// probeCall is a call on a probe.
func probeCall(client, probe string, statuses ...int) Call {
	return with(call(client, "", Typed, statuses...), func(c *Call) { c.Probe, c.Case = probe, "" })
}

func TestAdviceNamesTheStatusThatStopsClients(t *testing.T) {
	quota, _ := contract.RowByID("code:insufficient_user_quota")
	l := Log{Calls: []Call{
		call("a", quota.ID, Typed, 429, 429, 429), call("b", quota.ID, Typed, 429, 429), call("c", quota.ID, Typed, 429),
		probeCall("a", StatusProbe(402), 402), probeCall("b", StatusProbe(402), 402, 402),
		probeCall("a", StatusProbe(403), 403), probeCall("b", StatusProbe(403), 403),
		probeCall("a", StatusProbe(404), 404), probeCall("b", StatusProbe(404), 404),
	}}
	assert.Equal(t, "2 of 3 clients retry in vain (a, b); 403 instead of 429 would stop all of them", Advice(l, quota))

	support, _ := contract.RowByID("code:model_price_error")
	l = Log{Calls: []Call{
		call("a", support.ID, Typed, 500, 500), call("b", support.ID, Typed, 500, 500),
		probeCall("a", StatusProbe(503), 503, 503), probeCall("b", StatusProbe(503), 503, 503), probeCall("a", StatusProbe(403), 403), probeCall("b", StatusProbe(403), 403),
	}}
	assert.Equal(t, "2 of 2 clients retry in vain (a, b); no status that the contract names for this row makes any of them stop retrying", Advice(l, support))
	l.Calls = append(l.Calls, probeCall("a", NoRetryProbe, 500), probeCall("b", NoRetryProbe, 500, 500))
	assert.Equal(t, "2 of 2 clients retry in vain (a, b); x-should-retry: false would stop 1 of them", Advice(l, support))

	l = Log{Calls: []Call{call("a", quota.ID, Typed, 403)}}
	assert.Empty(t, Advice(l, quota))

	l = Log{Calls: []Call{
		call("a", quota.ID, Typed, 429, 429), call("b", quota.ID, Typed, 429, 429),
		probeCall("a", StatusProbe(402), 402), probeCall("b", StatusProbe(402), 402), probeCall("a", StatusProbe(403), 403), probeCall("b", StatusProbe(403), 403),
		probeCall("a", StatusProbe(404), 404), probeCall("b", StatusProbe(404), 404),
	}}
	assert.Equal(t, "2 of 2 clients retry in vain (a, b); 402 (causes a warning) or 403 instead of 429 would stop all of them", Advice(l, quota), "404 says something else")
}

func TestAdviceNamesTheStatusThatMakesClientsRetry(t *testing.T) {
	later, _ := contract.RowByID("code:get_channel_failed")
	l := Log{Calls: []Call{
		call("a", later.ID, Typed, 404), call("b", later.ID, Typed, 404), call("c", later.ID, Typed, 404, 404),
		probeCall("a", StatusProbe(500), 500), probeCall("a", StatusProbe(503), 503, 503), probeCall("b", StatusProbe(503), 503),
	}}
	assert.Equal(t, "2 of 3 clients do not retry (a, b); 503 instead of 404 would make 1 of them retry", Advice(l, later))
	l.Calls = l.Calls[:3]
	assert.Empty(t, Advice(l, later), "no status makes this client retry")
}

func TestTallies(t *testing.T) {
	assert.Equal(t, []Tally{
		{RetriedInVain, "retry even though a retry cannot succeed", true, 1, 2}, {ErrorAccepted, "treat an error or an incomplete response as a success", true, 1, 1},
		{CodeHidden, "do not expose the code in a field of the error", false, 1, 1},
	}, Tallies(sample()))
	assert.Empty(t, Tallies(Log{}))
}

func TestDrift(t *testing.T) {
	newer := sample()
	newer.Clients[0].Version = "1.3"
	var out bytes.Buffer
	differ, err := Drift(&out, sample(), newer)
	require.NoError(t, err)
	assert.False(t, differ)
	assert.Equal(t, "one 1.3 behaves the same as the recorded version 1.2 in 5 calls\nno differences from the recorded behaviour (9 calls compared)\n", out.String())

	newer.Calls[0] = call("one", newer.Calls[0].Row, Typed, 429)
	newer.Calls = append(newer.Calls, call("three", "http:404", Typed, 404))
	newer.Clients = append(newer.Clients, Client{Name: "three"})
	out.Reset()
	differ, err = Drift(&out, sample(), newer)
	require.NoError(t, err)
	assert.True(t, differ)
	assert.Equal(t, `drift: one 1.3 behaves differently from the recorded version 1.2 in 1 of 5 calls
  code:insufficient_user_quota/x/chat
    - ●●● sends the request 3 times and raises StubError (429); the code is in err.code
    + ● sends the request once and raises StubError (429); the code is in err.code
`, out.String())
}

func TestABehaviourIsReadAsItWasWritten(t *testing.T) {
	for _, want := range Behaviours(sample()) {
		var b bytes.Buffer
		require.NoError(t, want.Write(&b))
		got, err := ReadBehaviour(&b)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, bad := range []string{"# one two", "# a b c\nline"} {
		_, err := ReadBehaviour(strings.NewReader(bad))
		assert.ErrorIs(t, err, ErrLog, bad)
	}
}

func TestAStrangersLogIsBounded(t *testing.T) {
	many := call("a", "http:404", Typed, slices.Repeat([]int{404}, maxAttempts+1)...)
	for name, l := range map[string]Log{
		"clients":  {Clients: make([]Client, maxClients+1)},
		"calls":    {Calls: make([]Call, maxCalls+1)},
		"attempts": {Calls: []Call{many}},
	} {
		var b bytes.Buffer
		require.NoError(t, WriteJSON(&b, l))
		_, err := ReadJSON(&b)
		assert.ErrorIs(t, err, ErrLog, name)
	}
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, Log{Calls: []Call{{Message: strings.Repeat("é", 10_000)}}}))
	l, err := ReadJSON(&b)
	require.NoError(t, err)
	assert.Len(t, l.Calls[0].Message, maxText+len("…"))
}

func sample() Log {
	quota, support := contract.RowID("code:insufficient_user_quota"), contract.RowID("code:model_price_error")
	return Log{
		Tool: "gatecert test", ContractDigest: "sha256:0", Target: "a | gateway\x1b[31m",
		Clients: []Client{
			{Name: "one", Package: "library", Version: "1.2", Runtime: "node 20", Surfaces: []dialect.Surface{dialect.Chat}},
			{Name: "two", Package: "<b>other</b>", Version: "v3", Fault: "it ended: exit status 1"},
		},
		Calls: []Call{
			call("one", quota, Typed, 429, 429, 429), with(call("two", quota, Typed, 429), func(c *Call) { c.Class, c.Shown = "Err|or\x1b]0;x\a", InMessage }),
			call("one", support, Hung, 500, 500, 500, 500), with(call("two", support, Crashed), func(c *Call) { c.Message = "it floods" }),
			with(call("one", "code:bad_response", Accepted, 200), func(c *Call) { c.Surface, c.Text = dialect.ChatStream, "Hello"; c.Attempts[0].Broken = true }),
			call("one", "http:429", Answered, 429, 200), call("two", "http:429", Answered, 429, 200),
			probeCall("one", StatusProbe(403), 403), with(probeCall("two", "no-answer", 0), func(c *Call) { c.Doubts = []string{"nothing came from the adapter"} }),
		},
		Skipped: []Skip{{Client: "one", Probe: "retry-after-70", Reason: "it takes long"}, {Client: "two\x1b[31m", Probe: "retry-after-70", Reason: "it takes long"}, {Row: quota, Reason: "not offered"}},
	}
}

func TestRenderers(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer) error{
		"terminal.txt": func(b *bytes.Buffer) error { return WriteTerminal(b, sample()) },
		"markdown.md": func(b *bytes.Buffer) error {
			return WriteMarkdown(b, sample(), func(p string) string { return "about " + p })
		},
		"log.json":      func(b *bytes.Buffer) error { return WriteJSON(b, sample()) },
		"behaviour.txt": func(b *bytes.Buffer) error { return Behaviours(sample())[0].Write(b) },
	} {
		var got bytes.Buffer
		require.NoError(t, write(&got))
		path := "testdata/" + name
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o750))
			require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got.String(), name)
		if name != "log.json" {
			assert.NotContains(t, got.String(), "\x1b")
		}
	}
}

func TestALogIsReadAsItWasWritten(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, sample()))
	again, err := ReadJSON(&b)
	require.NoError(t, err)
	want := sample()
	want.Schema = Schema
	assert.Equal(t, want, again)
	for _, bad := range []string{"", "[]", "{}", `{"schema":"gatecert-clients/2"}`} {
		_, err := ReadJSON(bytes.NewReader([]byte(bad)))
		require.ErrorIs(t, err, ErrLog, bad)
	}
}
