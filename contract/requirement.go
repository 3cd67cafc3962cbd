package contract

import "slices"

// Requirement is the id of one thing that a case checks. The ids are stable, because logs, baselines and tests refer to them.
type Requirement string

// The requirements that a single response can show.
const (
	Answered       Requirement = "answered"
	NotSuccess     Requirement = "not-success"
	StatusClass    Requirement = "status-class"
	StatusExact    Requirement = "status-exact"
	StatusBlame    Requirement = "status-blame"
	ContentType    Requirement = "content-type"
	Whole          Requirement = "whole"
	Envelope       Requirement = "envelope"
	Message        Requirement = "message"
	Code           Requirement = "code"
	CodePlace      Requirement = "code-place"
	CodeKnown      Requirement = "code-known"
	Fields         Requirement = "fields"
	Consistent     Requirement = "consistent"
	Secrecy        Requirement = "secrecy"
	AnsweredInTime Requirement = "answered-in-time"
	StreamError    Requirement = "stream-error"
	StreamEnd      Requirement = "stream-end"
	StreamFormat   Requirement = "stream-format"
	RetryAfter     Requirement = "retry-after"
	UpstreamUnused Requirement = "upstream-unused"
	RetriesBounded Requirement = "retries-bounded"
	UpstreamFreed  Requirement = "upstream-freed"
	NotBilled      Requirement = "not-billed"
	KeyKept        Requirement = "key-kept"
	NoCollateral   Requirement = "no-collateral"
	RequestID      Requirement = "request-id"
	Challenge      Requirement = "challenge"
	Allow          Requirement = "allow"
	PassedOn       Requirement = "passed-on"
)

// The requirements of a declared rate limit. Checking them takes many calls.
const (
	LimitExact      Requirement = "limit-exact"
	LimitBurst      Requirement = "limit-burst"
	RetryAfterTrue  Requirement = "retry-after-true"
	RateHeaders     Requirement = "rate-headers"
	RefusedFree     Requirement = "refused-free"
	DepartedFree    Requirement = "departed-free"
	KeyIsolation    Requirement = "key-isolation"
	StreamShare     Requirement = "stream-share"
	UpstreamRefusal Requirement = "upstream-429"
)

// The requirements that apply while the upstream fails on a share of many calls.
const (
	InTime        Requirement = "in-time"
	HealthyServed Requirement = "healthy-served"
	HealthySpared Requirement = "healthy-spared"
	NothingLeft   Requirement = "nothing-left"
	CapacityKept  Requirement = "capacity-kept"
	Departure     Requirement = "departure"
)

// Recovery is a requirement of both rate-limit and outage cases.
const Recovery Requirement = "recovery"

// Details describes what a requirement demands, how strongly, and which source states it.
type Details struct {
	ID Requirement
	// Levels are the levels that a finding of the requirement can have, strongest first. There is more than one level if the contract states the
	// requirement for some rows and derives it for others.
	Levels []RequirementLevel
	// Sentence is what the contract demands.
	Sentence string
	// Source is the section of CONTRACT.md or the RFC from which the requirement comes.
	Source string
	// Load states in which load cases the requirement is checked. It is "" for a requirement that a single response can show.
	Load LoadKind
}

// LoadKind is a kind of load case.
type LoadKind string

// The kinds of load case.
const (
	LimitLoad  LoadKind = "limit"  // a key exceeds its rate limit
	OutageLoad LoadKind = "outage" // the upstream fails on a share of the calls
	AnyLoad    LoadKind = "any"    // both
)

const (
	everyAnswer = "What every error answer owes"
	statuses    = "Expected statuses of the codes"
	inside      = "Nothing that must stay inside"
	streams     = "Streams"
	upstreamErr = "Errors that the provider told"
	timeSection = "Time"
	agreement   = "A code and its status agree"
	derived     = "derived from the contract: an error must have no side effects"
)

