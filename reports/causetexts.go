package reports

import (
	"cmp"
	"slices"

	"github.com/gatecert/gatecert/contract"
)

// The order of causes, most severe first.
const (
	gravityLeak = iota
	gravitySuccess
	gravityClass
	gravityStatus
	gravityCode
	gravityEnvelope
	gravityFields
	gravityEffects
)

// remedy is what people who have to mend a cause need to know of a requirement.
type remedy struct {
	requirement contract.Requirement
	gravity     int
	// title names the fault where the finding alone would not be clear, "" where it is.
	title string
	// suffers says who is affected and how. mend says what usually mends it.
	suffers, mend string
}

// remedies has every requirement that can change a verdict. It is read-only.
var remedies = []remedy{
	{contract.Secrecy, gravityLeak, "",
		"The leaked data reaches callers and stays in their logs, tickets and error trackers.",
		"Write your own error messages. Never put err.Error(), a stack trace or a request header into a response. Log these with the request ID instead."},
	{contract.KeyKept, gravityLeak, "After a redirect, the gateway sends its key to another host",
		"Whoever controls the other host receives the gateway's key.",
		"Either do not follow redirects from the upstream, or remove the credentials when a redirect leads to a different host."},

	{contract.NotSuccess, gravitySuccess, "",
		"SDKs treat every 2xx as a success: they do not retry, and the application continues without a valid answer.",
		"Set the error status before you write the first byte of the body. If the upstream returns an error inside a 200 response, respond with 5xx."},
	{contract.StreamEnd, gravitySuccess, "A failed stream looks complete",
		"The SDK's read loop ends without an error, so a partial answer looks complete.",
		"When the upstream fails, do not send a finish reason or [DONE]. End the stream with the error event, or abort the transfer."},

	{contract.StatusClass, gravityClass, "",
		"SDKs retry 5xx and give up on 4xx. If the class of the status is wrong, they resend a request that can never succeed, or give up on one that could succeed.",
		"Choose the status in one place, based on the cause: 4xx for errors that the caller can fix, 5xx for failures of the gateway or the upstream."},
	{contract.StatusBlame, gravityClass, "",
		"Callers replace a valid key or top up an account that still has credit.",
		"When the upstream rejects the gateway's own key or account, return 502 or 503. Do not forward the upstream's 401, 402 or 403."},
	{contract.Answered, gravityClass, "No response",
		"The caller waits until it times out, or the connection breaks without an explanation. SDKs then resend the request.",
		"Respond to every request whose headers can be parsed: recover from panics, and set a timeout for every handler."},
	{contract.AnsweredInTime, gravityClass, "The gateway does not respond when its declared timeout expires",
		"Callers wait longer than the gateway promises, until their own timeout ends the call without an error code.",
		"Set one deadline for the entire call, including retries, and return 5xx when the deadline expires."},
	{contract.InTime, gravityClass, "Under load, the gateway does not respond when its declared timeout expires",
		"While the upstream hangs, callers wait longer than the gateway promises.",
		"Set one deadline for the entire call, including retries and queuing, and return 5xx when the deadline expires."},

	{contract.StatusExact, gravityStatus, "",
		"SDKs derive the exception class from the status. If the status is wrong, the application's handler for this error never runs.",
		"Choose the status in one place, based on the cause, and use the number that the contract's row specifies."},
	{contract.RetryAfter, gravityStatus, "A 429 has no usable Retry-After",
		"SDKs obey Retry-After. Without a usable value, they guess and retry too early or too late.",
		"Send Retry-After with every 429: the time until the next call is admitted, in whole seconds, never longer than the limit's window."},

	{contract.Code, gravityCode, "",
		"Clients and dashboards use the code to decide whether to retry, top up or contact support. Without the right code, they have to parse the message.",
		"Put the row's code in the field that the API format defines for it: error.code (OpenAI), error.code or error.details.error_code (Anthropic), error.details[].reason (Gemini)."},
	{contract.CodePlace, gravityCode, "",
		"Typed SDKs read the code from a single field, and this field contains no code.",
		"Move the code to the field that the API format defines for it: error.code (OpenAI), error.code or error.details.error_code (Anthropic), error.details[].reason (Gemini)."},
	{contract.Consistent, gravityCode, "",
		"Clients that read the code and clients that read the status treat the same error differently.",
		"Derive the status, the type and the code from the cause, in a single table."},

	{contract.Envelope, gravityEnvelope, "",
		"SDKs do not find an error object, so the exception has neither a code nor a message, and the user sees only the status.",
		"Write every error through one function that builds the API format's envelope: for OpenAI, an \"error\" object with message, type, param and code."},
	{contract.Message, gravityEnvelope, "",
		"The user sees an error that does not say what is wrong.",
		"Give every error a message that explains what the caller can do."},
	{contract.ContentType, gravityEnvelope, "",
		"Clients and proxies that rely on the Content-Type do not decode the body, so its code and message are lost.",
		"In the function that writes all errors, set Content-Type: application/json before you write the status."},
	{contract.Whole, gravityEnvelope, "Error responses are cut off",
		"The client reports a broken connection instead of the error.",
		"Write the error body in one piece, with the correct Content-Length."},
	{contract.StreamError, gravityEnvelope, "Errors in a stream have the wrong format",
		"SDKs recognise only one format of error event and skip any other, so the stream seems to end without an error.",
		"Send the API format's error event: data: {\"error\":{…}} without an event name (OpenAI, Gemini) or event: error (Anthropic)."},
	{contract.StreamFormat, gravityEnvelope, "The event stream is not well-formed",
		"Strict event-stream parsers stop reading, or drop the malformed event.",
		"Write each event as one or more \"data: …\" lines in UTF-8, followed by an empty line."},

	{contract.Fields, gravityFields, "",
		"Clients that decode errors into a typed structure fail if a field has the wrong type, and show an empty value if a field is missing.",
		"Include type, param and code in every OpenAI error, and use null for a field without a value."},

	{contract.UpstreamUnused, gravityEffects, "Refused requests reach the upstream",
		"The gateway's operator pays for refused calls.",
		"Complete all checks of a request before you call the upstream."},
	{contract.RetriesBounded, gravityEffects, "The gateway calls the upstream too often for one request",
		"Retries multiply: an SDK sends a request three times, and the gateway retries each attempt. As a result, an upstream that is already failing receives more calls than a healthy one.",
		"Limit the attempts for one request across all channels, and do not retry calls that cannot succeed."},
	{contract.UpstreamFreed, gravityEffects, "Upstream calls continue after the gateway has given up on them",
		"The gateway's operator pays for answers that nobody reads, and connections pile up.",
		"Call the upstream with the context of the client's request, and cancel this context when the client's request ends."},
	{contract.NotBilled, gravityEffects, "Failed requests are billed",
		"The caller pays for a request that failed.",
		"Refund the reserved quota on every error path."},
	{contract.NoCollateral, gravityEffects, "A failed call causes healthy calls to fail",
		"Other callers are refused because one caller's call failed.",
		"Count failures per model or channel. After a circuit breaker opens, admit a test call soon."},

	{contract.LimitExact, gravityEffects, "The rate limit admits more or fewer calls than declared",
		"Callers who stay within the published limit are refused, or the limit does not protect the gateway.",
		"Count calls atomically, in one place, over the declared window."},
	{contract.LimitBurst, gravityEffects, "The rate limit is not enforced correctly for concurrent calls",
		"The gateway admits a burst that exceeds the limit, or refuses callers who stay within it.",
		"Check the limit and count the call in one atomic step."},
	{contract.RetryAfterTrue, gravityEffects, "Retry-After is wrong",
		"SDKs retry at the stated time. If the time is too short, the gateway refuses them again. If it is too long, they wait longer than necessary.",
		"Compute Retry-After from the state that the rate limiter uses to refuse calls."},
	{contract.RateHeaders, gravityEffects, "Rate-limit headers do not match the gateway's behaviour",
		"Clients that pace themselves by these headers are refused or wait longer than necessary.",
		"Compute these headers from the state that the rate limiter uses to admit and refuse calls."},
	{contract.RefusedFree, gravityEffects, "Refused calls count against the limit or are billed",
		"A client that keeps retrying is never admitted, or pays for refused calls.",
		"Count and bill a call only when it is admitted."},
	{contract.DepartedFree, gravityEffects, "Disconnected callers keep their concurrency slots",
		"After enough disconnects, every call with the caller's key is refused until the gateway is restarted.",
		"Release a call's slot however the call ends, even if the caller disconnects."},
	{contract.KeyIsolation, gravityEffects, "One key's traffic affects another key",
		"A caller who exceeds their limit blocks other callers or slows them down.",
		"Track the limit separately for each key."},
	{contract.StreamShare, gravityEffects, "Streaming calls are not counted as the profile declares",
		"Callers cannot rely on the published limit.",
		"Count streaming calls as declared: together with other calls or separately."},
	{contract.Recovery, gravityEffects, "The gateway does not recover in time",
		"Callers are refused even after the limit allows calls again or the upstream has recovered.",
		"Admit calls as soon as the limit allows them, and probe an upstream soon after it fails."},
	{contract.UpstreamRefusal, gravityEffects, "The upstream's own 429 is retried or loses its Retry-After",
		"Callers retry too early, or the gateway sends even more calls to an upstream whose limit is already exceeded.",
		"Forward the upstream's Retry-After. If the upstream refuses a call with 429, do not call it more often than limits.attempts allows."},
	{contract.HealthyServed, gravityEffects, "Healthy calls fail while other calls fail at the upstream",
		"A fault in one model or channel becomes an outage for everyone.",
		"Give each channel its own connections and circuit breaker, and limit the resources that a hanging call can hold."},
	{contract.HealthySpared, gravityEffects, "Healthy calls are slow while other calls fail at the upstream",
		"A fault in one model or channel slows everyone down.",
		"Give each channel its own connections, and limit the resources that a hanging call can hold."},
	{contract.NothingLeft, gravityEffects, "Upstream calls stay open after an outage",
		"Each outage uses up more connections and memory.",
		"Cancel every upstream call when the client's request ends."},
	{contract.CapacityKept, gravityEffects, "The gateway handles fewer concurrent calls after an outage",
		"After each outage, the gateway handles fewer concurrent calls, until it handles none and has to be restarted.",
		"Release a call's slot on every path that ends the call, including timeouts, refused connections and incomplete responses."},
	{contract.Departure, gravityEffects, "Upstream calls continue after the client has disconnected",
		"The gateway's operator pays for answers that nobody reads.",
		"Cancel the upstream call when the client disconnects, for example by passing on the context of the client's request."},
}

