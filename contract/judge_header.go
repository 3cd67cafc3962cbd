package contract

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// judgeHeaders judges the header fields that a status calls for.
func (j *judge) judgeHeaders() {
	if j.limited() {
		j.judgeRetryAfter()
	}
	if j.o.Status == statusUnauthorized {
		j.wantHeader(Challenge, "WWW-Authenticate on a 401 (RFC 9110 15.5.2)", "Www-Authenticate")
	}
	if j.o.Status == statusMethodNotAllowed {
		j.wantHeader(Allow, "Allow on a 405 (RFC 9110 15.5.6)", "Allow")
	}
	j.judgeRequestID()
}

func (j *judge) judgeRequestID() {
	j.wantHeader(RequestID, "a request id in a header field such as X-Request-Id", requestIDHeaders...)
}

// wantHeader notes that none of the header fields is present.
func (j *judge) wantHeader(r Requirement, want string, names ...string) {
	j.check(r)
	if !slices.ContainsFunc(names, func(name string) bool { return header(j.o, name) != "" }) {
		j.add(r, Note, want, "none")
	}
}

// requestIDHeaders are the names under which gateways send one.
var requestIDHeaders = []string{"X-Request-Id", "Request-Id", "X-Oneapi-Request-Id", "X-Litellm-Call-Id", "X-Portkey-Trace-Id", "X-Correlation-Id"}

// longestRetryAfter is what a client may be told to wait, unless the window of the limit is declared to be shorter.
const longestRetryAfter = 24 * time.Hour

// UpstreamRetryAfter is the Retry-After, in seconds, in the mock upstream's 429. A gateway is unlikely to choose the same value itself.
const UpstreamRetryAfter = 7

func (j *judge) judgeRetryAfter() {
	const want = "Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)"
	j.check(RetryAfter)
	wait := RetryWaitOf(j.o)
	switch {
	case wait.Value == "" && wait.Milliseconds >= 0:
		j.add(RetryAfter, Should, want, "only retry-after-ms, which few clients read")
		return
	case wait.Value == "":
		j.add(RetryAfter, Should, want, "none")
		return
	case wait.Seconds < 0:
		j.add(RetryAfter, Should, want, strconv.Quote(wait.Value))
		return
	}
	if j.row.ID != RowRateLimited {
		// The upstream's, passed on: it is the upstream that knows how long.
		if wait.Value != strconv.Itoa(UpstreamRetryAfter) {
			j.add(RetryAfter, Should, fmt.Sprintf("the upstream's Retry-After: %d", UpstreamRetryAfter), wait.Value)
		}
		return
	}
	longest := longestRetryAfter
	if d := j.o.Declared; d != nil && d.Window > 0 {
		longest = min(longest, d.Window+time.Second)
	}
	if wait.Seconds > int64(math.Ceil(longest.Seconds())) {
		j.add(RetryAfter, Should, fmt.Sprintf("Retry-After of at most %g s", math.Ceil(longest.Seconds())), wait.Value)
	}
}
