package contract

// Requirement names one thing an error answer owes. The names are stable: reports, baselines and tests use them.
type Requirement string

// The obligations of "What every error answer owes", of the status tables, and of the effects an error must not have.
const (
	Answered       Requirement = "answered"        // an answer comes at all
	NotSuccess     Requirement = "not-success"     // an error is never 2xx or 3xx
	StatusClass    Requirement = "status-class"    // 4xx for the caller's faults, 5xx for the gateway's or the provider's
	StatusExact    Requirement = "status-exact"    // the row's own status
	StatusBlame    Requirement = "status-blame"    // a channel's bad key is never 401 or 403
	ContentType    Requirement = "content-type"    // application/json before any stream byte
	Whole          Requirement = "whole"           // the error answer arrives to its end
	Envelope       Requirement = "envelope"        // the dialect's own error envelope
	Message        Requirement = "message"         // a non-empty string
	Code           Requirement = "code"            // the row's code where the dialect keeps it
	CodePlace      Requirement = "code-place"      // … and not in the place that is only tolerated
	CodeKnown      Requirement = "code-known"      // a code of table 2 on every error but 429
	Fields         Requirement = "fields"          // type, param and code in the OpenAI envelope
	Secrecy        Requirement = "secrecy"         // nothing that must stay inside
	StreamError    Requirement = "stream-error"    // a stream that has begun ends with the dialect's error event
	StreamEnd      Requirement = "stream-end"      // and never as if it were complete
	StreamFormat   Requirement = "stream-format"   // the event stream itself is well-formed
	RetryAfter     Requirement = "retry-after"     // an integer Retry-After on 429
	UpstreamUnused Requirement = "upstream-unused" // a refused request never reaches the upstream
	RetriesBounded Requirement = "retries-bounded" // retries do not multiply
	UpstreamFreed  Requirement = "upstream-freed"  // a call given up is cancelled upstream
	NotBilled      Requirement = "not-billed"      // a failed request costs nothing
	RequestID      Requirement = "request-id"      // a request id on the answer
	Challenge      Requirement = "challenge"       // WWW-Authenticate on 401
	Allow          Requirement = "allow"           // Allow on 405
)

// Requirements returns all of them, in the order above.
func Requirements() []Requirement {
	return []Requirement{
		Answered, NotSuccess, StatusClass, StatusExact, StatusBlame, ContentType, Whole, Envelope, Message, Code, CodePlace,
		CodeKnown, Fields, Secrecy, StreamError, StreamEnd, StreamFormat, RetryAfter, UpstreamUnused, RetriesBounded,
		UpstreamFreed, NotBilled, RequestID, Challenge, Allow,
	}
}
