package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/load"
)

const healthyChat = `{"choices":[{"message":{"role":"assistant","content":"hi"}}]}`

// gatewayAfter serves a gateway that answers the first calls with a success, and then as the handler does.
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

func TestLoadNeedsAHealthyCallFirst(t *testing.T) {
	var calls atomic.Int64
	url := gatewayAfter(t, 0, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	})
	code, _, stderr := invoke(t.Context(), "load", "capacity", url, "--key", "sk-test-0123456789", "--model", "m")
	assert.Equal(t, exitHarness, code)
	assert.Contains(t, stderr, "answers valid calls with 500 and an empty body: the upstream of model")
	assert.Equal(t, int64(1), calls.Load(), "and nothing else was sent")
}

// 192.0.2.1 is reserved for documentation (RFC 5737). Nothing is sent there.
func TestLoadAsksBeforeItSendsMuchToOthers(t *testing.T) {
	far := []string{"http://192.0.2.1", "--key", "sk-test-0123456789", "--model", "m"}
	for _, row := range []struct {
		args []string
		want string
	}{
		{append([]string{"load", "soak", "--rate", "201"}, far...), "it sends 201 requests/s, but at most 200/s are allowed"},
		{append([]string{"load", "soak", "--for", "10m"}, far...), "it takes 10m, but at most 5m is allowed"},
		{append([]string{"load", "soak", "--connections", "65"}, far...), "it uses 65 connections, but at most 64 are allowed"},
		{append([]string{"load", "capacity", "--to", "1000"}, far...), "it sends 1000 requests/s, but at most 200/s are allowed"},
	} {
		code, _, stderr := invoke(t.Context(), row.args...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, "plan: at most ", "the plan is printed")
		assert.Contains(t, stderr, row.want)
		assert.Contains(t, stderr, "if the operator of 192.0.2.1:80 agrees, add --yes")
	}
	code, _, stderr := invoke(t.Context(), append([]string{"load", "soak", "--rate", "200000", "--yes"}, far...)...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "it sends 200000 requests/s, but at most 100000/s are allowed", "consent does not lift the hard caps")
	assert.NotContains(t, stderr, "add --yes")
}

// Every message says what to give instead.
func TestLoadUsage(t *testing.T) {
	for want, args := range map[string][]string{
		`there is no endpoint "smoke": to see all endpoints, run gatecert list surfaces`:                                  {"load", "soak", "--surface", "smoke"},
		"--connections 0, --timeout 30s: both must be greater than 0":                                                     {"load", "soak", "--connections", "0"},
		"--rate -1, --for 1m: both must be greater than 0":                                                                {"load", "soak", "--rate=-1"},
		"--checkpoint 0s: must be greater than 0, such as 1m":                                                             {"load", "soak", "--checkpoint", "0s"},
		"--from 20, --to 10: --to must be at least --from":                                                                {"load", "capacity", "--from", "20", "--to", "10"},
		"--from 0: must be greater than 0":                                                                                {"load", "capacity", "--from", "0"},
		"--short 5s, --full 1s: --short must be greater than 0s, and --full must be at least --short":                     {"load", "capacity", "--short", "5s", "--full", "1s"},
		"--precision 5: must be between 0.01 and 1":                                                                       {"load", "capacity", "--precision", "5"},
		"--repeats 0: must be between 1 and 100":                                                                          {"load", "capacity", "--repeats", "0"},
		"--quantile 2: must be greater than 0 and less than 1, such as 0.99":                                              {"load", "capacity", "--quantile", "2"},
		"--latency 0s: must be greater than 0s, such as 1s":                                                               {"load", "capacity", "--latency", "0s"},
		"--concurrency 4,2: must be in ascending order, such as 1,2,4,8":                                                  {"load", "capacity", "--concurrency", "4,2"},
		"--rate 0, --duration 1s: both must be greater than 0":                                                            {"load", "compare", "--rate", "0"},
		"--rounds 3: must be 0 (no comparison) or at least 5":                                                             {"load", "capacity", "--rounds", "3"},
		"--pid: invalid load configuration: process 2147483647: cannot read the memory usage: the process does not exist": {"load", "soak", "--pid", "2147483647"},
		"the process ID -1 is negative: specify the ID of the gateway process on this machine":                            {"load", "soak", "--pid=-1"},
		"model": {"load", "capacity", "http://127.0.0.1:1"},
		`"p99": specify a metric and the largest increase allowed for B, such as p99=5ms`:                              {"load", "compare", "--max-added", "p99"},
		`--arrivals: invalid load configuration: arrivals "bursty": must be constant, poisson, gamma:CV or trace:FILE`: {"load", "soak", "--arrivals", "bursty"},
		"arrivals gamma:20: the coefficient of variation must be between 0.05 and 10":                                  {"load", "soak", "--arrivals", "gamma:20"},
		"--rounds 4: must be between 5 and 1000":                                                                       {"load", "compare", "--rounds", "4"},
	} {
		t.Run(want, func(t *testing.T) {
			code, _, stderr := invoke(t.Context(), args...)
			assert.Equal(t, exitUsage, code, stderr)
			assert.Contains(t, stderr, want)
			t.Log(stderr)
		})
	}
}

func TestLoadCapacityQualifiesItsVerdict(t *testing.T) {
	for want, found := range map[string]load.Capacity{
		"verdict   pass\n": {},
		"verdict   pass (unstable)\nnote      it varies\n":            {Unstable: true, Notes: []string{"it varies"}},
		"verdict   pass (search stopped early)\nnote      it ended\n": {Partial: true, Notes: []string{"it ended"}},
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
	assert.Empty(t, out.String(), "one point makes no plot")
	plot(&out, 40, axes{}, []plotSeries{{"a", 'o', []plotPoint{{1, 0}, {1, 0}}}})
	assert.NotEmpty(t, out.String(), "two points in one place do")
	out.Reset()
	plot(&out, 40, axes{x: "s", y: "responses"}, []plotSeries{{"a", '+', []plotPoint{{1, 20}, {2, 10}}}})
	assert.Contains(t, out.String(), "20 |+", "an axis that is not logarithmic")
	assert.Regexp(t, `(?m)^ +0 \|$`, out.String(), "begins at 0")
}