// kindRemedies are what usually mends a kind of violation, where that is more than what the requirement says.
var kindRemedies = []struct {
	requirement contract.Requirement
	kind, mend  string
}{
	{contract.Envelope, `"error" is a string, not an object`, "Make \"error\" an object and move the string into its message field: {\"error\":{\"message\":\"…\",\"type\":\"…\",\"param\":null,\"code\":\"…\"}}."},
	{contract.Envelope, "an HTML page instead of JSON", "Register a handler that responds with JSON to every unknown path and method under the API root. Also check whether a proxy in front of the gateway serves its own HTML pages."},
	{contract.Envelope, "an empty body", "Write the error envelope wherever the gateway sets only a status. Also check whether a framework or middleware sends responses of its own."},
	{contract.Envelope, "text that is not JSON", "Find calls to http.Error and the framework's own error and panic handlers. Make all of them write the error envelope."},
	{contract.Code, "no code", "At each place where a gateway error occurs, assign the error its code from table 2 of the contract, and pass the code to the function that writes the response."},
}

// remedyOf is what is known about a requirement that was violated in a kind of way; texts are "" for one that is not in the contract.
func remedyOf(r contract.Requirement, kind string) remedy {
	i := slices.IndexFunc(remedies, func(m remedy) bool { return m.requirement == r })
	if i < 0 {
		return remedy{requirement: r, gravity: gravityEffects}
	}
	found := remedies[i]
	for _, k := range kindRemedies {
		if k.requirement == r && k.kind == kind {
			found.mend = cmp.Or(k.mend, found.mend)
		}
	}
	return found
}

func gravityOf(r contract.Requirement) int { return remedyOf(r, "").gravity }
