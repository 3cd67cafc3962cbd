package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// ErrEndpoint is returned for a collector that is not an http or https URL.
var ErrEndpoint = errors.New("the collector URL must be an http or https URL such as http://127.0.0.1:4318")

// exporter sends spans as OTLP over HTTP in JSON, which collectors take on the same port and path as protobuf. The SDK's own exporters link
// gRPC and protobuf: 7 MB.
type exporter struct {
	url    string
	client *http.Client

	mu     sync.Mutex
	failed error // the first one
}

// sendLimit bounds one request to the collector.
const sendLimit = 5 * time.Second

func newExporter(endpoint string) (*exporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, ErrEndpoint
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return &exporter{url: u.String(), client: &http.Client{Timeout: sendLimit}}, nil
}

// ExportSpans implements [sdk.SpanExporter].
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.send(ctx, spans)
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.failed == nil {
			e.failed = err
		}
	}
	return nil // Close returns it: the SDK would print it
}

// Shutdown implements [sdk.SpanExporter].
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func (e *exporter) failure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

func (e *exporter) send(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	body, err := json.Marshal(requestOf(spans))
	if err != nil {
		return fmt.Errorf("encode the spans: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return ErrEndpoint
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("send the spans: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16)) // a connection is kept when its answer was read
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("send the spans: the collector responded with %s", response.Status)
	}
	return nil
}

// What follows is ExportTraceServiceRequest as the JSON encoding of OTLP 1 has it: ids in hexadecimal, 64-bit numbers as strings.

type exportRequest struct {
	ResourceSpans []resourceSpans `json:"resourceSpans"`
}

type resourceSpans struct {
	Resource   resourceJSON `json:"resource"`
	ScopeSpans []scopeSpans `json:"scopeSpans"`
}

type resourceJSON struct {
	Attributes []attributeJSON `json:"attributes,omitempty"`
}

type scopeSpans struct {
	Scope scopeJSON  `json:"scope"`
	Spans []spanJSON `json:"spans"`
}

type scopeJSON struct {
	Name string `json:"name"`
}

type spanJSON struct {
	TraceID           string          `json:"traceId"`
	SpanID            string          `json:"spanId"`
	ParentSpanID      string          `json:"parentSpanId,omitempty"`
	Flags             uint32          `json:"flags"`
	Name              string          `json:"name"`
	Kind              int             `json:"kind"`
	StartTimeUnixNano string          `json:"startTimeUnixNano"`
	EndTimeUnixNano   string          `json:"endTimeUnixNano"`
	Attributes        []attributeJSON `json:"attributes,omitempty"`
	Status            *statusJSON     `json:"status,omitempty"`
}

type statusJSON struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code"`
}

type attributeJSON struct {
	Key   string         `json:"key"`
	Value map[string]any `json:"value"`
}

// statusError is STATUS_CODE_ERROR; the SDK counts otherwise.
const statusError = 2

func requestOf(spans []sdk.ReadOnlySpan) exportRequest {
	list := make([]spanJSON, 0, len(spans))
	for _, s := range spans {
		out := spanJSON{
			TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(), Flags: uint32(s.SpanContext().TraceFlags()),
			Name: s.Name(), Kind: int(s.SpanKind()), // both count from internal, 1
			StartTimeUnixNano: nanos(s.StartTime()), EndTimeUnixNano: nanos(s.EndTime()), Attributes: attributes(s.Attributes()),
		}
		if s.SpanKind() == trace.SpanKindUnspecified {
			out.Kind = int(trace.SpanKindInternal)
		}
		if s.Parent().SpanID().IsValid() {
			out.ParentSpanID = s.Parent().SpanID().String()
		}
		if s.Status().Code == codes.Error {
			out.Status = &statusJSON{Message: s.Status().Description, Code: statusError}
		}
		list = append(list, out)
	}
	return exportRequest{[]resourceSpans{{
		Resource:   resourceJSON{attributes(spans[0].Resource().Attributes())},
		ScopeSpans: []scopeSpans{{Scope: scopeJSON{spans[0].InstrumentationScope().Name}, Spans: list}},
	}}}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func attributes(set []attribute.KeyValue) (out []attributeJSON) {
	for _, a := range set {
		value := map[string]any{}
		switch a.Value.Type() {
		case attribute.BOOL:
			value["boolValue"] = a.Value.AsBool()
		case attribute.INT64:
			value["intValue"] = strconv.FormatInt(a.Value.AsInt64(), 10)
		default:
			value["stringValue"] = a.Value.String()
		}
		out = append(out, attributeJSON{string(a.Key), value})
	}
	return out
}
