package steps

import (
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
	slowed    int
	load      func(contract.Case) (LoadResult, error)
	mu        sync.Mutex
	tries     map[string]int
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

func (f *fakeSession) AwaitRecovery(context.Context, dialect.Surface) (time.Duration, error) {
	if f.recover == nil {
		return 0, nil
	}
	return f.recover()
}

func (f *fakeSession) Healthy(context.Context, dialect.Surface) (bool, string, error) {
	if f.unhealthy == nil {
		return true, "", nil
	}
	detail := f.unhealthy()
	return detail == "", detail, nil
}

func (f *fakeSession) Fragile() bool { return false }
func (f *fakeSession) Limited() bool { return f.limited }
func (f *fakeSession) SlowDown()     { f.slowed++ }

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
		{Text: "And the upstream is called no more often than allowed", Status: runlog.StepUntested}, // nothing says what it saw
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
		{"a status that is not the contract's", change("is 404", "is 400"), notFound, "the scenario disagrees with the contract: status 400, the contract says 404"},
		{"a surface that is not the name's", change("| chat |", "| messages |"), notFound, "the scenario is named code:model_not_found/absent-model/chat, its steps describe code:model_not_found/absent-model/messages"},
		{"no When", change("      When a client calls \"<surface>\"\n", ""), notFound, "ended without a judgement"},
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

func TestAnAnswerThatMayComeFromTheGatewaysState(t *testing.T) {
	const (
		relayed   = "code:bad_response/bad-upstream-response/chat/html"
		noChannel = "code:get_channel_failed/no-channel/chat"
		spent     = "code:insufficient_user_quota/spent-account/chat"
	)
	asked := func(o contract.Observation, attempts ...contract.Attempt) contract.Observation {
		o.Upstream = &contract.Seen{Attempts: attempts}
		return o
	}
	code := func(status int, code string) contract.Observation {
		return observation(status, `{"error":{"message":"m","type":"t","param":null,"code":"`+code+`"}}`)
	}
	var (
		good    = asked(code(502, "bad_response"), contract.Attempt{Status: 200})
		breaker = asked(observation(503, "breaker open"))
		channel = code(503, "get_channel_failed")
		limit   = observation(429, `{}`)
		absent  = code(404, "model_not_found")
		quota   = code(429, "insufficient_user_quota")
	)
	healthy := func() string { return "" }
	failing := func() string { return "503 with breaker open" }
	after := func(waited time.Duration, err error) func() (time.Duration, error) {
		return func() (time.Duration, error) { return waited, err }
	}
	for _, tt := range []struct {
		name      string
		id        string
		answers   []contract.Observation // by try; the last one repeats
		unhealthy func() string
		recover   func() (time.Duration, error)
		verdict   contract.Verdict
		tries     int
		reason    string
	}{
		{"a breaker before the upstream, once", relayed, []contract.Observation{breaker, good}, failing, after(time.Second, nil), contract.Pass, 2, ""},
		{"the upstream was not reached, on a healthy gateway", relayed, []contract.Observation{breaker}, healthy, nil, contract.Untestable, 1, "never called the upstream"},
		{"a breaker that stays open", relayed, []contract.Observation{breaker}, failing, after(0, errors.New("still down")), contract.Untestable, 1, "still down"},
		{"a breaker that opens each time", relayed, []contract.Observation{breaker}, failing, after(time.Second, nil), contract.Untestable, 4, "healthy calls failed after each of 4 tries"},
		{"an unexpected 503, once", absentModel, []contract.Observation{breaker, absent}, healthy, nil, contract.Pass, 2, ""},
		{"an unexpected 503 of a healthy gateway", absentModel, []contract.Observation{breaker}, healthy, nil, contract.Fail, 2, ""},
		{"an unexpected 503 of a gateway that is not healthy", absentModel, []contract.Observation{breaker}, failing, after(time.Second, nil), contract.Untestable, 4, "healthy calls failed"},
		{"the row's own 503 of a healthy gateway", noChannel, []contract.Observation{channel}, healthy, nil, contract.Pass, 1, ""},
		{"the row's own 503, and the gateway is not healthy", noChannel, []contract.Observation{channel}, failing, after(0, errors.New("still down")), contract.Untestable, 1, "still down"},
		{"a foreign 429, once", absentModel, []contract.Observation{limit, absent}, healthy, nil, contract.Pass, 2, ""},
		{"a foreign 429 each time is never a failure", absentModel, []contract.Observation{limit}, healthy, nil, contract.Untestable, 2, "answered 429 2 times"},
		{"a 429 for a call that reached the upstream is the gateway's own word", relayed,
			[]contract.Observation{asked(limit, contract.Attempt{Status: 200})}, healthy, nil, contract.Fail, 1, ""},
		{"a 429 with the row's own code is the row's", spent, []contract.Observation{quota}, failing, nil, contract.Warn, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			session := &fakeSession{unhealthy: tt.unhealthy, recover: tt.recover, observe: func(try int, _ contract.Case) (contract.Observation, error) {
				return tt.answers[min(try, len(tt.answers))-1], nil
			}}
			o := play(t, Suite{Features: features.FS, Session: session}, tt.id)[tt.id]
			assert.Equal(t, tt.verdict, o.Case.Verdict, o.Case.Reason)
			assert.Equal(t, tt.tries, o.Case.Tries)
			assert.Contains(t, o.Case.Reason, tt.reason)
			assertStepsAgree(t, o.Case)
		})
	}
}

func TestAPacedRunSlowsDownWhenItIsRefusedAgain(t *testing.T) {
	session := &fakeSession{limited: true, observe: func(try int, c contract.Case) (contract.Observation, error) {
		if try < 3 {
			return observation(429, `{}`), nil
		}
		return notFound(try, c)
	}}
	o := play(t, Suite{Features: features.FS, Session: session}, absentModel)[absentModel].Case
	assert.Equal(t, contract.Pass, o.Verdict)
	assert.Equal(t, 3, o.Tries)
	assert.Equal(t, 1, session.slowed)
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
