package contract

import (
	"regexp"
	"strings"
)

// TraceContext is the content of a W3C Trace Context traceparent field: it states which trace a request belongs to.
type TraceContext struct {
	// TraceID has 32 hexadecimal digits and SpanID has 16. SpanID identifies the span in which the request was made.
	TraceID, SpanID string
	// Sampled is set if the caller records the trace.
	Sampled bool
}

var traceParent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

// MaxTraceParent is the maximum length of a traceparent in bytes. Version 00 has 55 bytes; later versions may be longer.
const MaxTraceParent = 128

// ParseTraceParent parses the value of the field. ok is false if the value is invalid (W3C Trace Context 3.2.2).
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

// Trace returns the trace to which the request belongs. ok is false if the request was sent without one.
func (s Sent) Trace() (c TraceContext, ok bool) {
	if values := s.Header["Traceparent"]; len(values) == 1 {
		return ParseTraceParent(values[0])
	}
	return c, false
}

// RequestID returns the id under which a gateway that keeps its callers' ids logs the request, or "" if the request has none.
func (s Sent) RequestID() string {
	if values := s.Header["X-Request-Id"]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// PassedOn reports whether the gateway's upstream calls belong to the caller's trace. known is false if there was no upstream call or no trace.
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
