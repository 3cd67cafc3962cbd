package gatecert_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/gatecerttest"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/store"
	"github.com/gatecert/gatecert/targets/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served serves a reference gateway behind a middleware, and returns the profile to run against it.
func served(t *testing.T, middleware func(http.Handler) http.Handler) profile.Profile {
	t.Helper()
	listen := freeport.Address(t)
	gateway, err := reference.New(t.Context(), reference.Options{Upstream: "http://" + listen})
	require.NoError(t, err)
	server := httptest.NewServer(middleware(gateway))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	return gateway.Profile(server.URL, listen)
}

// startUpstream starts the mock upstream of a gateway for runs whose profile has none.
func startUpstream(t *testing.T, p profile.Profile) (stop func(), err error) {
	t.Helper()
	server, err := upstream.Listen(t.Context(), p.Upstream.Listen, upstream.New(upstream.Options{Keys: p.Upstream.Keys}))
	if err != nil {
		return nil, err
	}
	return func() { assert.NoError(t, server.Close()) }, nil
}

// certify runs a configuration; one without a target is that of the built-in reference gateway.
func certify(ctx context.Context, cfg gatecert.Config) (runlog.Run, error) {
	if cfg.Driver == nil && cfg.Target.BaseURL == "" && cfg.Target.Driver == "" {
		cfg.Driver = reference.Driver{}
	}
	cfg.OpenStore, cfg.AllowActions = store.Open, true
	certification, err := gatecert.New(cfg)
	if err != nil {
		return runlog.Run{}, err
	}
	return certification.Run(ctx)
}

func run(t *testing.T, cfg gatecert.Config) runlog.Run {
	t.Helper()
	result, err := certify(t.Context(), cfg)
	require.NoError(t, err)
	require.True(t, result.Complete(), result.Incomplete())
	return result
}

// failures explains every case that did not pass, for a test's message.
func failures(r runlog.Run) string {
	var lines []string
	for _, c := range r.Cases {
		if c.Verdict == contract.Pass || c.Verdict == contract.NotOffered {
			continue
		}
		lines = append(lines, c.ID+" "+string(c.Verdict)+" "+c.Reason)
		for _, f := range c.Findings {
			lines = append(lines, "  "+f.String())
		}
	}
	return strings.Join(lines, "\n")
}

// casesWithoutLoad counts the cases of the contract that are not load cases.
func casesWithoutLoad() int { return len(slices.DeleteFunc(contract.Cases(), contract.Case.IsLoad)) }

func TestTheReferenceGatewayKeepsTheContractOnSevenEndpoints(t *testing.T) {
	t.Parallel()
	keepsTheContract(t, "chat", "responses-stream", "speech", "transcriptions", "models", "messages-stream", "gemini")
}

// keepsTheContract runs the whole contract on some surfaces, or on all.
func keepsTheContract(t *testing.T, surfaces ...string) {
	t.Helper()
	var log bytes.Buffer
	var phases []string
	r := run(t, gatecert.Config{Log: &log, Surfaces: surfaces, Progress: func(p gatecert.Progress) {
		if !slices.Contains(phases, p.Phase) {
			phases = append(phases, p.Phase)
		}
	}})
	assert.Equal(t, contract.Pass, r.Verdict(), failures(r))
	want := slices.DeleteFunc(contract.Cases(), func(c contract.Case) bool {
		return c.IsLoad() || len(surfaces) > 0 && !slices.Contains(surfaces, string(c.Surface))
	})
	assert.Len(t, r.Cases, len(want), "every case of the contract ran, except load cases")
	assert.Equal(t, []string{gatecert.PhasePrepare, gatecert.PhaseControls, gatecert.PhaseConcurrent, gatecert.PhaseExclusive, gatecert.PhaseDone}, phases)

	again, err := runlog.Read(&log)
	require.NoError(t, err)
	assert.Equal(t, r, again, "the run is what its log says")
	circumstances := map[string]bool{}
	for _, c := range r.Cases {
		circumstances[c.Circumstance] = true
		require.NotNil(t, c.Scenario, c.ID)
		for _, s := range c.Scenario.Steps {
			if c.Observation.Stream != nil && strings.HasPrefix(s.Text, "Then the status is ") {
				assert.Equal(t, runlog.StepUntested, s.Status, "%s: a stream that has begun has sent its status", c.ID)
				continue
			}
			assert.Equal(t, runlog.StepPassed, s.Status, "%s: %s", c.ID, s.Text)
		}
	}
	assert.Len(t, circumstances, 37)
	for _, c := range r.Controls {
		assert.True(t, c.OK, "%s %s %s: %s", c.Phase, c.Surface, c.Kind, c.Detail)
	}
}

