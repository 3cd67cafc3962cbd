package contract

import "github.com/gatecert/gatecert/dialect"

// The rows that code outside the tables has to know: everything else treats all rows alike.
const (
	RowRateLimited RowID = "http:429"
	RowServerError RowID = "http:5xx"
)

// The circumstances that code outside the tables has to know. The tables have them all.
const (
	OverRateLimit             = "over-rate-limit"
	UpstreamError             = "upstream-error"
	GatewayError              = "gateway-error"
	SlowUpstream              = "slow-upstream"
	UnreachableUpstream       = "unreachable-upstream"
	TruncatedUpstreamResponse = "truncated-upstream-response"
)

// unknownPath permits both 404 and 405 for a wrong method.
const unknownPath = "unknown-path"

// Variants with an exception of their own ("Expected statuses of the codes"): a body under a foreign Content-Type may be
// told as unreadable, or with 415, and one that stays short may be answered by closing the connection.
const (
	formBody  = "form-body"
	shortBody = "short-body"
)

// Uncounted is the variant of an unknown path in which tokens cannot be counted for a model.
const Uncounted = "unsupported"

// redirect is the variant of UpstreamError in which the gateway's key must not leave for another host.
const redirect = "redirect"

// Variants of these circumstances; see also [LoadVariant].
const (
	NoAnswer        = "no-answer"      // of SlowUpstream
	StalledAnswer   = "stalled-answer" // of SlowUpstream
	ErrorObject     = "error-object"   // of UpstreamError
	MidStream       = "mid-stream"     // of UpstreamError
	ConnectionReset = "reset"          // of UnreachableUpstream
	CutStream       = "cut-stream"     // of TruncatedUpstreamResponse
)

// CaseOf returns the case of a circumstance on a surface, in a variant; "" is the sole variant. The row is that of the
// circumstance. It does not check that the contract has such a case: [ParseCase] does.
func CaseOf(circumstance string, s dialect.Surface, variant string) Case {
	c, _ := CircumstanceByID(circumstance)
	return Case{Row: c.Row, Circumstance: circumstance, Surface: s, Variant: variant}
}
