package reports

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Trace states where to find the request of a case in the gateway's own traces and logs.
type Trace struct {
	ID string `json:"id"`
	// Request is the X-Request-Id. URL is the page of the trace, or "" if there is none.
	Request string `json:"request,omitempty"`
	URL     string `json:"url,omitempty"`
}

// traceIn is the place by which a run's traces are linked.
const traceIn = "{trace_id}"

// TraceOf returns the trace of a case, or nil for a case whose request had none. template is the trace URL in the log. If it is not an http or https
// URL, no link is created.
func TraceOf(c runlog.Case, template string) *Trace {
	if c.Observation == nil {
		return nil
	}
	context, ok := c.Observation.Sent.Trace()
	if !ok {
		return nil
	}
	return &Trace{ID: context.TraceID, Request: plain.Text(c.Observation.Sent.RequestID(), nameLimit), URL: traceURL(template, context)}
}

func traceURL(template string, context contract.TraceContext) string {
	if !strings.Contains(template, traceIn) || len(template) > textLimit {
		return ""
	}
	u, err := url.Parse(strings.ReplaceAll(template, traceIn, context.TraceID))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	var out strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`\\", c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c) // people paste queries with quotes from their address bar
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// text is the trace in one line.
func (t *Trace) text() string {
	if t == nil {
		return ""
	}
	out := t.ID
	if t.Request != "" {
		out += ", X-Request-Id " + t.Request
	}
	if t.URL != "" {
		out += ", " + t.URL
	}
	return out
}
