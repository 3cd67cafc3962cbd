package otlp

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// collector takes what an OpenTelemetry collector takes: ExportTraceServiceRequest in JSON, and nothing it does not know.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	service string
	spans   map[string]spanJSON // by their ids
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{spans: make(map[string]spanJSON)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request exportRequest
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" || strict.Decode(&request) != nil {
			http.Error(w, "not OTLP", http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range request.ResourceSpans {
			for _, a := range of.Resource.Attributes {
				if a.Key == "service.name" {
					c.service, _ = a.Value["stringValue"].(string)
				}
			}
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					c.spans[s.SpanID] = s
				}
			}
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(c.Close)
	return c
}

const oneTrace, oneSpan = "67617465636572740123456789ab6763", "0123456789ab0001"

func oneCase() runlog.Case {
	began := time.Unix(1_800_000_000, 0).UTC()
	parent := "00-" + oneTrace + "-" + oneSpan + "-01"
	c := runlog.NewCase(contract.Case{Row: "http:5xx", Circumstance: "upstream-error", Surface: "chat"})
	c.Verdict, c.Started, c.Duration = contract.Fail, began, time.Second
	c.Findings = []contract.Finding{{Level: contract.Must, Requirement: contract.Envelope}}
	c.Observation = &contract.Observation{
		Sent:   contract.Sent{Surface: "chat", Method: "POST", URL: "http://gateway.test/v1/chat/completions", Header: map[string][]string{"Traceparent": {parent}}, At: began.Add(100 * time.Millisecond)},
		Status: 502, Timing: contract.Timing{End: 300 * time.Millisecond},
		Upstream: &contract.Seen{Attempts: []contract.Attempt{
			{Arrived: began.Add(150 * time.Millisecond), Duration: 10 * time.Millisecond, Status: 500, Path: "/v1/chat/completions", TraceParent: parent},
			{Arrived: began.Add(250 * time.Millisecond), Duration: 10 * time.Millisecond, Status: 500, TraceParent: "00-" + oneTrace + "-00f067aa0ba902b7-01"},
			{Arrived: began.Add(280 * time.Millisecond), Status: 500, TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		}},
	}
	return c
}

func TestACaseIsATraceUnderTheIdsOfItsRequest(t *testing.T) {
	c := newCollector(t)
	s, err := New(c.URL, "0.2.0", "gateway")
	require.NoError(t, err)
	s.Case(oneCase())
	s.Case(runlog.Case{}) // without a request
	require.NoError(t, s.Close(t.Context()))
	require.Len(t, c.spans, 5)
	assert.Equal(t, "gatecert", c.service)
	for _, span := range c.spans {
		assert.Equal(t, oneTrace, span.TraceID)
	}
	call := c.spans[oneSpan]
	assert.Equal(t, "POST chat", call.Name)
	assert.Equal(t, 3, call.Kind, "client")
	assert.Equal(t, "1800000000100000000", call.StartTimeUnixNano)
	assert.Equal(t, "1800000000400000000", call.EndTimeUnixNano)
	whole := c.spans[call.ParentSpanID]
	assert.Equal(t, "http:5xx/upstream-error/chat", whole.Name)
	assert.Empty(t, whole.ParentSpanID)
	assert.Equal(t, &statusJSON{Message: "envelope", Code: 2}, whole.Status)
	var parents []string
	for i := range 3 {
		span := c.spans[derived(oneTrace, "upstream "+string(rune('0'+i)))]
		assert.Equal(t, 2, span.Kind, "server")
		parents = append(parents, span.ParentSpanID)
	}
	assert.Equal(t, []string{oneSpan, "00f067aa0ba902b7", oneSpan}, parents, "the gateway's own span is the parent where it came, and a foreign trace is none")
}

func TestACollectorThatFailsIsNamedAtTheEnd(t *testing.T) {
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer failing.Close()
	s, err := New(failing.URL+"/custom", "0.2.0", "gateway")
	require.NoError(t, err)
	s.Case(oneCase())
	assert.ErrorContains(t, s.Close(t.Context()), "the collector responded with 503")
	for _, endpoint := range []string{"", "127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://"} {
		_, err := New(endpoint, "0.2.0", "gateway")
		assert.ErrorIs(t, err, ErrEndpoint, endpoint)
	}
}
