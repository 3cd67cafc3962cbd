package reports_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenLimit bounds a golden file in bytes. Of what is larger, the size and the digest are kept.
const goldenLimit = 512 << 10

// golden compares what a renderer wrote with its file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if len(got) > goldenLimit {
		got = fmt.Appendf(nil, "%d bytes, sha256 %x\n", len(got), sha256.Sum256(got))
	}
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the tests with -update to make it")
	assert.Equal(t, string(want), string(got))
}

var started = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// runs are the six logs that every renderer is tested with. They are shared: no test changes them.
var runs = sync.OnceValue(func() map[string]runlog.Run {
	return map[string]runlog.Run{
		"good":       goodRun(),
		"failing":    failingRun(),
		"incomplete": incompleteRun(),
		"hostile":    hostileRun(),
		"load":       loadRun(),
		"callers":    callersRun(),
	}
})

func header(level contract.Level, surfaces ...dialect.Surface) runlog.Header {
	return runlog.Header{
		Type: "header", Schema: runlog.Schema, RunID: "20260504-030201-a1b2", Tool: "gatecert 0.1.0",
		Started: started, ContractDigest: strings.Repeat("c0ffee", 10) + "c0ff",
		Target: runlog.TargetInfo{
			Name: "example", BaseURL: "https://gateway.example", Driver: "static", Version: "2.4.1",
			Profile: "name: example\nbase_url: https://gateway.example\n",
		},
		Selection: runlog.Selection{Level: level, Surfaces: surfaces},
		Command:   []string{"gatecert", "run", "https://gateway.example", "--key", "***"},
	}
}

