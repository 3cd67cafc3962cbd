//go:build !race

// These judge load on the real clock, and are inconclusive where the machine is too busy to send it in time: make test-clock.
// race_test.go plays the same for the race detector.

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadCapacityOfTheReferenceGateway(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "capacity", "--from", "10", "--to", "40", "--latency", "20s",
		"--short", "100ms", "--full", "200ms", "--repeats", "2", "--rounds", "5", "--out", dir)
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `plan: at most \d+ requests at up to 50/s for [\d.ms]+, over 64 connections, to 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+`, stderr)
	assert.Contains(t, stderr, "      10/s for 100ms")
	assert.Contains(t, stdout, "capacity  at least 40/s (the highest rate allowed) with constant arrivals\n")
	assert.Contains(t, stdout, "SLO       p99 latency <= 20s, errors <= 0.1 %\n")
	assert.Contains(t, stdout, "verdict   pass\n")
	assert.Contains(t, stdout, "  requests/s\n", "the plot")
	assert.Contains(t, stdout, "compare   upstream (A) and gateway (B), at 50 requests/s with constant arrivals in 5 interleaved rounds of 200ms")
	for _, name := range []string{"run.ndjson", "report.html", "compare.json", "results.json", "service-time.hgrm", "latency.hgrm", "metrics.txt"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotEmpty(t, content)
		assert.NotContains(t, string(content), "sk-", "no key is in an export")
	}
	metrics, err := os.ReadFile(filepath.Join(dir, "metrics.txt"))
	require.NoError(t, err)
	assert.Contains(t, string(metrics), `gatecert_load_requests{target="reference",outcome="admitted"} 8`, "40/s for 200 ms")
}

// A gateway that adds 100 ms to another: it is found, in both directions of the bound, and written for programs.
func TestLoadCompareOfTwoGateways(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(healthyChat))
	}
	fast := gatewayAfter(t, 0, answer)
	slow := gatewayAfter(t, 0, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond)
		answer(w, r)
	})
	dir := t.TempDir()
	compare := func(bounds string) (code int, stdout, stderr string) {
		return invoke(t.Context(), "load", "compare", fast, slow, "--key", "sk-test-0123456789", "--model", "m", "--rounds", "5", "--rate", "40",
			"--duration", "200ms", "--arrivals", "poisson", "--out", dir, "--max-added", bounds)
	}
	code, stdout, stderr := compare("p50=10s,errors=50%")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `compare   A \(A\) and B \(B\), at 40 requests/s with poisson arrivals in 5 interleaved rounds of 200ms\n`, stdout)
	assert.Regexp(t, `service\.p50 .* differs`, stdout)
	assert.Contains(t, stdout, "at most   service.p50=10s: met\n")
	content, err := os.ReadFile(filepath.Join(dir, "compare.json"))
	require.NoError(t, err)
	assert.Contains(t, string(content), `"schema": "gatecert.compare/1"`)
	assert.NotContains(t, string(content)+stdout+stderr, "sk-test")

	code, stdout, _ = compare("p50=1ms")
	assert.Equal(t, exitNotConformant, code)
	assert.Contains(t, stdout, "at most   service.p50=1ms: EXCEEDED\n")
	code, _, stderr = compare("p51=1ms")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "specify a metric and the largest increase allowed for B")
}

func TestLoadSoakOfAStream(t *testing.T) {
	code, stdout, stderr := invoke(t.Context(), "load", "soak", "--rate", "20", "--for", "1s", "--surface", "messages-stream", "--out", t.TempDir())
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "soak      20/s for 1s: sent 20 of 20 requests, 20 admitted, 0 % errors\n")
	assert.Contains(t, stdout, "verdict   pass\n")
}

func TestLoadFailsAGatewayThatBreaksTheContractUnderLoad(t *testing.T) {
	url := gatewayAfter(t, 10, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	code, stdout, stderr := invoke(t.Context(), "load", "soak", url, "--key", "sk-test-0123456789", "--model", "m", "--rate", "40", "--for", "1s", "--out", t.TempDir())
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "verdict   fail\n")
	assert.Contains(t, stdout, "MUST envelope: got empty")
	assert.Contains(t, stdout, "(32 responses)")
	assert.NotContains(t, stdout+stderr, "sk-test")
}

// cancelling cancels when a text is written to it.
type cancelling struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (c *cancelling) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestLoadInterruptedStillReports(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	errs := &cancelling{text: "soak:", cancel: cancel}
	dir := t.TempDir()
	code := execute(ctx, []string{"load", "soak", "--for", "10m", "--rate", "20", "--out", dir}, &console{out: &out, err: errs, width: 100})
	assert.Equal(t, exitIncomplete, code, errs.String())
	assert.Regexp(t, `soak      20/s for 10m, stopped after [\d.]+m?s: sent \d+ of \d+ requests`, out.String())
	assert.Contains(t, out.String(), "verdict   pass (stopped early)\n")
	assert.FileExists(t, filepath.Join(dir, "metrics.txt"))
}

func TestADeclaredRateLimitIsVerified(t *testing.T) {
	profile, dir := serveGateway(t, "--limiter", "fixed-window", "--rate", "5", "--window", "1s"), t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "rate-limit", "--target", profile, "--out", dir)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `plan: load cases on http://127.0.0.1:\d+: on chat, at most \d+ calls, in at most [\dms]+, to verify a limit of 5 calls in 1s\n`, stderr)
	assert.Contains(t, stdout, "fixed-window of 5 in 1s")
	assert.Contains(t, stdout, "held     limit-exact")
	assert.Contains(t, stdout, "held     key-isolation")
	assert.Contains(t, stdout, "responses/s   + admitted   - refused", "the course is drawn")
	assert.Contains(t, stdout, "PASS: 1 of 1 selected case passes (http:429, level full).")
	assertLogHolds(t, dir, "http:429/over-rate-limit/chat/under-load")
}

func TestAnOutageIsPlayed(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "timeout", "--surface", "messages", "--out", dir)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `plan: load cases on http://127.0.0.1:\d+: on messages, usually \d+ requests in about`, stderr)
	assert.Contains(t, stdout, "held     in-time")
	assert.Contains(t, stdout, "held     healthy-served")
	assert.Contains(t, stdout, "PASS: 2 of 2 selected cases pass (http:5xx, code:channel:response_time_exceeded, level full).")
	assertLogHolds(t, dir, "http:5xx/upstream-error/messages/under-load", "code:channel:response_time_exceeded/slow-upstream/messages/under-load")
}

// assertLogHolds checks that a folder has the log of a complete run of exactly these cases, with a load summary each.
func assertLogHolds(t *testing.T, dir string, ids ...string) {
	t.Helper()
	run, err := readLog(dir)
	require.NoError(t, err)
	assert.True(t, run.Complete(), run.Incomplete())
	var got []string
	for _, c := range run.Cases {
		got = append(got, c.ID)
		if assert.NotNil(t, c.Load, c.ID) {
			assert.NotEmpty(t, c.Load.Spans, c.ID)
		}
	}
	assert.Equal(t, ids, got)
	assert.FileExists(t, filepath.Join(dir, "report.html"))
	assert.FileExists(t, filepath.Join(dir, "junit.xml"))
}
