package contract

// Obligation names one thing an error answer owes. The names are stable: reports, baselines and tests use them.
type Obligation string

// The obligations of "What every error answer owes", of the status tables, and of the effects an error must not have.
const (
	Answered       Obligation = "answered"        // an answer comes at all
	NotSuccess     Obligation = "not-success"     // an error is never 2xx or 3xx
	StatusClass    Obligation = "status-class"    // 4xx for the caller's faults, 5xx for the gateway's or the provider's
	StatusExact    Obligation = "status-exact"    // the row's own status
	StatusBlame    Obligation = "status-blame"    // a channel's bad key is never 401 or 403
	ContentType    Obligation = "content-type"    // application/json before any stream byte
	Whole          Obligation = "whole"           // the error answer arrives to its end
	Envelope       Obligation = "envelope"        // the dialect's own error envelope
	Message        Obligation = "message"         // a non-empty string
	Code           Obligation = "code"            // the row's code where the dialect keeps it
	CodePlace      Obligation = "code-place"      // … and not in the place that is only tolerated
	CodeKnown      Obligation = "code-known"      // a code of table 2 on every error but 429
	Fields         Obligation = "fields"          // type, param and code in the OpenAI envelope
	Secrecy        Obligation = "secrecy"         // nothing that must stay inside
	StreamError    Obligation = "stream-error"    // a stream that has begun ends with the dialect's error event
	StreamEnd      Obligation = "stream-end"      // and never as if it were complete
	StreamFormat   Obligation = "stream-format"   // the event stream itself is well-formed
	RetryAfter     Obligation = "retry-after"     // an integer Retry-After on 429
	UpstreamUnused Obligation = "upstream-unused" // a refused request never reaches the upstream
	RetriesBounded Obligation = "retries-bounded" // retries do not multiply
	UpstreamFreed  Obligation = "upstream-freed"  // a call given up is cancelled upstream
	NotBilled      Obligation = "not-billed"      // a failed request costs nothing
	RequestID      Obligation = "request-id"      // a request id on the answer
	Challenge      Obligation = "challenge"       // WWW-Authenticate on 401
	Allow          Obligation = "allow"           // Allow on 405
)

// Obligations returns all of them, in the order above.
func Obligations() []Obligation {
	return []Obligation{
		Answered, NotSuccess, StatusClass, StatusExact, StatusBlame, ContentType, Whole, Envelope, Message, Code, CodePlace,
		CodeKnown, Fields, Secrecy, StreamError, StreamEnd, StreamFormat, RetryAfter, UpstreamUnused, RetriesBounded,
		UpstreamFreed, NotBilled, RequestID, Challenge, Allow,
	}
}
