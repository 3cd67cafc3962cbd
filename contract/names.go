package contract

import "github.com/gatecert/gatecert/dialect"

// The rows that code outside the tables refers to by name. All other code treats all rows alike.
const (
	RowRateLimited RowID = "http:429"
	RowServerError RowID = "http:5xx"
)

// The circumstances that code outside the tables refers to by name. The tables contain all circumstances.
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

// Variants that have their own exceptions (see "Expected statuses of the codes"): for a body with a foreign Content-Type, a gateway may report an
// unreadable body or respond with 415; for a body that stays short, it may close the connection.
const (
	formBody  = "form-body"
	shortBody = "short-body"
)

// Uncounted is the variant of an unknown path in which the gateway cannot count tokens for a model.
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

// CaseOf returns the case of a circumstance on a surface, in a variant; "" is the only variant. CaseOf sets the row to that of the circumstance. It
// does not check whether the contract contains the case; [ParseCase] does.
func CaseOf(circumstance string, s dialect.Surface, variant string) Case {
	c, _ := CircumstanceByID(circumstance)
	return Case{Row: c.Row, Circumstance: circumstance, Surface: s, Variant: variant}
}
