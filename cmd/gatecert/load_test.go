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
	assert.Contains(t, stderr, "answers healthy calls with 500 and an empty body: the upstream of model")
	assert.Equal(t, int64(1), calls.Load(), "and nothing else was sent")
}

// 192.0.2.1 is reserved for documentation (RFC 5737). Nothing is sent there.
func TestLoadAsksBeforeItSendsMuchToOthers(t *testing.T) {
	far := []string{"http://192.0.2.1", "--key", "sk-test-0123456789", "--model", "m"}
	for _, row := range []struct {
		args []string
		want string
	}{
		{append([]string{"load", "soak", "--rate", "201"}, far...), "201 requests/s, 200/s allowed"},
		{append([]string{"load", "soak", "--for", "10m"}, far...), "10m0s, 5m0s allowed"},
		{append([]string{"load", "soak", "--connections", "65"}, far...), "65 connections, 64 allowed"},
		{append([]string{"load", "capacity", "--to", "1000"}, far...), "1000 requests/s, 200/s allowed"},
	} {
		code, _, stderr := invoke(t.Context(), row.args...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, "plan: at most ", "the plan is printed")
		assert.Contains(t, stderr, row.want)
		assert.Contains(t, stderr, "if whoever runs 192.0.2.1:80 agrees, add --yes")
	}
	code, _, stderr := invoke(t.Context(), append([]string{"load", "soak", "--rate", "200000", "--yes"}, far...)...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "200000 requests/s, 100000/s allowed", "consent does not lift the hard caps")
	assert.NotContains(t, stderr, "add --yes")
}

func TestLoadUsage(t *testing.T) {
	for sentence, args := range map[string][]string{
		"a surface that does not exist": {"load", "soak", "--surface", "smoke"},
		"no connections":                {"load", "soak", "--connections", "0"},
		"a negative rate":               {"load", "soak", "--rate=-1"},
		"from above to":                 {"load", "capacity", "--from", "20", "--to", "10"},
		"too few rounds":                {"load", "capacity", "--rounds", "3"},
		"a process that does not exist": {"load", "soak", "--pid", "2147483647"},
		"a URL without a model":         {"load", "capacity", "http://127.0.0.1:1"},
	} {
		t.Run(sentence, func(t *testing.T) {
			code, _, stderr := invoke(t.Context(), args...)
			assert.Equal(t, exitUsage, code, stderr)
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
