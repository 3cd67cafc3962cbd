// Package otlp sends spans of a run to an OpenTelemetry collector: one trace for each case, with the trace id that the case's request carried.
package otlp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Sender creates spans for cases and sends them during the run. Close sends the rest.
type Sender struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	exporter *exporter
}

const (
	// maxQueue is more than the spans of a run: where the collector is slow, they wait, and the run does not.
	maxQueue = 1 << 16
	// closeLimit bounds how long the last spans are waited for.
	closeLimit = 10 * time.Second
)

// New returns a sender to a collector. endpoint is a URL such as http://127.0.0.1:4318, whose /v1/traces receives the spans, or a URL with its own
// path. For anything else, New returns [ErrEndpoint]. tool is the name and version of gatecert, and target is the name of the gateway.
func New(endpoint, tool, target string) (*Sender, error) {
	sending, err := newExporter(endpoint)
	if err != nil {
		return nil, err
	}
	about := resource.NewSchemaless(attribute.String("service.name", "gatecert"), attribute.String("service.version", tool),
		attribute.String("gatecert.target", target))
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithIDGenerator(ids{}), sdk.WithSampler(sdk.AlwaysSample()),
		sdk.WithBatcher(sending, sdk.WithMaxQueueSize(maxQueue)))
	return &Sender{provider: provider, tracer: provider.Tracer("github.com/gatecert/gatecert"), exporter: sending}, nil
}

// Close sends the spans that have not been sent yet, and returns the collector's first error. It waits for at most ten seconds.
func (s *Sender) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	return errors.Join(s.provider.Shutdown(ctx), s.exporter.failure())
}

// Case creates the spans of a case that has ended. A case whose request had no trace, such as a load case, has no spans.
func (s *Sender) Case(c runlog.Case) {
	if c.Observation == nil {
		return
	}
	o := *c.Observation
	own, ok := o.Sent.Trace()
	if !ok {
		return
	}
	ended := c.Started.Add(c.Duration)
	ctx := withIDs(context.Background(), own.TraceID, derived(own.TraceID, "case"))
	ctx, whole := s.tracer.Start(ctx, c.ID, trace.WithNewRoot(), trace.WithTimestamp(c.Started), trace.WithAttributes(
		attribute.String("gatecert.row", string(c.Row)), attribute.String("gatecert.circumstance", c.Circumstance),
		attribute.String("gatecert.surface", string(c.Surface)), attribute.String("gatecert.verdict", string(c.Verdict)),
		attribute.Int("gatecert.tries", max(1, c.Tries)),
	))
	if !c.Verdict.Conformant() {
		whole.SetStatus(codes.Error, firstOf(c))
	}
	s.call(ctx, o, own)
	whole.End(trace.WithTimestamp(ended))
}

// call makes the span of the call, and those of the upstream's answers as its children: what the gateway did between is the gap, or the
// gateway's own spans.
func (s *Sender) call(ctx context.Context, o contract.Observation, own contract.TraceContext) {
	ctx, call := s.tracer.Start(withIDs(ctx, own.TraceID, own.SpanID), o.Sent.Method+" "+string(o.Sent.Surface), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(o.Sent.At), trace.WithAttributes(
			attribute.String("http.request.method", o.Sent.Method), attribute.String("url.full", o.Sent.URL),
			attribute.Int("http.response.status_code", o.Status), attribute.String("gatecert.request_id", o.Sent.RequestID()),
		))
	if o.Failure != nil {
		call.SetStatus(codes.Error, string(o.Failure.Kind))
	}
	if o.Upstream != nil {
		for i, attempt := range o.Upstream.Attempts {
			s.attempt(ctx, i, attempt, own)
		}
	}
	call.End(trace.WithTimestamp(o.Sent.At.Add(o.Timing.End)))
}

// attempt makes the span of a request at the upstream. Its parent is the gateway's own span, where that came with it.
func (s *Sender) attempt(ctx context.Context, i int, a contract.Attempt, own contract.TraceContext) {
	if came, ok := contract.ParseTraceParent(a.TraceParent); ok && came.TraceID == own.TraceID && came.SpanID != own.SpanID {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: traceID(came.TraceID), SpanID: spanID(came.SpanID), TraceFlags: trace.FlagsSampled, Remote: true,
		}))
	}
	_, span := s.tracer.Start(withIDs(ctx, own.TraceID, derived(own.TraceID, fmt.Sprint("upstream ", i))), "mock upstream", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithTimestamp(a.Arrived), trace.WithAttributes(
			attribute.String("url.path", a.Path), attribute.String("gen_ai.request.model", a.Model), attribute.Int("http.response.status_code", a.Status),
			attribute.Bool("gatecert.cancelled", a.Cancelled),
		))
	span.End(trace.WithTimestamp(a.Arrived.Add(a.Duration)))
}

// firstOf says in a word what is wrong with a case.
func firstOf(c runlog.Case) string {
	if len(c.Findings) > 0 {
		return string(c.Findings[0].Requirement)
	}
	return c.Reason
}

// derived is the id of a span that nobody else names.
func derived(trace, what string) string {
	sum := sha256.Sum256([]byte(trace + " " + what))
	return fmt.Sprintf("%x", sum[:8])
}

// ids makes the SDK take the ids that stand in the context: those of the request that was sent.
type ids struct{}

type wanted struct {
	trace trace.TraceID
	span  trace.SpanID
}

type wantedKey struct{}

func withIDs(ctx context.Context, trace, span string) context.Context {
	return context.WithValue(ctx, wantedKey{}, wanted{traceID(trace), spanID(span)})
}

// NewIDs implements [sdk.IDGenerator].
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	w, _ := ctx.Value(wantedKey{}).(wanted)
	return w.trace, w.span
}

// NewSpanID implements [sdk.IDGenerator].
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	w, _ := ctx.Value(wantedKey{}).(wanted)
	return w.span
}

// traceID and spanID read what [contract.ParseTraceParent] has checked.
func traceID(hex string) trace.TraceID {
	id, _ := trace.TraceIDFromHex(hex)
	return id
}

func spanID(hex string) trace.SpanID {
	id, _ := trace.SpanIDFromHex(hex)
	return id
}