func TestNoKeyIsInTheLog(t *testing.T) {
	t.Parallel()
	profile := served(t, func(g http.Handler) http.Handler { return g })
	var log bytes.Buffer
	run(t, gatecert.Config{Target: profile, Log: &log, Rows: []string{"http:40*"}, Surfaces: []string{"chat", "gemini"}, Command: []string{"gatecert", "--key", profile.Keys.Valid}})
	for _, secret := range profile.Secrets() {
		if secret.What != "upstream address" {
			assert.NotContains(t, log.String(), secret.Value, secret.What)
		}
	}
	assert.Contains(t, log.String(), `"--key","[caller key]"`)
}

func TestABareURLIsCertifiedAtEdgeAndClaimsNoMore(t *testing.T) {
	t.Parallel()
	target := served(t, func(g http.Handler) http.Handler { return g })
	// The gateway needs an upstream, but the profile of the run has none.
	stop, err := startUpstream(t, target)
	require.NoError(t, err)
	defer stop()
	r := run(t, gatecert.Config{Target: profile.FromURL(target.BaseURL, target.Keys.Valid, target.Models.Default), Level: contract.Edge})
	for _, c := range r.Cases {
		assert.Equal(t, contract.Edge, c.Level, c.ID)
		if c.Variant == "oversize" {
			assert.Equal(t, contract.NotOffered, c.Verdict, "nobody declared a limit")
			continue
		}
		assert.Equal(t, contract.Pass, c.Verdict, failures(r))
	}
	m := reports.NewMatrix(r)
	for _, row := range m.Rows {
		if row.ID == "http:403" || row.ID == "code:empty_response" {
			assert.Empty(t, row.Cells[0].Cases, "%s is not claimed", row.ID)
		}
	}
}

func TestSelectionsThatCannotBeRun(t *testing.T) {
	target := served(t, func(g http.Handler) http.Handler { return g })
	edge := profile.FromURL(target.BaseURL, target.Keys.Valid, target.Models.Default)
	mistyped := target
	mistyped.Limits.Rate.Key += "x"
	for _, tt := range []struct {
		name string
		cfg  gatecert.Config
		want error
		text string
	}{
		{"a row that does not exist", gatecert.Config{Target: target, Rows: []string{"nosuch"}}, gatecert.ErrUsage, `no row matches "nosuch"`},
		{"a surface that does not exist", gatecert.Config{Target: target, Surfaces: []string{"telegraph"}}, gatecert.ErrUsage, `no endpoint "telegraph"`},
		{"a level that does not exist", gatecert.Config{Target: target, Level: "gold"}, gatecert.ErrUsage, `no level "gold"`},
		{"a broken pattern", gatecert.Config{Target: target, Rows: []string{"["}}, gatecert.ErrUsage, `"[" is not a pattern`},
		{"a driver that does not exist", gatecert.Config{Target: profile.Profile{Driver: "magic"}}, gatecert.ErrUsage, `driver "magic": set Config.Driver`},
		{"a limited key that the gateway does not know", gatecert.Config{Target: mistyped, Rows: []string{"http:429"}, Surfaces: []string{"chat"}}, gatecert.ErrUsage,
			"limits.rate.key: a healthy call on chat returned 401"},
		{"nothing left at this level", gatecert.Config{Target: target, Level: contract.Edge, Rows: []string{"http:429"}, Surfaces: []string{"chat"}}, gatecert.ErrNothingToRun, "the selected cases need level full, but this run is at level edge"},
		{"nothing offered", gatecert.Config{Target: with(edge, func(p *profile.Profile) { p.Surfaces, p.Discover = []dialect.Surface{"chat"}, false }), Rows: []string{"code:empty_response"}}, gatecert.ErrNothingToRun, "the target offers none"},
		{"a dead port", gatecert.Config{Target: profile.FromURL("http://127.0.0.1:1", "sk-x", "m"), Level: contract.Edge}, gatecert.ErrUnreachable, "http://127.0.0.1:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stop, err := startUpstream(t, target)
			require.NoError(t, err)
			defer stop()
			target := tt.cfg
			target.Target.Upstream = profile.Upstream{}
			_, err = certify(t.Context(), target)
			require.ErrorIs(t, err, tt.want)
			assert.Contains(t, err.Error(), tt.text)
		})
	}
}

