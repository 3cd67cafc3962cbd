package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/load"
)

func TestLoadCapacityOfTheReferenceGateway(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "capacity", "--from", "10", "--to", "40", "--latency", "20s",
		"--short", "200ms", "--full", "400ms", "--rounds", "5", "--out", dir)
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `plan: up to \d+ requests, at most 50 a second, for [\d.ms]+, on 64 connections, to 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+`, stderr)
	assert.Contains(t, stderr, "      10/s for 200ms")
	assert.Contains(t, stdout, "capacity  at least 40/s, the highest rate that was allowed\n")
	assert.Contains(t, stdout, "objective p99 within 20s, at most 0.1 % errors\n")
	assert.Contains(t, stdout, "verdict   pass\n")
	assert.Contains(t, stdout, "requests a second", "the plot")
	assert.Contains(t, stdout, "what the gateway adds to a call, at 50/s in 5 rounds by turns")
	for _, name := range []string{"shots.json", "service.hgrm", "response.hgrm", "metrics.txt"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotEmpty(t, content)
		assert.NotContains(t, string(content), "sk-", "no key is in an export")
	}
	metrics, err := os.ReadFile(filepath.Join(dir, "metrics.txt"))
	require.NoError(t, err)
	assert.Contains(t, string(metrics), `outcome="admitted"} 16`, "40/s for 400 ms")
}

func TestLoadSoakOfAStream(t *testing.T) {
	code, stdout, stderr := invoke(t.Context(), "load", "soak", "--rate", "20", "--for", "1s", "--surface", "messages-stream")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "soak      20/s for 1s: 20 of 20 sent, 20 admitted, 0 % not answered as asked\n")
	assert.Contains(t, stdout, "verdict   pass\n")
}

const healthyChat = `{"choices":[{"message":{"role":"assistant","content":"hi"}}]}`

// gatewayAfter answers the first calls as it should, and then as it is told.
func gatewayAfter(t *testing.T, healthy int64, then http.HandlerFunc) string {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > healthy {
			then(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, healthyChat)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestLoadFailsAGatewayThatBreaksTheContractUnderLoad(t *testing.T) {
	url := gatewayAfter(t, 10, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	code, stdout, stderr := invoke(t.Context(), "load", "soak", url, "--key", "sk-test-0123456789", "--model", "m", "--rate", "40", "--for", "1s")
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "verdict   fail\n")
	assert.Contains(t, stdout, "MUST envelope: got empty")
	assert.Contains(t, stdout, "(31 answers)")
	assert.NotContains(t, stdout+stderr, "sk-test")
}

func TestLoadNeedsAHealthyCallFirst(t *testing.T) {
	var calls atomic.Int64
	url := gatewayAfter(t, 0, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	})
	code, _, stderr := invoke(t.Context(), "load", "capacity", url, "--key", "sk-test-0123456789", "--model", "m")
	assert.Equal(t, exitHarness, code)
	assert.Contains(t, stderr, "the healthy call on chat failed before any load: 500 with an empty body")
	assert.Equal(t, int64(1), calls.Load(), "and nothing else was sent")
}

// 192.0.2.1 is an address of the documentation (RFC 5737): nothing may be sent there, and nothing is.
func TestLoadAsksBeforeItSendsMuchToOthers(t *testing.T) {
	far := []string{"http://192.0.2.1", "--key", "sk-test-0123456789", "--model", "m"}
	for _, row := range []struct {
		args []string
		want string
	}{
		{append([]string{"load", "soak", "--rate", "201"}, far...), "201 requests a second, 200 allowed"},
		{append([]string{"load", "soak", "--for", "10m"}, far...), "10m0s, 5m0s allowed"},
		{append([]string{"load", "soak", "--connections", "65"}, far...), "65 connections, 64 allowed"},
		{append([]string{"load", "capacity", "--to", "1000"}, far...), "1000 requests a second, 200 allowed"},
	} {
		code, _, stderr := invoke(t.Context(), row.args...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, "plan: up to ", "the plan is told")
		assert.Contains(t, stderr, row.want)
		assert.Contains(t, stderr, "--yes sends it all the same, with the consent of whoever runs 192.0.2.1:80")
	}
	code, _, stderr := invoke(t.Context(), append([]string{"load", "soak", "--rate", "200000", "--yes"}, far...)...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "200000 requests a second, 100000 allowed", "consent has its end too")
	assert.NotContains(t, stderr, "--yes sends it")
}

func TestLoadUsage(t *testing.T) {
	for sentence, args := range map[string][]string{
		"a surface that does not exist": {"load", "soak", "--surface", "smoke"},
		"no connections":                {"load", "soak", "--connections", "0"},
		"a negative rate":               {"load", "soak", "--rate=-1"},
		"from above to":                 {"load", "capacity", "--from", "20", "--to", "10"},
		"too few rounds":                {"load", "capacity", "--rounds", "2"},
		"a process that does not exist": {"load", "soak", "--pid", "2147483647"},
		"a URL without a model":         {"load", "capacity", "http://127.0.0.1:1"},
	} {
		t.Run(sentence, func(t *testing.T) {
			code, _, stderr := invoke(t.Context(), args...)
			assert.Equal(t, exitUsage, code, stderr)
		})
	}
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
	assert.Regexp(t, `soak      20/s for 10m0s, interrupted after [\d.]+m?s: \d+ of \d+ sent`, out.String())
	assert.Contains(t, out.String(), "verdict   pass, as far as it got\n")
	assert.FileExists(t, filepath.Join(dir, "metrics.txt"))
}

func TestLoadCapacityTellsItsDoubts(t *testing.T) {
	for want, found := range map[string]load.Capacity{
		"verdict   pass\n": {},
		"verdict   pass, but not steady\nnote      it varies\n":  {Unstable: true, Notes: []string{"it varies"}},
		"verdict   pass, as far as it got\nnote      it ended\n": {Partial: true, Notes: []string{"it ended"}},
	} {
		found.Lower, found.Probes = 10, []load.Probe{{Rate: 10}}
		var out bytes.Buffer
		printCapacity(&console{out: &out, width: 100}, found)
		assert.Contains(t, out.String(), want)
	}
}

func TestPlot(t *testing.T) {
	var out bytes.Buffer
	plot(&out, 40, axes{x: "rate", y: "ms", logY: true}, []plotSeries{
		{"p50", 'o', []plotPoint{{1, 1}, {2, 1}, {4, 10}}},
		{"p99", '*', []plotPoint{{1, 10}, {2, 100}, {4, 1000}}},
	})
	assert.Equal(t, `
ms   o p50   * p99
    1000 |                            *
         |
         |
         |         *
         |
         |
         |
         |*                           o
         |
         |
         |
       1 |o        o
         +-----------------------------
          1                           4  rate
`, out.String())
	out.Reset()
	plot(&out, 40, axes{}, []plotSeries{{"a", 'o', []plotPoint{{1, 1}}}})
	assert.Empty(t, out.String(), "one point is no plot")
	plot(&out, 40, axes{}, []plotSeries{{"a", 'o', []plotPoint{{1, 0}, {1, 0}}}})
	assert.NotEmpty(t, out.String(), "points in one place are")
	out.Reset()
	plot(&out, 40, axes{x: "s", y: "answers"}, []plotSeries{{"a", '+', []plotPoint{{1, 20}, {2, 10}}}})
	assert.Contains(t, out.String(), "20 |+", "an axis that is not logarithmic")
	assert.Regexp(t, `(?m)^ +0 \|$`, out.String(), "begins at 0")
}
