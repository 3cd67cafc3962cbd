package limits

import "github.com/gatecert/gatecert/contract"

// The obligations of a declared rate limit, besides those that [contract.Judge] looks at in every refusal. The contract
// states the 429; what a limit owes besides is derived, so these are SHOULDs. One is a MUST: not to admit more than the
// limit that the target itself declares.
const (
	LimitExact      contract.Requirement = "limit-exact"      // call by call: what fits under the limit is admitted, nothing else
	LimitBurst      contract.Requirement = "limit-burst"      // … and the same for many calls at once
	RetryAfterTrue  contract.Requirement = "retry-after-true" // refused just before that time, admitted just after
	RateHeaders     contract.Requirement = "rate-headers"     // rate limit header fields can be read, and agree with what happens
	RefusedFree     contract.Requirement = "refused-free"     // refused calls cost nothing and use up nothing
	KeyIsolation    contract.Requirement = "key-isolation"    // another key is neither refused nor slowed down
	StreamShare     contract.Requirement = "stream-share"     // streaming calls use up the same limit, or another one, as declared
	Recovery        contract.Requirement = "recovery"         // calls are admitted again when time has freed the limit, and succeed
	UpstreamRefusal contract.Requirement = "upstream-429"     // an upstream's own 429 keeps its Retry-After and is not multiplied
)

// Obligations returns the obligations of this package.
func Obligations() []contract.Requirement {
	return []contract.Requirement{
		LimitExact, LimitBurst, RetryAfterTrue, RateHeaders, RefusedFree, KeyIsolation, StreamShare, Recovery, UpstreamRefusal,
	}
}
