package exchange

import (
	"net/http"
	"strings"
)

// The ids of a call's trace are derived from the call's own id, so that a single search finds it at the gateway, at the upstream and in the log, and
// an audit can rebuild the request. The rest of each id is constant: "gatecert" and "gc" in hexadecimal. The digits that samplers use (the last seven
// bytes, W3C Trace Context level 2) begin with the call's id, which is random.
const (
	tracePrefix   = "6761746563657274"
	traceSuffix   = "6763"
	spanSuffix    = "0001"
	requestPrefix = "gatecert-"
)

// The lengths of an id of which trace ids can be made: that of a call of a case, and that of a request under load.
const shortID, longID = 12, 16

// traced reports whether the call is sent with ids.
func (c Call) traced() bool { return len(c.ID) == shortID || len(c.ID) == longID }

// setTrace sets the fields by which operators find the call in their own traces and logs. The caller's own fields come over them.
func (r *request) setTrace(call Call) {
	if !call.traced() {
		return
	}
	flags := "00"
	if call.Sampled {
		flags = "01"
	}
	trace, span := tracePrefix+call.ID, call.ID
	if len(call.ID) == shortID {
		trace, span = trace+traceSuffix, span+spanSuffix
	}
	r.header.Set("Traceparent", "00-"+trace+"-"+span+"-"+flags)
	r.header.Set("X-Request-Id", requestPrefix+call.ID)
}

// sampledIn reports whether a recorded request has the sampled flag, which is the choice of its run.
func sampledIn(header http.Header) bool { return strings.HasSuffix(header.Get("Traceparent"), "-01") }
