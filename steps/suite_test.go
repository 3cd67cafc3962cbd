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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeStage answers every case with what it is told.
type fakeStage struct {
	observe func(try int, c contract.Case) (contract.Observation, error)
	recover func() (time.Duration, error)
	stress  func(contract.Case) (LoadResult, error)
	mu      sync.Mutex
	tries   map[string]int
}

func (f *fakeStage) Observe(_ context.Context, c contract.Case) (contract.Observation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tries == nil {
		f.tries = map[string]int{}
	}
	f.tries[c.ID()]++
	return f.observe(f.tries[c.ID()], c)
}

func (f *fakeStage) AwaitRecovery(context.Context, dialect.Surface) (time.Duration, error) {
	if f.recover == nil {
		return 0, nil
	}
	return f.recover()
}

func (f *fakeStage) RunLoad(_ context.Context, c contract.Case) (LoadResult, error) {
	return f.stress(c)
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
		assert.NotContains(t, outcomes, o.Name, "told twice")
		outcomes[o.Name] = o
	}
	require.NoError(t, s.Run(t.Context()))
	return outcomes
}

const absentModel = "code:model_not_found/absent-model/chat"

func TestAPassingScenarioIsToldWithItsStepsAndItsPlace(t *testing.T) {
	out := play(t, Suite{Features: features.FS, Session: &fakeStage{observe: notFound}, Concurrency: 4}, absentModel)
	require.Len(t, out, 1, "scenarios that are not selected leave no trace")
	o := out[absentModel]
	assert.Equal(t, contract.Pass, o.Verdict)
	assert.Equal(t, absentModel, o.Case.ID())
	assert.Equal(t, "2-codes-of-access.feature", o.URI)
	text, err := features.FS.ReadFile(o.URI)
	require.NoError(t, err)
	assert.Contains(t, strings.Split(string(text), "\n")[o.Line-1], absentModel, "the line is that of the Examples row")
	assert.Equal(t, []Step{
		{`Given the circumstance "absent-model": a model name that does not exist`, "passed"},
		{`When a caller asks on "chat"`, "passed"},
		{"Then the status is 404", "passed"},
		{`And the error code is "model_not_found"`, "passed"},
		{"And the error is whole and in the caller's dialect", "passed"},
		{"And nothing that must stay inside is shown", "passed"},
		{"And the provider is asked within bounds", "passed"},
	}, o.Steps)
	assert.Equal(t, 1, o.Tries)
}

func TestAFailingStepLeavesTheFindingsWhole(t *testing.T) {
	out := play(t, Suite{Features: features.FS, Session: &fakeStage{observe: func(int, contract.Case) (contract.Observation, error) {
		return observation(503, `{"error":{"message":"","type":"t","param":null,"code":"x"}}`), nil
	}}}, absentModel)
	o := out[absentModel]
	assert.Equal(t, contract.Fail, o.Verdict)
	assert.Len(t, o.Findings, 3, "status, message and code: all of them, not only the first step's")
	assert.Equal(t, []string{"passed", "passed", "failed", "skipped", "skipped", "skipped", "skipped"}, statuses(o))
	assert.Equal(t, "And the provider is asked within bounds", o.Steps[6].Text)
}

func statuses(o Outcome) []string {
	var s []string
	for _, step := range o.Steps {
		s = append(s, step.Status)
	}
	return s
}

func TestFaultsOfTheHarnessAreNoEvidence(t *testing.T) {
	const fine = `Feature: f
  Rule: r
    Scenario Outline: <case>
      Given the circumstance "absent-model": a model name that does not exist
      When a caller asks on "<surface>"
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
		{"a surface that is not the name's", change("| chat |", "| messages |"), notFound, "the scenario is named code:model_not_found/absent-model/chat and plays code:model_not_found/absent-model/messages"},
		{"no When", change("      When a caller asks on \"<surface>\"\n", ""), notFound, "was not played to its judgement"},
		{"a stage that cannot", fine, func(int, contract.Case) (contract.Observation, error) { return contract.Observation{}, boom }, "boom"},
		{"a gateway that cannot be reached", fine, func(int, contract.Case) (contract.Observation, error) {
			o := observation(0, "")
			o.Failure = &contract.Failure{Kind: contract.Unreachable, Detail: "connection refused"}
			return o, nil
		}, "http://gateway.test cannot be reached: connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := fstest.MapFS{"f.feature": {Data: []byte(tt.feature)}}
			o := play(t, Suite{Features: fs, Session: &fakeStage{observe: tt.observe}}, absentModel)[absentModel]
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
	s := Suite{Features: fstest.MapFS{"f.feature": {Data: []byte("no feature at all")}}, Session: &fakeStage{}, Selected: map[string]bool{"x": true}, Sink: func(Outcome) {}}
	require.ErrorIs(t, s.Run(t.Context()), ErrFeatures)
}

func TestACaseThatNeverReachedTheProviderRunsOnceMoreWhenTheGatewayWasNotWell(t *testing.T) {
	const relayed = "code:bad_response/bad-upstream-response/chat/html"
	good := observation(502, `{"error":{"message":"m","type":"t","param":null,"code":"bad_response"}}`)
	good.Upstream = &contract.Seen{Attempts: []contract.Attempt{{Status: 200}}}
	unasked := observation(503, "breaker open")
	unasked.Upstream = &contract.Seen{}
	answer := func(try int, _ contract.Case) (contract.Observation, error) {
		if try == 1 {
			return unasked, nil
		}
		return good, nil
	}
	for _, tt := range []struct {
		name    string
		observe func(int, contract.Case) (contract.Observation, error)
		recover func() (time.Duration, error)
		verdict contract.Verdict
		tries   int
		note    string
	}{
		{"the gateway was not well and got well", answer, func() (time.Duration, error) { return time.Second, nil }, contract.Pass, 2, "was well again after 1s"},
		{"the gateway was well all along", answer, func() (time.Duration, error) { return 0, nil }, contract.Untestable, 1, ""},
		{"the gateway did not get well", answer, func() (time.Duration, error) { return 0, errors.New("still down") }, contract.Untestable, 1, "still down"},
		{"it happens again", func(int, contract.Case) (contract.Observation, error) { return unasked, nil }, func() (time.Duration, error) { return time.Second, nil }, contract.Untestable, 2, "was run again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := play(t, Suite{Features: features.FS, Session: &fakeStage{observe: tt.observe, recover: tt.recover}}, relayed)[relayed]
			assert.Equal(t, tt.verdict, o.Verdict, o.Reason)
			assert.Equal(t, tt.tries, o.Tries)
			if tt.note == "" {
				assert.Empty(t, o.Notes)
			} else {
				require.NotEmpty(t, o.Notes)
				assert.Contains(t, o.Notes[0], tt.note)
			}
		})
	}
}

func TestAForeign429IsNotBelievedAtOnce(t *testing.T) {
	o := play(t, Suite{Features: features.FS, Session: &fakeStage{observe: func(try int, c contract.Case) (contract.Observation, error) {
		if try == 1 {
			return observation(429, `{}`), nil
		}
		return notFound(try, c)
	}}}, absentModel)[absentModel]
	assert.Equal(t, contract.Pass, o.Verdict)
	assert.Equal(t, 2, o.Tries)
}

func TestACancelledRunTellsOnlyWhatWasJudged(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var outcomes []Outcome
	s := Suite{
		Features: features.FS, Concurrency: 1, Selected: map[string]bool{},
		Session: &fakeStage{observe: func(try int, c contract.Case) (contract.Observation, error) {
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
	assert.Equal(t, contract.Pass, outcomes[0].Verdict)
}
