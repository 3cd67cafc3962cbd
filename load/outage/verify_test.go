package outage_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// prepare prepares a reference gateway with a short time limit.
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

// shortened has phases with just a few requests each.
func shortened(e outage.Experiment) outage.Experiment {
	e.Rate, e.Before, e.Outage, e.After = 20, 300*time.Millisecond, 500*time.Millisecond, 200*time.Millisecond
	return e
}

func TestTrafficIsKnownBeforehand(t *testing.T) {
	p, engine := prepare(t)
	e, err := runner.SlowOutage(p, dialect.Messages)
	require.NoError(t, err)

	most, err := e.MaxTraffic(engine)
	require.NoError(t, err)
	assert.InDelta(t, 200, most.Rate, 0.001, "30 at once: within half of the time that the upstream holds them")
	assert.Equal(t, 59, most.Connections, "27 faulty requests at once, and 32 for the others")
	assert.True(t, most.Loopback())
	assert.Equal(t, uint64(2*(4*62+31+16+142+62+8+2*75*9+11*30+33)), most.Requests)

	usual, err := e.UsualTraffic(engine)
	require.NoError(t, err)
	assert.Equal(t, uint64(62+142+62+8+2*30), usual.Requests, "one round")
	assert.InDelta(t, 8267*time.Millisecond, usual.Duration, float64(time.Millisecond), "twice 450 ms, 1.5 s, 3.5 s, 1.5 s, eight disconnects at 30 a second, and the time limit of 600 ms")
	assert.Equal(t, most.Hosts, usual.Hosts)
}

func TestFewConnectionsShortenTheOutage(t *testing.T) {
	p, _ := prepare(t)
	engine := load.NewEngine(load.Options{Caps: load.Caps{Connections: 32}})
	defer engine.Close()
	e, err := runner.SlowOutage(p, dialect.Chat)
	require.NoError(t, err)
	most, err := e.MaxTraffic(engine)
	require.NoError(t, err)
	assert.Equal(t, 32, most.Connections)
	assert.Equal(t, uint64(2*(4*62+31+16+86+62+8+2*75*9+11*30+33)), most.Requests, "16 faulty requests and 70 others in the outage")
}

func TestUnusableExperiments(t *testing.T) {
	p, engine := prepare(t)
	made, err := runner.FailingOutage(p, dialect.Chat)
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		change func(*outage.Experiment)
		err    error
		text   string
	}{
		{"no faulty requests", func(e *outage.Experiment) { e.Faulty = nil }, outage.ErrExperiment, "0 faulty"},
		{"a negative phase", func(e *outage.Experiment) { e.Before = -1 }, outage.ErrExperiment, "negative"},
		{"a rate beyond the caps", func(e *outage.Experiment) { e.Rate = 10_000 }, load.ErrCap, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := shortened(made)
			e.Healthy, e.Faulty = slices.Clone(e.Healthy), slices.Clone(e.Faulty)
			tt.change(&e)
			findings, _, err := outage.Verify(t.Context(), engine, e)
			require.ErrorIs(t, err, tt.err)
			require.ErrorContains(t, err, tt.text)
			assert.Empty(t, findings)
		})
	}
	t.Run("no requests at all", func(t *testing.T) {
		_, err := outage.Experiment{}.MaxTraffic(engine)
		require.ErrorIs(t, err, outage.ErrExperiment)
		_, err = outage.Experiment{}.UsualTraffic(engine)
		require.ErrorIs(t, err, outage.ErrExperiment)
	})
}

func TestWithoutTheMockUpstream(t *testing.T) {
	p, engine := prepare(t)
	p.Upstream = nil
	p.Profile.Limits.Timeout = 0
	e, err := runner.SlowOutage(p, dialect.Chat)
	require.NoError(t, err)
	findings, evidence, err := outage.Verify(t.Context(), engine, shortened(e))
	require.NoError(t, err)
	assert.Empty(t, findings)
	results := map[contract.Requirement]contract.Result{}
	for _, c := range evidence.Summary().Checks {
		results[c.Requirement] = c.Result
	}
	assert.Equal(t, map[contract.Requirement]contract.Result{
		contract.Answered: contract.Held, contract.InTime: contract.Untested, contract.HealthyServed: contract.Held, contract.HealthySpared: contract.Held,
		contract.RetriesBounded: contract.Untested, contract.UpstreamFreed: contract.Untested, contract.Departure: contract.Untested,
		contract.NothingLeft: contract.Untested, contract.CapacityKept: contract.Untested, contract.Recovery: contract.Held,
	}, results)
	var phases []string
	for _, phase := range evidence.Summary().Phases {
		phases = append(phases, phase.Name)
		assert.Less(t, phase.From, phase.To)
	}
	assert.Equal(t, []string{"before", "outage", "waiting", "after"}, phases)
}