func with(p profile.Profile, change func(*profile.Profile)) profile.Profile {
	change(&p)
	return p
}

func TestAnInterruptedRunIsMarked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := certify(ctx, gatecert.Config{Progress: func(p gatecert.Progress) {
		if p.Done > 20 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.NotNil(t, r.Footer)
	assert.True(t, r.Footer.Interrupted)
	assert.False(t, r.Complete())
	assert.Equal(t, contract.Error, r.Verdict())
	assert.Greater(t, len(r.Cases), 20)
	assert.Less(t, len(r.Cases), casesWithoutLoad())
	assert.Len(t, r.Footer.Missing, casesWithoutLoad()-len(r.Cases))
	for _, c := range r.Cases {
		assert.Equal(t, contract.Pass, c.Verdict, "%s: what was cut short is missing, not failed: %s", c.ID, c.Reason)
	}
}

func TestNothingIsJudgedOnASurfaceThatIsNotHealthy(t *testing.T) {
	profile := served(t, func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/messages") {
				http.Error(w, "out of order", http.StatusTeapot)
				return
			}
			g.ServeHTTP(w, r)
		})
	})
	r := run(t, gatecert.Config{Target: profile, Rows: []string{"http:404"}, Surfaces: []string{"chat", "messages"}})
	assert.Equal(t, contract.Error, r.Verdict())
	for _, c := range r.Cases {
		if c.Surface == dialect.Messages {
			assert.Equal(t, contract.Error, c.Verdict)
			assert.Equal(t, `control failed: the healthy call on messages: 418 with "out of order\n"`, c.Reason)
		} else {
			assert.Equal(t, contract.Pass, c.Verdict, c.Reason)
		}
	}
}

// A gateway that is broken after the run may have been broken before: nothing on that surface counts.
func TestNothingCountsOnASurfaceThatIsNotHealthyAfterTheRun(t *testing.T) {
	var calls atomic.Int64
	profile := served(t, func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1) > 4 { // two controls, the healthy call before the one case, and that case
				http.Error(w, "worn out", http.StatusServiceUnavailable)
				return
			}
			g.ServeHTTP(w, r)
		})
	})
	profile.Settle.Recovery = time.Millisecond
	r := run(t, gatecert.Config{Target: profile, Rows: []string{"code:model_not_found"}, Surfaces: []string{"chat"}})
	require.Len(t, r.Cases, 1)
	assert.Equal(t, contract.Warn, r.Cases[0].Verdict, r.Cases[0].Reason)
	require.Len(t, r.Cases[0].Findings, 1)
	assert.Equal(t, contract.NoCollateral, r.Cases[0].Findings[0].Requirement, "the gateway served others until the case, and none after it")
	assert.Equal(t, contract.Error, r.Verdict())
	require.NotEmpty(t, r.Footer.Notes)
	assert.Contains(t, r.Footer.Notes[0], "chat was not healthy after the run (503")
}

func TestNothingIsJudgedOnAGatewayThatAnswersEverything(t *testing.T) {
	profile := served(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"choices":[{"message":{"content":"yes"}}]}`))
		})
	})
	r, err := certify(t.Context(), gatecert.Config{Target: profile, Rows: []string{"http:401"}, Surfaces: []string{"chat"}})
	require.ErrorIs(t, err, gatecert.ErrInconclusive)
	require.ErrorContains(t, err, "accepts requests for a model that does not exist")
	assert.Empty(t, r.Cases)
}

func TestEmbeddingInAGoTest(t *testing.T) {
	r := gatecerttest.Test(t, gatecert.Config{Driver: reference.Driver{}, Rows: []string{"code:model_not_found"}, Surfaces: []string{"chat", "messages-stream"}})
	assert.Len(t, r.Cases, 2)
}
