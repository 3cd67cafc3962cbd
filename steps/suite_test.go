package steps

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSession answers every case by its functions.
type fakeSession struct {
	observe func(try int, c contract.Case) (contract.Observation, error)
	recover func() (time.Duration, error)
	// unhealthy says why a healthy call fails, "" for nothing.
	unhealthy func() string
	limited   bool
	// unhealthyBody is what healthy calls get on a gateway that is not healthy; atOnce is how many cases it copes with, 0 for all.
	unhealthyBody string
	atOnce        int
	slowed        int
	after         *contract.Aftermath
	load          func(contract.Case) (LoadResult, error)
	mu            sync.Mutex
	tries         map[string]int
}

func (f *fakeSession) Observe(_ context.Context, c contract.Case) (contract.Observation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tries == nil {
		f.tries = map[string]int{}
	}
	f.tries[c.ID()]++
	return f.observe(f.tries[c.ID()], c)
}

func (f *fakeSession) AwaitRecovery(context.Context, contract.Case) (time.Duration, error) {
	if f.recover == nil {
		return 0, nil
	}
	return f.recover()
}

func (f *fakeSession) Healthy(context.Context, contract.Case) (bool, string, error) {
	if f.unhealthy == nil {
		return true, "", nil
	}
	detail := f.unhealthy()
	return detail == "", detail, nil
}

func (f *fakeSession) AtOnce(most int) (int, bool) { return cmp.Or(f.atOnce, most), f.atOnce > 0 }

func (f *fakeSession) AnswersUnhealthy(o contract.Observation) bool {
	return f.unhealthyBody != "" && string(o.Body) == f.unhealthyBody
}

func (f *fakeSession) Limited() bool { return f.limited }
func (f *fakeSession) SlowDown()     { f.slowed++ }

func (f *fakeSession) Aftermath(context.Context, dialect.Surface) (*contract.Aftermath, error) {
	return f.after, nil
}

func (f *fakeSession) RunLoad(_ context.Context, c contract.Case) (LoadResult, error) {
	return f.load(c)
}

func notFound(int, contract.Case) (contract.Observation, error) {
	return observation(404, `{"error":{"message":"m","type":"t","param":null,"code":"model_not_found"}}`), nil
}

func observation(status int, body string) contract.Observation {
	return contract.Observation{
		Sent: contract.Sent{Method: "POST", URL: "http://gateway.test"}, Status: status,
		Header: map[string][]string{"Content-Type": {"application/json"}, "X-Request-Id": {"r"}},
		Body:   contract.Bytes(body), BodySize: int64(len(body)),
	}
}

func play(t *testing.T, s Suite, ids ...string) map[string]Outcome {
	t.Helper()
	var mu sync.Mutex
	outcomes := map[string]Outcome{}
	s.Selected = map[string]bool{}
	for _, id := range ids {
		s.Selected[id] = true
	}
	s.Sink = func(o Outcome) {
		mu.Lock()
		defer mu.Unlock()
		assert.NotContains(t, outcomes, o.Case.ID, "two outcomes")
		outcomes[o.Case.ID] = o
	}
	require.NoError(t, s.Run(t.Context()))
	return outcomes
}

const absentModel = "code:model_not_found/absent-model/chat"

func TestAPassingScenarioRecordsItsStepsAndItsPlace(t *testing.T) {
	out := play(t, Suite{Features: features.FS, Session: &fakeSession{observe: notFound}, Concurrency: 4}, absentModel)
	require.Len(t, out, 1, "scenarios that are not selected leave no trace")
	c := out[absentModel].Case
	assert.Equal(t, contract.Pass, c.Verdict)
	assert.Equal(t, absentModel, c.Scenario.Name)
	assert.Equal(t, "table-2-access.feature", c.Scenario.URI)
	text, err := features.FS.ReadFile(c.Scenario.URI)
	require.NoError(t, err)
	assert.Contains(t, strings.Split(string(text), "\n")[c.Scenario.Line-1], absentModel, "the line is that of the Examples row")
	assert.Equal(t, []runlog.Step{
		{Text: `Given the circumstance "absent-model": a model name that does not exist`, Status: runlog.StepPassed},
		{Text: `When a client calls "chat"`, Status: runlog.StepPassed},
		{Text: "Then the status is 404", Status: runlog.StepPassed},
		{Text: `And the error code is "model_not_found"`, Status: runlog.StepPassed},
		{Text: "And the error is complete and in the client's API format", Status: runlog.StepPassed},
		{Text: "And the response leaks no internals", Status: runlog.StepPassed},
		{Text: "And the upstream is called no more often than limits.attempts allows, and no other caller is affected", Status: runlog.StepUntested}, // nothing says what it saw
	}, c.Scenario.Steps)
	assert.Equal(t, 1, c.Tries)
}

