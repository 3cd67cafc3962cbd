//go:build !race

// With the race detector this takes 30 s instead of 7 s; it has one goroutine.

package steps

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The steps agree with the findings, whatever comes back: each answer in every fifth case, the next one in the cases after those.
// TestStepsAgreeWithFindingsInEveryCase has all of them.
func TestStepsAgreeWithFindings(t *testing.T) { stepsAgree(t, 5) }

// stepsAgree judges each answer in one of so many cases.
func stepsAgree(t *testing.T, oneOf int) {
	t.Helper()
	scenarios := scenarios(t)
	require.Len(t, scenarios, len(contract.Cases()))
	cases := make([]contract.Case, len(scenarios))
	for i, p := range scenarios {
		c, err := contract.ParseCase(p.Name)
		require.NoError(t, err)
		cases[i] = c
	}
	answers := answers()
	for number, name := range slices.Sorted(maps.Keys(answers)) {
		for i := number % oneOf; i < len(cases); i += oneOf {
			c := cases[i]
			if c.IsLoad() {
				continue
			}
			o := answers[name]
			if c.Reach() != contract.ReachMust || c.Circumstance == contract.SlowUpstream {
				o.Balance = nil // it is not read
			}
			assertStepsAgree(t, judgeScenario(t, c, scenarios[i], o))
			require.False(t, t.Failed(), name)
		}
	}
}

// scenarios are those of all features.
func scenarios(t *testing.T) []*messages.Pickle {
	t.Helper()
	names, err := features.Files()
	require.NoError(t, err)
	id := (&messages.Incrementing{}).NewId
	var all []*messages.Pickle
	for _, name := range names {
		file, err := features.FS.Open(name)
		require.NoError(t, err)
		document, err := gherkin.ParseGherkinDocument(file, id)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		all = append(all, gherkin.Pickles(*document, name, id)...)
	}
	return all
}

// judgeScenario judges the sentences of a scenario by an answer, as the step definitions do, at a hundredth of what godog
// takes for it.
func judgeScenario(t *testing.T, c contract.Case, p *messages.Pickle, o contract.Observation) runlog.Case {
	t.Helper()
	w := newWorld(nil, newGate(1), c, runlog.Scenario{Name: p.Name})
	for _, step := range p.Steps {
		w.status = runlog.StepPassed
		switch step.Type {
		case messages.PickleStepType_ACTION:
			w.judge(o)
		case messages.PickleStepType_OUTCOME:
			w.check(stated(t, "Then "+step.Text))
		default: // a Given states no requirement
		}
		w.endStep(step.Text, true)
	}
	w.end(p.Steps, nil)
	return w.result
}

// answers are what may come back from a gateway, right and wrong.
func answers() map[string]contract.Observation {
	all := map[string]contract.Observation{
		"nothing": {Failure: &contract.Failure{Kind: contract.TimedOut, Detail: "no head within 2s"}},
		"nobody":  {Failure: &contract.Failure{Kind: contract.Unreachable, Detail: "connection refused"}},
	}
	bodies := map[string]string{
		"empty": "", "page": "<html>", "OpenAI error": `{"error":{"message":"m","type":"t","param":null,"code":"model_not_found"}}`,
		"bare error": `{"error":{"message":""}}`, "Anthropic error": `{"type":"error","error":{"type":"x","message":"m","code":"bad_response"}}`,
		"success": `{"choices":[{}],"content":[{}],"candidates":[{}],"output":[{}],"data":[{}]}`, "SQL": `{"error":{"message":"pq: SELECT id FROM users WHERE 1","code":9}}`,
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 405, 429, 500, 502} {
		for name, body := range bodies {
			all[fmt.Sprintf("%d %s", status, name)] = observation(status, body)
		}
	}
	events := map[string][]string{
		"no event": nil, "content": {`{"choices":[{"delta":{"content":"x"}}]}`}, "finish": {`{"choices":[{"delta":{},"finish_reason":"stop"}]}`, "[DONE]"},
		"error": {bodies["OpenAI error"]}, "content and error": {`{"choices":[{"delta":{"content":"x"}}]}`, bodies["OpenAI error"]},
		"error and end": {bodies["Anthropic error"], "[DONE]"},
	}
	for name, data := range events {
		o := observation(200, "data: x")
		o.Header = map[string][]string{"Content-Type": {"text/event-stream"}}
		o.Stream = &contract.Stream{}
		for _, d := range data {
			o.Stream.Events = append(o.Stream.Events, contract.Event{Data: contract.Bytes(d)})
		}
		all["stream: "+name] = o
		broken := o
		broken.TransferError = "unexpected EOF"
		all["broken stream: "+name] = broken
		endless := o
		endless.Cut, endless.Stream = "more than 4 MiB", &contract.Stream{Events: o.Stream.Events, Violations: []string{"line 1: no field"}}
		all["endless stream: "+name] = endless
	}
	seen := map[string]contract.Seen{
		"unasked": {}, "asked once": {Attempts: make([]contract.Attempt, 1)}, "asked often": {Attempts: make([]contract.Attempt, 9)},
		"left open": {Attempts: []contract.Attempt{{Open: true}}},
	}
	for name, s := range seen {
		o := observation(502, bodies["OpenAI error"])
		o.Upstream, o.Balance = &s, &contract.Balance{Before: 2, After: float64(len(s.Attempts) % 3)}
		o.Leaks = []contract.Leak{{What: "upstream key", Where: "body"}}
		all["upstream "+name] = o
	}
	return all
}