// requirements is read-only after its making.
var requirements = []Details{
	{Answered, mustOrShould(), "The gateway responds.", everyAnswer, ""},
	{NotSuccess, always(Must), "An error response never has a 2xx or 3xx status.", statuses, ""},
	{StatusClass, mustOrShould(), "The status is 4xx for errors that the caller can fix and 5xx for failures of the gateway or the upstream.", statuses, ""},
	{StatusExact, mustOrShould(), "The status is the one that the row specifies.", statuses, ""},
	{StatusBlame, always(Must), "If the gateway's upstream key is invalid or its upstream account is empty, the response does not blame the caller: its status is not 401, 402 or 403, and its code is not about the caller's key or quota.", statuses, ""},
	{ContentType, always(Must), "Content-Type is application/json.", everyAnswer, ""},
	{Whole, always(Must), "The error response is complete.", everyAnswer, ""},
	{Envelope, always(Must), "The body has the API format's error envelope.", everyAnswer, ""},
	{Message, always(Must), "message is a non-empty string.", everyAnswer, ""},
	{Code, always(Must), "The response contains the row's error.code in the place that the API format defines.", everyAnswer, ""},
	{CodePlace, always(Should), "The code is in the preferred place, not in a place that is only tolerated.", everyAnswer, ""},
	{CodeKnown, always(Should), "Every error except 429 has a code from table 2 that fits its cause.", everyAnswer, ""},
	{Fields, always(Should), "type, param and code are present in the OpenAI envelope.", everyAnswer, ""},
	{Consistent, always(Should), "In the error object, the code, the type and (in Gemini's format) the numeric code agree with the HTTP status.", agreement, ""},
	{AnsweredInTime, always(Must), "If the upstream does not answer, the gateway responds when its declared timeout expires.", timeSection, ""},
	{Secrecy, always(Must), "The response reveals no secrets or internals.", inside, ""},
	{StreamError, mustOrShould(), "If an error occurs after a stream has begun, the stream reports the error with the API format's own error event.", streams, ""},
	{StreamEnd, always(Must), "A failed stream does not end as if it were complete.", streams, ""},
	{StreamFormat, always(Should), "The event stream is well-formed.", "WHATWG HTML 9.2.6", ""},
	{RetryAfter, always(Should), "A 429 has a Retry-After header whose value is in whole seconds and exceeds neither the limit's window nor one day.", "RFC 9110 10.2.3, RFC 6585 4", ""},
	{UpstreamUnused, always(Should), "A refused request never reaches the upstream.", derived, ""},
	{RetriesBounded, always(Should), "The upstream is called no more often than limits.attempts allows.", derived, ""},
	{UpstreamFreed, always(Should), "When the gateway gives up on an upstream call, it cancels the call.", derived, ""},
	{NotBilled, always(Should), "A failed request costs nothing.", derived, ""},
	{KeyKept, always(Should), "When the gateway follows an upstream redirect to another host, it does not send its upstream key to that host.", upstreamErr, ""},
	{NoCollateral, always(Should), "A failed call does not affect other calls: healthy calls succeed again within settle.recovery.", upstreamErr, ""},
	{RequestID, always(Note), "The response has a request id.", everyAnswer, ""},
	{Challenge, always(Note), "A 401 has a WWW-Authenticate header.", "RFC 9110 15.5.2", ""},
	{Allow, always(Note), "A 405 has an Allow header.", "RFC 9110 15.5.6", ""},
	{PassedOn, always(Note), "The error response is the gateway's own, not the upstream's.", "What a target claims", ""},

	{LimitExact, mustOrShould(), "When calls are sent one at a time, the gateway admits exactly as many as the declared limit allows.", "Table 1, 429", LimitLoad},
	{LimitBurst, mustOrShould(), "When many calls are sent at once, the gateway admits exactly as many as the declared limit allows.", "Table 1, 429", LimitLoad},
	{RetryAfterTrue, always(Should), "Calls are refused until the Retry-After time has passed, and admitted afterwards.", "RFC 9110 10.2.3", LimitLoad},
	{RateHeaders, []RequirementLevel{Should, Note}, "Rate-limit header fields can be parsed and match the gateway's behaviour.", "draft-ietf-httpapi-ratelimit-headers-11", LimitLoad},
	{RefusedFree, always(Should), "Refused calls cost nothing and do not count against the limit.", derived, LimitLoad},
	{DepartedFree, always(Should), "When a caller disconnects, their call no longer counts against the concurrency limit.", derived, LimitLoad},
	{KeyIsolation, always(Should), "While one key is over its limit, calls with other keys are neither refused nor slowed down.", derived, LimitLoad},
	{StreamShare, always(Should), "Streaming calls share the limit with other calls or have a separate limit, as the profile declares.", derived, LimitLoad},
	{InTime, always(Must), "If the upstream does not answer, the gateway responds when its declared timeout expires.", timeSection, OutageLoad},
	{HealthyServed, always(Must), "Healthy calls succeed while other calls fail at the upstream.", derived, OutageLoad},
	{HealthySpared, always(Should), "During the outage, healthy calls take about as long as they did before the outage.", derived, OutageLoad},
	{NothingLeft, always(Should), "After the outage, the gateway has no more open upstream calls than it had before the outage.", derived, OutageLoad},
	{CapacityKept, always(Should), "After the outage, the gateway handles as many concurrent calls as it did before the outage.", derived, OutageLoad},
	{Recovery, always(Should), "Calls succeed again once the limit allows them or the upstream is healthy again.", derived, AnyLoad},
	{UpstreamRefusal, always(Should), "When the upstream returns 429, the gateway passes on the Retry-After header and retries no more often than limits.attempts allows.", upstreamErr, LimitLoad},
	{Departure, always(Should), "When the client disconnects, the gateway cancels the upstream call.", derived, OutageLoad},
}

func always(l RequirementLevel) []RequirementLevel { return []RequirementLevel{l} }

func mustOrShould() []RequirementLevel { return []RequirementLevel{Must, Should} }

// Requirements returns the requirements that a single response can show, in the order in which findings are listed.
func Requirements() []Requirement {
	return requirementsOf(func(k LoadKind) bool { return k == "" })
}

// LoadRequirements returns the requirements that load cases of a kind check in addition to those of every response.
func LoadRequirements(kind LoadKind) []Requirement {
	return requirementsOf(func(k LoadKind) bool { return k != "" && (k == kind || k == AnyLoad || kind == AnyLoad) })
}

func requirementsOf(wanted func(LoadKind) bool) []Requirement {
	var ids []Requirement
	for _, r := range requirements {
		if wanted(r.Load) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Details returns the contract's details of the requirement. ok is false if there is no such requirement.
func (r Requirement) Details() (d Details, ok bool) {
	i := slices.IndexFunc(requirements, func(d Details) bool { return d.ID == r })
	if i < 0 {
		return Details{}, false
	}
	d = requirements[i]
	d.Levels = slices.Clone(d.Levels)
	return d, true
}
