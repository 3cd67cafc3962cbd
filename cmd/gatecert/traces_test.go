//go:build !race

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// TestOneTraceACase: the ids at the collector, in the log, at the upstream and in the reports are the same.
func TestOneTraceACase(t *testing.T) {
	var mu sync.Mutex
	names := make(map[string]map[string]string) // by trace and span
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var request struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []struct{ TraceID, SpanID, Name string }
				}
			}
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&request))
		mu.Lock()
		defer mu.Unlock()
		for _, of := range request.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					if names[s.TraceID] == nil {
						names[s.TraceID] = make(map[string]string)
					}
					names[s.TraceID][s.SpanID] = s.Name
				}
			}
		}
	}))
	defer collector.Close()
	gateway, out := serveFaultyGateway(t), t.TempDir()
	_, _, stderr := invoke(t.Context(), "run", "--target", gateway.profile, "--rows", "code:model_not_found,code:bad_response", "--surfaces", "chat,messages",
		"--out", out, "--otlp", collector.URL, "--trace-url", "https://traces.example/t/{trace_id}?a=b&c=\"d\"")
	assert.NotContains(t, stderr, "not all spans")
	log, err := os.Open(filepath.Join(out, "run.ndjson"))
	require.NoError(t, err)
	defer log.Close()
	run, err := runlog.Read(log)
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	failed, upstream := "", 0
	for _, c := range run.Cases {
		require.NotNil(t, c.Observation, c.ID)
		own, ok := c.Observation.Sent.Trace()
		require.True(t, ok, c.ID)
		assert.True(t, own.Sampled, "--otlp asks for the gateway's spans too")
		spans := names[own.TraceID]
		assert.Equal(t, "POST "+string(c.Surface), spans[own.SpanID], c.ID)
		assert.Len(t, spans, 2+len(c.Observation.Upstream.Attempts), c.ID)
		for _, a := range c.Observation.Upstream.Attempts {
			came, ok := contract.ParseTraceParent(a.TraceParent)
			assert.True(t, ok)
			assert.Equal(t, own.TraceID, came.TraceID)
			upstream++
		}
		if c.Verdict == contract.Fail {
			failed = own.TraceID
		}
	}
	assert.Len(t, names, len(run.Cases), "one trace a case")
	assert.Positive(t, upstream)
	require.NotEmpty(t, failed)
	assert.Contains(t, run.Footer.Notes, "The gateway propagates traces: every upstream request carried the caller's traceparent")

	link := "https://traces.example/t/" + failed + "?a=b&c=%22d%22"
	junit := fileText(t, filepath.Join(out, "junit.xml"))
	assert.Contains(t, junit, "trace: "+failed+", X-Request-Id gatecert-")
	assert.Contains(t, junit, "https://traces.example/t/"+failed+"?a=b&amp;c=%22d%22")
	var report struct {
		Cases []struct {
			Trace struct{ ID, Request, URL string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(fileText(t, filepath.Join(out, "report.json"))), &report))
	for _, c := range report.Cases {
		assert.Contains(t, names, c.Trace.ID)
		if c.Trace.ID == failed {
			assert.Equal(t, link, c.Trace.URL)
		}
	}
	assert.Contains(t, fileText(t, filepath.Join(out, "report.html")), `"trace":{"id":"`+failed)
}

func TestTracesNeedAnAddress(t *testing.T) {
	for _, flags := range [][]string{{"--otlp", "127.0.0.1:4317"}, {"--trace-url", "https://traces.example/"}, {"--trace-url", "javascript:{trace_id}"}} {
		code, _, stderr := invoke(t.Context(), append([]string{"run", "--rows", "http:404", "--out", t.TempDir()}, flags...)...)
		assert.Equal(t, exitUsage, code, stderr)
	}
}
