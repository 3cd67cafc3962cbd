package outage_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// prepare prepares a reference gateway that gives up soon.
func prepare(t *testing.T) (targets.Prepared, *load.Engine) {
	t.Helper()
	p, err := reference.Driver{Options: reference.Options{Timeout: 600 * time.Millisecond}}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	engine := load.NewEngine(load.Options{Secrets: p.Profile.Secrets()})
	t.Cleanup(func() {
		engine.Close()
		require.NoError(t, p.Close(context.WithoutCancel(t.Context())))
	})
	return p, engine
}

// short makes the phases as short as they can be without meaning nothing.
func short(e outage.Experiment) outage.Experiment {
	e.Rate, e.Before, e.Outage, e.After = 20, 300*time.Millisecond, 500*time.Millisecond, 200*time.Millisecond
	return e
}

func TestThePartsOfAnExperiment(t *testing.T) {
	p, engine := prepare(t)
	names := func(e outage.Experiment) (healthy, sick, due, leaving []string) {
		for _, part := range e.Healthy {
			healthy = append(healthy, part.Name)
		}
		for _, w := range e.Sick {
			sick, due = append(sick, w.Name), append(due, w.Expect.ID())
		}
		for _, part := range e.Leaving {
			leaving = append(leaving, part.Name)
			require.Zero(t, part.Expect)
		}
		return healthy, sick, due, leaving
	}
	slow, err := runner.Slow(p, dialect.Messages)
	require.NoError(t, err)
	healthy, sick, due, leaving := names(slow)
	assert.Equal(t, []string{"healthy", "healthy stream"}, healthy)
	assert.Equal(t, []string{"hanging", "stalled", "hanging stream", "stalled stream"}, sick)
	assert.Equal(t, []string{
		"code:channel:response_time_exceeded/slow-upstream/messages/no-answer", "code:channel:response_time_exceeded/slow-upstream/messages/stalled-answer",
		"code:channel:response_time_exceeded/slow-upstream/messages-stream/no-answer", "code:channel:response_time_exceeded/slow-upstream/messages-stream/stalled-answer",
	}, due)
	assert.Equal(t, []string{"leaving hanging", "leaving stalled", "leaving hanging stream", "leaving stalled stream"}, leaving)

	failing, err := runner.Failing(p, dialect.Chat)
	require.NoError(t, err)
	_, sick, due, leaving = names(failing)
	assert.Equal(t, []string{"failing", "reset", "failing stream", "reset stream", "broken off stream"}, sick)
	assert.Equal(t, []string{
		"http:5xx/upstream-error/chat/error-object", "http:5xx/upstream-error/chat/error-object",
		"http:5xx/upstream-error/chat-stream/error-object", "http:5xx/upstream-error/chat-stream/error-object", "http:5xx/upstream-error/chat-stream/mid-stream",
	}, due)
	assert.Empty(t, leaving)

	plan, err := slow.Plan(engine)
	require.NoError(t, err)
	assert.InDelta(t, 41.25, plan.Rate, 0.001, "30 and a quarter more, and a tenth of that straight to the provider")
	assert.Equal(t, 59, plan.Connections, "27 sick calls at once, and 32 for the others")
	assert.True(t, plan.Loopback())
	assert.Equal(t, uint64(2*(4*62+31+16+142+62+8+75*9)), plan.Requests)

	usual, err := slow.Usual(engine)
	require.NoError(t, err)
	assert.Equal(t, uint64(62+142+62+8), usual.Requests, "one round")
	assert.InDelta(t, 7367*time.Millisecond, usual.Duration, float64(time.Millisecond), "1.5 s, 3.5 s, 1.5 s, eight departures at 30 a second, and the limit of 600 ms")
	assert.Equal(t, plan.Hosts, usual.Hosts)
}

func TestSickCallsFitTheConnectionsThatThereAre(t *testing.T) {
	p, _ := prepare(t)
	engine := load.NewEngine(load.Options{Caps: load.Caps{Connections: 32}})
	defer engine.Close()
	e, err := runner.Slow(p, dialect.Chat)
	require.NoError(t, err)
	plan, err := e.Plan(engine)
	require.NoError(t, err)
	assert.Equal(t, 32, plan.Connections)
	assert.Equal(t, uint64(2*(4*62+31+16+86+62+8+75*9)), plan.Requests, "16 sick calls and 70 others in the outage")
}