func TestEverySentenceIsJudgedAlsoAfterOneFailed(t *testing.T) {
	const p, w, f, u = runlog.StepPassed, runlog.StepWarned, runlog.StepFailed, runlog.StepUntested
	const stalled = "code:channel:response_time_exceeded/slow-upstream/chat-stream/stalled-answer"
	chunk := contract.Event{Data: contract.Bytes(`{"choices":[{"delta":{"content":"Hel"},"finish_reason":null}]}`)}
	stream := func(change func(*contract.Observation), events ...contract.Event) contract.Observation {
		o := observation(200, "data: x")
		o.Stream, o.Upstream = &contract.Stream{Events: events}, &contract.Seen{Attempts: []contract.Attempt{{}}}
		if change != nil {
			change(&o)
		}
		return o
	}
	for _, tt := range []struct {
		name string
		id   string
		o    contract.Observation
		want []runlog.StepStatus // of the steps after Given and When
	}{
		{
			"a wrong status and a wrong code in a whole error", absentModel,
			observation(503, `{"error":{"message":"","type":"t","param":null,"code":"x"}}`), []runlog.StepStatus{f, f, f, p, u},
		},
		{"a success", absentModel, observation(200, `{"choices":[{"message":{"content":"hi"}}]}`), []runlog.StepStatus{f, u, u, p, u}},
		{"a page", absentModel, observation(404, "<html>"), []runlog.StepStatus{p, f, f, p, u}},
		{"a missing field", absentModel, observation(404, `{"error":{"message":"m","type":"t","code":"model_not_found"}}`), []runlog.StepStatus{p, p, w, p, u}},
		{"a stream that ends without a word", stalled, stream(nil, chunk), []runlog.StepStatus{u, u, f, p, p, p}},
		{"a stream that is broken off", stalled, stream(func(o *contract.Observation) { o.TransferError = "unexpected EOF" }, chunk), []runlog.StepStatus{u, u, w, p, p, p}},
		{
			"a stream with the error in it", stalled,
			stream(nil, chunk, contract.Event{Data: contract.Bytes(`{"error":{"message":"m","type":"t","param":null,"code":"channel:response_time_exceeded"}}`)}),
			[]runlog.StepStatus{u, p, p, p, p, p},
		},
		{"no answer", absentModel, contract.Observation{Failure: &contract.Failure{Kind: contract.Closed, Detail: "EOF"}}, []runlog.StepStatus{f, u, u, u, u}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := play(t, Suite{Features: features.FS, Session: &fakeSession{observe: func(int, contract.Case) (contract.Observation, error) { return tt.o, nil }}}, tt.id)[tt.id].Case
			assert.Equal(t, tt.want, statuses(c)[2:])
			assertStepsAgree(t, c)
		})
	}
}

func statuses(c runlog.Case) []runlog.StepStatus {
	var s []runlog.StepStatus
	for _, step := range c.Scenario.Steps {
		s = append(s, step.Status)
	}
	return s
}

func TestFaultsOfTheHarnessAreNoEvidence(t *testing.T) {
	const fine = `Feature: f
  Rule: r
    Scenario Outline: <case>
      Given the circumstance "absent-model": a model name that does not exist
      When a client calls "<surface>"
      Then the status is 404
      Examples: e
        | case | surface |
        | code:model_not_found/absent-model/chat | chat |
`
	change := func(old, replacement string) string {
		require.Contains(t, fine, old)
		return strings.Replace(fine, old, replacement, 1)
	}
	boom := errors.New("boom")
	for _, tt := range []struct {
		name, feature string
		observe       func(int, contract.Case) (contract.Observation, error)
		want          string
	}{
		{"nothing wrong", fine, notFound, ""},
		{"an undefined step", change("Then the status is 404", "Then the moon is full"), notFound, "undefined"},
		{"a sentence that is not the contract's", change("does not exist", "is not there"), notFound, "the scenario disagrees with the contract"},
		{"a status that is not the contract's", change("is 404", "is 400"), notFound, "the scenario disagrees with the contract: the scenario has status 400, but the contract specifies 404"},
		{"a surface that is not the name's", change("| chat |", "| messages |"), notFound, "the scenario is named code:model_not_found/absent-model/chat, but its steps describe code:model_not_found/absent-model/messages"},
		{"no When", change("      When a client calls \"<surface>\"\n", ""), notFound, "ended without a verdict"},
		{"a session that fails", fine, func(int, contract.Case) (contract.Observation, error) { return contract.Observation{}, boom }, "boom"},
		{"a gateway that cannot be reached", fine, func(int, contract.Case) (contract.Observation, error) {
			o := observation(0, "")
			o.Failure = &contract.Failure{Kind: contract.Unreachable, Detail: "connection refused"}
			return o, nil
		}, "http://gateway.test cannot be reached: connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := fstest.MapFS{"f.feature": {Data: []byte(tt.feature)}}
			o := play(t, Suite{Features: fs, Session: &fakeSession{observe: tt.observe}}, absentModel)[absentModel].Case
			if tt.want == "" {
				assert.Equal(t, contract.Pass, o.Verdict, o.Reason)
				return
			}
			assert.Equal(t, contract.Error, o.Verdict)
			assert.Contains(t, o.Reason, tt.want)
		})
	}
}

func TestFeaturesThatDoNotParse(t *testing.T) {
	s := Suite{Features: fstest.MapFS{"f.feature": {Data: []byte("no feature at all")}}, Session: &fakeSession{}, Selected: map[string]bool{"x": true}, Sink: func(Outcome) {}}
	require.ErrorIs(t, s.Run(t.Context()), ErrFeatures)
}

func TestACancelledRunReportsOnlyWhatWasJudged(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var outcomes []Outcome
	s := Suite{
		Features: features.FS, Concurrency: 1, Selected: map[string]bool{},
		Session: &fakeSession{observe: func(try int, c contract.Case) (contract.Observation, error) {
			cancel()
			return notFound(try, c)
		}},
		Sink: func(o Outcome) { outcomes = append(outcomes, o) },
	}
	for _, c := range contract.Cases() {
		s.Selected[c.ID()] = c.Circumstance == "absent-model"
	}
	require.ErrorIs(t, s.Run(ctx), context.Canceled)
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.Pass, outcomes[0].Case.Verdict)
}
