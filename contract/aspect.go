package contract

import "slices"

// Aspect is a part of a gateway's behaviour that requirements cover. A gateway that uses its own codes, for example, may be right in every aspect
// except one.
type Aspect string

// The aspects of every response.
const (
	AspectStatus   Aspect = "status"
	AspectEnvelope Aspect = "envelope"
	AspectCode     Aspect = "code"
	AspectStream   Aspect = "stream"
	AspectLeaks    Aspect = "leaks"
	AspectEffects  Aspect = "effects"
)

// aspects is read-only. Requirements that only give a NOTE belong to none.
var aspects = []struct {
	aspect       Aspect
	requirements []Requirement
}{
	{AspectStatus, []Requirement{Answered, NotSuccess, StatusClass, StatusExact, StatusBlame, RetryAfter}},
	{AspectEnvelope, []Requirement{ContentType, Whole, Envelope, Message, Fields}},
	{AspectCode, []Requirement{Code, CodePlace, CodeKnown, Consistent}},
	{AspectStream, []Requirement{StreamError, StreamEnd, StreamFormat}},
	{AspectLeaks, []Requirement{Secrecy, KeyKept}},
	{AspectEffects, []Requirement{UpstreamUnused, RetriesBounded, UpstreamFreed, NotBilled, NoCollateral, AnsweredInTime}},
}

// Aspects returns the aspects in the order in which reports list them.
func Aspects() []Aspect {
	list := make([]Aspect, len(aspects))
	for i, a := range aspects {
		list[i] = a.aspect
	}
	return list
}

// Aspect returns the aspect that a requirement belongs to. It returns "" for requirements that only cause a NOTE and for requirements of load cases.
func (r Requirement) Aspect() Aspect {
	for _, a := range aspects {
		if slices.Contains(a.requirements, r) {
			return a.aspect
		}
	}
	return ""
}

// Aspects summarises the results by aspect. An aspect is violated if one of its requirements is, and untested if none of its requirements could be
// checked.
func (j Judgement) Aspects() map[Aspect]Result {
	results := make(map[Aspect]Result, len(aspects))
	for _, a := range aspects {
		has := func(want Result) bool {
			return slices.ContainsFunc(a.requirements, func(r Requirement) bool {
				// That the error object agrees with its status says nothing about a code that is not claimed.
				return j.Results[r] == want && (r != Consistent || want == Violated)
			})
		}
		switch {
		case has(Violated):
			results[a.aspect] = Violated
		case has(Held):
			results[a.aspect] = Held
		default:
			results[a.aspect] = Untested
		}
	}
	return results
}
