package contract

import (
	"slices"
	"strconv"
)

// judgeHeaders judges the header fields that a status calls for.
func (j *judge) judgeHeaders() {
	if j.row.ID == RowRateLimited && j.o.Status == statusTooManyRequests {
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
	j.wantHeader(RequestID, "a request id in the header", requestIDHeaders...)
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

func (j *judge) judgeRetryAfter() {
	const want = "Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)"
	j.check(RetryAfter)
	value := header(j.o, "Retry-After")
	if value == "" {
		j.add(RetryAfter, Should, want, "none")
		return
	}
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			j.add(RetryAfter, Should, want, strconv.Quote(value))
			return
		}
	}
}
