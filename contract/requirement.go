package contract

import "slices"

// Requirement is the id of one thing that a case checks. Ids are stable: logs, baselines and tests use them.
type Requirement string

// The requirements of one answer.
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

// The requirements of a declared rate limit, which take many calls to check.
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

// The requirements while the upstream fails on a share of many calls.
const (
	InTime        Requirement = "in-time"
	HealthyServed Requirement = "healthy-served"
	HealthySpared Requirement = "healthy-spared"
	NothingLeft   Requirement = "nothing-left"
	CapacityKept  Requirement = "capacity-kept"
	Departure     Requirement = "departure"
)

// Recovery is required of rate limits and of outages alike.
const Recovery Requirement = "recovery"

// Details says what a requirement demands, how strongly, and where that is written.
type Details struct {
	ID Requirement
	// Levels are those that a finding of the requirement can have, the strongest first. More than one: the contract states
	// the requirement for some rows and derives it for others.
	Levels []RequirementLevel
	// Sentence is what the contract demands.
	Sentence string
	// Source is the section of CONTRACT.md, or the RFC, that it comes from.
	Source string
	// Load says in which load cases the requirement is checked; "" for one that a single answer shows.
	Load LoadKind
}

// LoadKind is a kind of load case.
type LoadKind string

// The kinds of load case.
const (
	LimitLoad  LoadKind = "limit"  // a key goes over its rate limit
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
	derived     = "derived: an error must have no side effects"
)