// result is a case as it passes: the row's own status, code and envelope.
func result(row contract.Row, surface dialect.Surface) runlog.Case {
	circumstance := map[contract.RowID]string{
		"http:404": "unknown-model", "code:model_not_found": "absent-model", "http:401": "wrong-key",
	}[row.ID]
	if circumstance == "" {
		circumstance = "cause-of-" + strings.ReplaceAll(row.Key, ":", "-")
	}
	status := 500
	if len(row.Status.Exact) > 0 {
		status = row.Status.Exact[0]
	}
	level := contract.Relay
	if status < 500 {
		level = contract.Edge
	}
	url := "https://gateway.example/v1/" + string(surface)
	body := fmt.Sprintf(`{"error":{"message":"%s","type":"invalid_request_error","param":null,"code":"%s"}}`, row.Meaning, row.Code())
	return runlog.Case{
		Type: "case",
		CaseKey: runlog.CaseKey{
			ID: fmt.Sprintf("%s/%s/%s", row.ID, circumstance, surface), Row: row.ID, Circumstance: circumstance, Surface: surface, Level: level,
		},
		Verdict: contract.Pass,
		Scenario: &runlog.Scenario{
			URI: "features/rows.feature", Line: 40, Name: row.Meaning + " on " + string(surface),
			Steps: []runlog.Step{
				{Text: "Given the circumstance " + circumstance, Status: runlog.StepPassed},
				{Text: fmt.Sprintf("When a client calls %q", surface), Status: runlog.StepPassed},
				{Text: "Then the status is " + row.Status.String(), Status: runlog.StepPassed},
				{Text: "And the error is complete and in the client's API format", Status: runlog.StepPassed},
			},
		},
		Observation: &contract.Observation{
			Sent: contract.Sent{
				Surface: surface, Method: "POST", URL: url,
				Header: map[string][]string{"Authorization": {"Bearer ***"}, "Content-Type": {"application/json"}},
				Body:   contract.Bytes(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`), BodySize: 67,
				Curl: `curl -sS ` + url + ` -H "Authorization: Bearer $GATEWAY_KEY" -H 'Content-Type: application/json' -d '{"model":"gpt-4o-mini"}'`,
			},
			Status: status, Proto: "HTTP/1.1",
			Header: map[string][]string{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}},
			Body:   contract.Bytes(body), BodySize: int64(len(body)),
			Timing: contract.Timing{FirstByte: 11 * time.Millisecond, End: 12 * time.Millisecond},
		},
		Started: started.Add(time.Second), Duration: 15 * time.Millisecond,
	}
}

// every makes one passing case for each row on each surface.
func every(rows []contract.Row, surfaces ...dialect.Surface) []runlog.Case {
	var cases []runlog.Case
	for _, row := range rows {
		for _, s := range surfaces {
			cases = append(cases, result(row, s))
		}
	}
	return cases
}

// concluded is a run that expected exactly these cases and came to its end.
func concluded(h runlog.Header, cases []runlog.Case) runlog.Run {
	for _, c := range cases {
		h.Expected = append(h.Expected, c.ID)
	}
	footer := runlog.Conclude(h, cases, started.Add(90*time.Second))
	return runlog.Run{
		Header: h,
		Controls: []runlog.Control{
			{Type: "control", Surface: dialect.Chat, Kind: "healthy", Phase: "before", OK: true, At: started},
		},
		Cases: cases, Footer: &footer,
	}
}

func goodRun() runlog.Run {
	return concluded(header(contract.Relay, dialect.Chat), every(contract.Rows(), dialect.Chat))
}

// failingRun has every verdict, and something of all evidence a case can have.
func failingRun() runlog.Run {
	surfaces := []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Messages, dialect.GenerateContent}
	cases := every(contract.Rows()[:24], surfaces...)
	at := func(row contract.RowID, s dialect.Surface) *runlog.Case {
		for i := range cases {
			if cases[i].Row == row && cases[i].Surface == s {
				return &cases[i]
			}
		}
		panic("no such case: " + row)
	}
	fail := at("code:model_not_found", dialect.Chat)
	fail.Verdict = contract.Fail
	fail.Findings = []contract.Finding{
		{Requirement: contract.StatusClass, Level: contract.Must, Want: "4xx", Got: "503"},
		{Requirement: contract.Fields, Level: contract.Should, Want: "param in the envelope", Got: "no param"},
		{Requirement: contract.RequestID, Level: contract.Note, Want: "a request id", Got: "none"},
	}
	fail.Scenario.Steps[2].Status, fail.Scenario.Steps[3].Status = runlog.StepFailed, runlog.StepWarned
	fail.Observation.Status = 503
	fail.Observation.Upstream = &contract.Seen{Attempts: []contract.Attempt{
		{At: time.Second, Protocol: "openai", Path: "/v1/chat/completions", Model: "gpt-4o-mini", Credential: "sk…9f2c", Status: 503, Duration: 4 * time.Millisecond},
		{At: 2 * time.Second, Protocol: "openai", Path: "/v1/chat/completions", Model: "gpt-4o-mini", Credential: "sk…9f2c", Cancelled: true, Duration: 9 * time.Millisecond},
	}}
	fail.Observation.Balance = &contract.Balance{Before: 100, After: 97.5}
	fail.Observation.Leaks = []contract.Leak{{What: "upstream address", Where: "body"}}
	fail.Tries = 2

	stream := at("code:get_channel_failed", dialect.ChatStream)
	stream.Verdict = contract.Fail
	stream.Scenario.Steps[2].Status, stream.Scenario.Steps[3].Status = runlog.StepUntested, runlog.StepFailed
	stream.Findings = []contract.Finding{{Requirement: contract.StreamEnd, Level: contract.Must, Want: "no end as if complete", Got: "data: [DONE] after 2 events"}}
	stream.Observation.Status = 200
	stream.Observation.Body = contract.Bytes("data: {\"choices\":[]}\n\ndata: [DONE]\n\nda")
	stream.Observation.BodySize = 38
	stream.Observation.TransferError = "unexpected EOF"
	stream.Observation.Stream = &contract.Stream{
		Events: []contract.Event{
			{At: 5 * time.Millisecond, Data: contract.Bytes(`{"choices":[]}`)},
			{At: 9 * time.Millisecond, Name: "done", Data: contract.Bytes(`[DONE]`)},
		},
		Violations: []string{"line 5: the stream ends inside an event"},
		Partial:    contract.Bytes("da"),
	}
	warn := at("http:401", dialect.Messages)
	warn.Verdict = contract.Warn
	warn.Scenario.Steps[3].Status = runlog.StepWarned
	warn.Findings = []contract.Finding{{Requirement: contract.CodePlace, Level: contract.Should, Want: "the code in error.code", Got: "the code in error.type"}}
	at("http:404", dialect.GenerateContent).Verdict = contract.ExpectedFail
	at("http:404", dialect.GenerateContent).Reason = "in the baseline: example/issues/12"
	for _, row := range contract.Rows()[:24] {
		c := at(row.ID, dialect.GenerateContent)
		if c.Verdict == contract.Pass && row.Table == 2 {
			c.Verdict, c.Reason, c.Scenario, c.Observation = contract.NotOffered, "the profile has no recipe", nil, nil
		}
	}
	untestable := at("code:prompt_blocked", dialect.Chat)
	untestable.Verdict, untestable.Reason = contract.Untestable, "the call never reached the upstream"
	broken := at("code:bad_request_body", dialect.Messages)
	broken.Verdict, broken.Reason = contract.Error, "control failed: the healthy call got no answer"
	broken.Observation.Status = 0
	broken.Observation.Failure = &contract.Failure{Kind: contract.TimedOut, Detail: "no head within 2s"}
	run := concluded(header(contract.Relay, surfaces...), cases)
	run.Controls = append(run.Controls, runlog.Control{
		Type: "control", Surface: dialect.Messages, Kind: "healthy", Phase: "between", Detail: "timed-out", At: started,
	})
	run.Footer.Notes = []string{"the gateway does not support version v1 of the API on messages (404), so gatecert used the earlier version"}
	return run
}

// loadRun has two load cases, one of which failed.
func loadRun() runlog.Run {
	cases := every(contract.Rows()[:4], dialect.Chat)
	under := func(id string, a runlog.LoadSummary) runlog.Case {
		known, err := contract.ParseCase(id)
		if err != nil {
			panic(err)
		}
		a.Took, a.Calls = 2*time.Second, 60
		a.Phases = []runlog.Phase{{Name: "before", To: time.Second}, {Name: "outage", From: time.Second, To: 1900 * time.Millisecond}, {Name: "narrow", From: 1900 * time.Millisecond, To: 2 * time.Second}}
		for i := range 4 {
			a.Spans = append(a.Spans, runlog.Span{
				At: time.Duration(i) * 500 * time.Millisecond, Lasts: 500 * time.Millisecond,
				Counts: map[string]map[runlog.Outcome]int{"healthy": {runlog.Admitted: 10 + i, runlog.Refused: i}, "hanging": {runlog.Timeout: i}},
				P50:    time.Duration(i) * time.Millisecond, P99: time.Duration(2*i) * time.Millisecond,
			})
		}
		return runlog.Case{
			Type: "case", CaseKey: runlog.KeyOf(known), Verdict: contract.Pass, Load: &a, Started: started.Add(time.Second), Duration: 2 * time.Second,
		}
	}
	limit := under("http:429/over-rate-limit/chat/under-load", runlog.LoadSummary{
		Sentence: "20 calls at once, and one by one", Limiter: "sliding-log of 20 in 10s",
		Checks: []runlog.Check{
			{Requirement: "limit-burst", Result: contract.Held, Sentence: "20 calls admitted and 15 refused"},
			{Requirement: "upstream-429", Result: contract.Untested, Sentence: "the upstream is not gatecert's"},
		},
	})
	for i := range limit.Load.Spans { // the calls over a limit are no healthy ones
		limit.Load.Spans[i].P50, limit.Load.Spans[i].P99 = 0, 0
	}
	slow := under("code:channel:response_time_exceeded/slow-upstream/chat/under-load", runlog.LoadSummary{
		Sentence: "30 healthy calls a second",
		Checks: []runlog.Check{
			{Requirement: "in-time", Result: contract.Violated, Sentence: "hung calls were answered after 4s: the limit is 1.5s"},
			{Requirement: "departure", Result: contract.Violated, Sentence: "2 clients disconnected, and 2 of their upstream calls went on " + venom},
		},
		Times: []runlog.Times{{Name: "healthy before", Count: 45, P50: time.Millisecond, P90: 2 * time.Millisecond, P99: 3 * time.Millisecond, Max: 4 * time.Millisecond, Bound: 250 * time.Millisecond}},
	})
	slow.Load.Spans[3].Counts["disconnecting, hanging"] = map[runlog.Outcome]int{runlog.Disconnected: 2}
	slow.Verdict = contract.Fail
	slow.Findings = []contract.Finding{
		{Requirement: "in-time", Level: contract.Must, Want: "1.5s", Got: "4s"},
		{Requirement: "departure", Level: contract.Should, Want: "calls cancelled", Got: "2 of 2 went on"},
	}
	h := header(contract.Full, dialect.Chat)
	h.Selection.LoadSurfaces = []dialect.Surface{dialect.Chat}
	return concluded(h, append(cases, limit, slow))
}

// incompleteRun crashed after two of four cases, both of which passed.
func incompleteRun() runlog.Run {
	cases := every(contract.Rows()[3:5], dialect.Chat, dialect.Embeddings)
	run := concluded(header(contract.Edge, dialect.Chat, dialect.Embeddings), cases)
	run.Cases, run.Footer, run.Torn = cases[:2], nil, true
	return run
}

// venom breaks out of whatever quotes it badly: HTML, script, templates, CDATA, markdown tables, terminals, text order, UTF-8.
const venom = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>\x1b[31m\x1b]0;owned\x07" +
	"\u202eevil\u2066 | `code` ``` ]]> {{.}} ${x} @everyone [a](javascript:alert(1)) https://evil.example \r\n\x00\x80\xff\u2028 é漢👩"

// hostileRun has venom in every field that a gateway or a profile could fill, and huge bodies.
func hostileRun() runlog.Run {
	cases := every(contract.Rows()[:2], dialect.Chat, dialect.ChatStream)
	for i := range cases {
		poison(&cases[i])
	}
	cases[1].Verdict, cases[2].Verdict, cases[3].Verdict = contract.Warn, contract.Untestable, contract.Error
	h := header(contract.Edge, dialect.Chat, dialect.ChatStream)
	h.Target = runlog.TargetInfo{Name: venom, BaseURL: venom, Driver: venom, Version: venom, Profile: venom}
	h.RunID, h.Tool, h.ContractDigest, h.Command = venom, venom, venom, []string{venom}
	run := concluded(h, cases)
	run.Footer.Notes = []string{venom}
	run.Controls = []runlog.Control{{Surface: venom, Kind: venom, Phase: venom, Detail: venom, At: started}}
	run.Clients = hostileClients()
	return run
}

func poison(c *runlog.Case) {
	many := map[string][]string{venom: {venom, strings.Repeat(venom, 50)}}
	for i := range 300 {
		many[fmt.Sprintf("X-%03d", i)] = []string{"filler"}
	}
	huge := contract.Bytes(strings.Repeat(venom, 400))
	c.ID, c.Circumstance, c.Variant, c.Reason = c.ID+"/"+venom, venom, venom, venom
	c.Verdict = contract.Fail
	for range 3 {
		c.Findings = append(c.Findings, contract.Finding{Requirement: venom, Level: contract.Must, Want: venom, Got: strings.Repeat(venom, 20)})
	}
	c.Scenario.Name, c.Scenario.URI = venom, venom
	c.Scenario.Steps = []runlog.Step{{Text: venom, Status: runlog.StepFailed}, {Text: venom, Status: venom}}
	c.Observation = &contract.Observation{
		Sent:   contract.Sent{Surface: venom, Method: venom, URL: venom, Header: many, Body: huge, BodySize: int64(len(huge)), Fault: venom, Curl: venom},
		Status: 500, Proto: venom, Header: many, Body: huge, BodySize: 1 << 40, Cut: venom, TransferError: venom,
		Stream:   &contract.Stream{Violations: []string{venom}, Partial: huge},
		Failure:  &contract.Failure{Kind: venom, Detail: venom},
		Leaks:    []contract.Leak{{What: venom, Where: venom}},
		Upstream: &contract.Seen{Attempts: []contract.Attempt{{Protocol: venom, Path: venom, Model: venom, Credential: venom}}},
	}
	for range 100 {
		c.Observation.Stream.Events = append(c.Observation.Stream.Events, contract.Event{Name: venom, Data: huge[:2000]})
	}
}

// render runs a renderer twice and insists on the same bytes.
func render(t *testing.T, run runlog.Run, f func(*bytes.Buffer, runlog.Run) error) []byte {
	t.Helper()
	var first, second bytes.Buffer
	require.NoError(t, f(&first, run))
	require.NoError(t, f(&second, run))
	require.Equal(t, first.Bytes(), second.Bytes(), "the same log must render the same bytes")
	return first.Bytes()
}

// pageLimit bounds the page in bytes.
const pageLimit = 2_400_000
