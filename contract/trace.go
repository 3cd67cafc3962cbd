package contract

import (
	"regexp"
	"strings"
)

// TraceContext is what the field traceparent of W3C Trace Context says: to which trace a request belongs.
type TraceContext struct {
	// TraceID has 32 digits in hexadecimal, SpanID 16: that of the span in which the request was made.
	TraceID, SpanID string
	// Sampled says that the caller records the trace.
	Sampled bool
}

var traceParent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

// MaxTraceParent bounds a traceparent, in bytes: one of version 00 has 55, later versions may have more.
const MaxTraceParent = 128

// ParseTraceParent reads the value of the field. ok is false for one that is invalid (W3C Trace Context 3.2.2).
func ParseTraceParent(value string) (c TraceContext, ok bool) {
	if len(value) > MaxTraceParent {
		return c, false
	}
	parts := traceParent.FindStringSubmatch(value)
	switch {
	case parts == nil, strings.HasPrefix(value, "ff"), strings.HasPrefix(value, "00") && parts[4] != "",
		strings.Trim(parts[1], "0") == "", strings.Trim(parts[2], "0") == "":
		return c, false
	}
	flags := parts[3]
	return TraceContext{TraceID: parts[1], SpanID: parts[2], Sampled: strings.ContainsRune("13579bdf", rune(flags[1]))}, true
}

// Trace is the trace to which the request belongs, if it was sent with one.
func (s Sent) Trace() (c TraceContext, ok bool) {
	if values := s.Header["Traceparent"]; len(values) == 1 {
		return ParseTraceParent(values[0])
	}
	return c, false
}

// RequestID is the id under which a gateway that keeps its callers' ids logs the request, "" for none.
func (s Sent) RequestID() string {
	if values := s.Header["X-Request-Id"]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// PassedOn reports whether the gateway's calls to the upstream belong to the trace of the caller's. known is false where there was no
// call, or no trace.
func (o Observation) PassedOn() (passed, known bool) {
	own, ok := o.Sent.Trace()
	if !ok || o.Upstream == nil || len(o.Upstream.Attempts) == 0 {
		return false, false
	}
	for _, attempt := range o.Upstream.Attempts {
		if got, ok := ParseTraceParent(attempt.TraceParent); !ok || got.TraceID != own.TraceID {
			return false, true
		}
	}
	return true, true
}