// requirements is read-only after its making.
var requirements = []Details{
	{Answered, mustOrShould(), "The gateway responds.", everyAnswer, ""},
	{NotSuccess, always(Must), "An error is never 2xx or 3xx.", statuses, ""},
	{StatusClass, mustOrShould(), "The status is 4xx for errors that the caller can fix and 5xx for failures of the gateway or the upstream.", statuses, ""},
	{StatusExact, mustOrShould(), "The status is the row's own.", statuses, ""},
	{StatusBlame, always(Must), "The gateway's bad key or empty account is never blamed on the caller: no 401, 402 or 403, and no code about the caller's key or quota.", statuses, ""},
	{ContentType, always(Must), "Content-Type is application/json.", everyAnswer, ""},
	{Whole, always(Must), "The error response arrives completely.", everyAnswer, ""},
	{Envelope, always(Must), "The body is the error envelope of the API format.", everyAnswer, ""},
	{Message, always(Must), "message is a non-empty string.", everyAnswer, ""},
	{Code, always(Must), "The row's error.code is where the API format defines it.", everyAnswer, ""},
	{CodePlace, always(Should), "The code is not in a place that is only tolerated.", everyAnswer, ""},
	{CodeKnown, always(Should), "Every error but 429 has a code of table 2 that fits its cause.", everyAnswer, ""},
	{Fields, always(Should), "type, param and code are present in the OpenAI envelope.", everyAnswer, ""},
	{Consistent, always(Should), "The error object agrees with the status: its code, its type, Gemini's number.", agreement, ""},
	{AnsweredInTime, always(Must), "If the upstream does not answer, the gateway responds at its declared time limit.", timeSection, ""},
	{Secrecy, always(Must), "The response shows no secrets and no internals.", inside, ""},
	{StreamError, mustOrShould(), "A stream that has begun reports the error with the error event of its API format.", streams, ""},
	{StreamEnd, always(Must), "A stream that failed does not end as if it were complete.", streams, ""},
	{StreamFormat, always(Should), "The event stream is well-formed.", "WHATWG HTML 9.2.6", ""},
	{RetryAfter, always(Should), "A 429 carries Retry-After in whole seconds, no longer than the limit's window or a day.", "RFC 9110 10.2.3, RFC 6585 4", ""},
	{UpstreamUnused, always(Should), "A refused request never reaches the upstream.", derived, ""},
	{RetriesBounded, always(Should), "The upstream is called no more often than allowed.", derived, ""},
	{UpstreamFreed, always(Should), "The upstream call is cancelled once the gateway has given up on it.", derived, ""},
	{NotBilled, always(Should), "A failed request costs nothing.", derived, ""},
	{KeyKept, always(Should), "When the gateway follows a redirect of the upstream to another host, it does not send its key.", upstreamErr, ""},
	{NoCollateral, always(Should), "A failed call does not affect others: healthy calls succeed again within settle.recovery.", upstreamErr, ""},
	{RequestID, always(Note), "The answer carries a request id.", everyAnswer, ""},
	{Challenge, always(Note), "A 401 carries WWW-Authenticate.", "RFC 9110 15.5.2", ""},
	{Allow, always(Note), "A 405 carries Allow.", "RFC 9110 15.5.6", ""},
	{PassedOn, always(Note), "The error answer is the gateway's own.", "What a target claims", ""},

	{LimitExact, mustOrShould(), "Of calls sent one at a time, exactly as many are admitted as the declared limit allows.", "Table 1, 429", LimitLoad},
	{LimitBurst, mustOrShould(), "Of many calls sent at once, exactly as many are admitted as the declared limit allows.", "Table 1, 429", LimitLoad},
	{RetryAfterTrue, always(Should), "A call is refused before Retry-After has passed and admitted after it.", "RFC 9110 10.2.3", LimitLoad},
	{RateHeaders, []RequirementLevel{Should, Note}, "Rate-limit header fields can be parsed and match the gateway's behaviour.", "draft-ietf-httpapi-ratelimit-headers-11", LimitLoad},
	{RefusedFree, always(Should), "Refused calls cost nothing and do not count against the limit.", derived, LimitLoad},
	{DepartedFree, always(Should), "A caller who disconnects no longer counts as a concurrent call.", derived, LimitLoad},
	{KeyIsolation, always(Should), "Another key is neither refused nor slowed down.", derived, LimitLoad},
	{StreamShare, always(Should), "Streaming calls share the limit, or have their own, as declared.", derived, LimitLoad},
	{InTime, always(Must), "If the upstream does not answer, the gateway responds at its declared time limit.", timeSection, OutageLoad},
	{HealthyServed, always(Must), "Healthy calls succeed while other calls fail at the upstream.", derived, OutageLoad},
	{HealthySpared, always(Should), "Healthy calls take about as long as before the outage.", derived, OutageLoad},
	{NothingLeft, always(Should), "After the outage, no more calls are open at the upstream than before it.", derived, OutageLoad},
	{CapacityKept, always(Should), "After the outage, the gateway handles as many calls at once as before it.", derived, OutageLoad},
	{Recovery, always(Should), "Calls succeed again once the limit has room or the upstream is healthy.", derived, AnyLoad},
	{UpstreamRefusal, always(Should), "The upstream's own 429 keeps its Retry-After and is not retried more often than allowed.", upstreamErr, LimitLoad},
	{Departure, always(Should), "The upstream call is cancelled once the client disconnects.", derived, OutageLoad},
}

func always(l RequirementLevel) []RequirementLevel { return []RequirementLevel{l} }

func mustOrShould() []RequirementLevel { return []RequirementLevel{Must, Should} }

// Requirements returns the requirements of a single answer, in the order in which findings are listed.
func Requirements() []Requirement {
	return requirementsOf(func(k LoadKind) bool { return k == "" })
}

// LoadRequirements returns the requirements that the load cases of a kind check besides those of every answer.
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

// Details returns what the contract says of the requirement; ok is false when there is no such requirement.
func (r Requirement) Details() (d Details, ok bool) {
	i := slices.IndexFunc(requirements, func(d Details) bool { return d.ID == r })
	if i < 0 {
		return Details{}, false
	}
	d = requirements[i]
	d.Levels = slices.Clone(d.Levels)
	return d, true
}