func TestWhatAProfileDoesNotOffer(t *testing.T) {
	p, _ := prepare(t)
	alone := p
	alone.Profile.Surfaces = []dialect.Surface{dialect.Chat}
	e, err := runner.Failing(alone, dialect.Chat)
	require.NoError(t, err)
	assert.Len(t, e.Healthy, 1)
	assert.Len(t, e.Sick, 2)
	_, err = runner.Slow(alone, dialect.Messages)
	require.ErrorIs(t, err, profile.ErrNotOffered)

	strange := p
	strange.Profile.Upstream = profile.Upstream{}
	_, err = runner.Slow(strange, dialect.Chat)
	require.ErrorIs(t, err, profile.ErrNotOffered)
	strange.Profile.Circumstances = map[string]profile.Recipe{"slow-upstream": {Before: []profile.Action{{Run: "true"}}}}
	_, err = runner.Slow(strange, dialect.Chat)
	require.ErrorIs(t, err, profile.ErrNotOffered)
	require.ErrorContains(t, err, "changes what healthy calls meet")
}

func TestExperimentsThatShowNothing(t *testing.T) {
	p, engine := prepare(t)
	made, err := runner.Failing(p, dialect.Chat)
	require.NoError(t, err)
	verify := func(change func(*outage.Experiment)) error {
		e := short(made)
		e.Healthy, e.Sick = append([]load.Request(nil), e.Healthy...), append([]outage.Way(nil), e.Sick...)
		change(&e)
		findings, _, err := outage.Verify(t.Context(), engine, e)
		assert.Empty(t, findings)
		return err
	}
	err = verify(func(e *outage.Experiment) { e.Sick = nil })
	require.ErrorIs(t, err, outage.ErrExperiment)
	_, err = outage.Experiment{}.Plan(engine)
	require.ErrorIs(t, err, outage.ErrExperiment)
	_, err = outage.Experiment{}.Usual(engine)
	require.ErrorIs(t, err, outage.ErrExperiment)
	err = verify(func(e *outage.Experiment) { e.Before = -1 })
	require.ErrorIs(t, err, outage.ErrExperiment)
	err = verify(func(e *outage.Experiment) { e.Rate = 10_000 })
	require.ErrorIs(t, err, load.ErrCap)

	err = verify(func(e *outage.Experiment) { e.Healthy[0].Call.Key = "sk-never-issued" })
	require.ErrorIs(t, err, outage.ErrUnwell)
	require.ErrorContains(t, err, "failed: 2 with 401 (error-4xx)")

	err = verify(func(e *outage.Experiment) {
		for i := range e.Sick {
			e.Sick[i].Call.Key = "sk-never-issued"
		}
	})
	require.ErrorIs(t, err, outage.ErrUnreached)
	require.ErrorContains(t, err, "with 401 (error-4xx)")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = outage.Verify(ctx, engine, short(made))
	require.ErrorIs(t, err, context.Canceled)
}

func TestAProviderThatIsNotOurs(t *testing.T) {
	p, engine := prepare(t)
	p.Upstream = nil
	p.Profile.Limits.Timeout = 0
	e, err := runner.Slow(p, dialect.Chat)
	require.NoError(t, err)
	findings, evidence, err := outage.Verify(t.Context(), engine, short(e))
	require.NoError(t, err)
	assert.Empty(t, findings)
	results := map[contract.Requirement]runlog.Result{}
	for _, c := range evidence.Checks {
		results[c.Requirement] = c.Result
	}
	assert.Equal(t, map[contract.Requirement]runlog.Result{
		contract.Answered: runlog.Held, contract.InTime: runlog.Untested, contract.HealthyServed: runlog.Held, contract.HealthySpared: runlog.Held,
		contract.RetriesBounded: runlog.Untested, contract.UpstreamFreed: runlog.Untested, contract.Departure: runlog.Untested,
		contract.NothingLeft: runlog.Untested, contract.Recovery: runlog.Held,
	}, results)
	var phases []string
	for _, phase := range evidence.Account().Phases {
		phases = append(phases, phase.Name)
		assert.Less(t, phase.From, phase.To)
	}
	assert.Equal(t, []string{"before", "outage", "waiting", "after"}, phases)
}
