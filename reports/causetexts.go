package reports

import (
	"cmp"
	"slices"

	"github.com/gatecert/gatecert/contract"
)

// The order of causes, the gravest first.
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
		"Every caller can read what leaked, and it stays in their logs, tickets and error trackers.",
		"Write the error messages yourself. Do not put err.Error(), a stack trace or a request header into a response: log them with the request id."},
	{contract.KeyKept, gravityLeak, "The gateway's key follows a redirect to another host",
		"Whoever runs the other host receives the gateway's key.",
		"Do not follow redirects of the upstream, or drop the credential when the host changes."},

	{contract.NotSuccess, gravitySuccess, "",
		"SDKs treat every 2xx as a success: the application continues with an answer that does not exist, and nothing is retried.",
		"Set the error status before you write the first byte of the body. If the upstream hides an error in a 200, respond with 5xx."},
	{contract.StreamEnd, gravitySuccess, "A failed stream looks complete",
		"The SDK's read loop ends without an error, so half an answer looks complete.",
		"When the upstream fails, end the stream with the error event, without a finish reason or [DONE] before it, or break off the transfer."},

	{contract.StatusClass, gravityClass, "",
		"SDKs retry 5xx and give up on 4xx: a request that can never succeed is sent three times, or one that could succeed is abandoned.",
		"Decide the status in one place, by cause: 4xx for what the caller can fix, 5xx for what the gateway or the upstream did."},
	{contract.StatusBlame, gravityClass, "",
		"The caller replaces a key that is valid, or tops up an account that is not empty.",
		"When the upstream refuses the gateway's own key or account, answer 502 or 503 and do not pass on its 401, 402 or 403."},
	{contract.Answered, gravityClass, "No answer",
		"The caller waits, or sees a broken connection without a reason. SDKs then send the request again.",
		"Answer every request whose headers can be read: recover from panics, and give every handler a time limit."},
	{contract.AnsweredInTime, gravityClass, "Calls are not answered at the declared time limit",
		"Callers wait longer than the gateway promises, until their own timeout ends the call without a code.",
		"Give the whole call one deadline, retries included, and answer with 5xx when it has passed."},
	{contract.InTime, gravityClass, "Calls are not answered at the declared time limit under load",
		"While the upstream hangs, callers wait longer than the gateway promises.",
		"Give the whole call one deadline, retries and queues included, and answer with 5xx when it has passed."},

	{contract.StatusExact, gravityStatus, "",
		"SDKs choose the exception class by the status, so the handler for this error never runs.",
		"Decide the status in one place, by cause, and take the number from the row of the contract."},
	{contract.RetryAfter, gravityStatus, "Retry-After of a 429",
		"SDKs obey Retry-After. Without a usable one they guess, and retry too early or too late.",
		"Send Retry-After with every 429: the time until the next call is admitted, in whole seconds and no longer than the window."},

	{contract.Code, gravityCode, "",
		"Clients and dashboards decide by the code whether to retry, top up or contact support. Without the right one they have to read the message.",
		"Write the row's code where the API format defines it: error.code (OpenAI), error.code or error.details.error_code (Anthropic), error.details[].reason (Gemini)."},
	{contract.CodePlace, gravityCode, "",
		"Typed SDKs read the code from one place only, and find none there.",
		"Move the code to where the API format defines it: error.code (OpenAI), error.code or error.details.error_code (Anthropic), error.details[].reason (Gemini)."},
	{contract.Consistent, gravityCode, "",
		"Clients that read the code and clients that read the status treat the same error differently.",
		"Derive status, type and code from one cause, in one table."},

	{contract.Envelope, gravityEnvelope, "",
		"SDKs find no error object: the exception has neither code nor message, and the user sees only the status.",
		"Write every error through one function that builds the API format's envelope: for OpenAI, an \"error\" object with message, type, param and code."},
	{contract.Message, gravityEnvelope, "",
		"The user sees an error that does not say what is wrong.",
		"Give every error a message: a sentence that says what the caller can do."},
	{contract.ContentType, gravityEnvelope, "",
		"Clients and proxies that rely on the Content-Type do not decode the body, so its code and message are lost.",
		"Set Content-Type: application/json before the status is written, in the function that writes all errors."},
	{contract.Whole, gravityEnvelope, "Error answers break off",
		"The client reports a broken connection instead of the error.",
		"Write the error's body in one piece, with its true Content-Length."},
	{contract.StreamError, gravityEnvelope, "Errors in a stream have the wrong form",
		"SDKs look for only one form of error event. They skip any other, and the stream seems to end without an error.",
		"Send the error event of the API format: data: {\"error\":{…}} without a name (OpenAI, Gemini), event: error (Anthropic)."},
	{contract.StreamFormat, gravityEnvelope, "The event stream is not well-formed",
		"Strict event-stream parsers stop, or lose an event.",
		"Write each event as one or more \"data: …\" lines in UTF-8, and end it with an empty line."},

	{contract.Fields, gravityFields, "",
		"Clients that decode errors into a fixed type fail on a wrong type, or show an empty field.",
		"Write type, param and code into every OpenAI error, with null where there is no value."},

	{contract.UpstreamUnused, gravityEffects, "Refused requests reach the upstream",
		"The gateway's owner pays for calls that were refused.",
		"Before you call the upstream, check everything that can be checked."},
	{contract.RetriesBounded, gravityEffects, "The upstream is called too often for one request",
		"Retries multiply: an SDK tries three times, and the gateway retries each of them. An upstream in trouble gets the most calls.",
		"Limit the attempts for one request across all channels, and do not retry what cannot succeed."},
	{contract.UpstreamFreed, gravityEffects, "Calls to the upstream continue after the gateway gave up",
		"The gateway's owner pays for answers that nobody reads, and connections pile up.",
		"Call the upstream with the context of the request, and cancel it when the request ends."},
	{contract.NotBilled, gravityEffects, "Failed requests are billed",
		"The caller pays for a request that failed.",
		"Refund the reserved quota on every path that ends in an error."},
	{contract.NoCollateral, gravityEffects, "A failed call makes healthy ones fail",
		"Other callers are refused because of one caller's failure.",
		"Count failures per model or channel, and let a probe through soon after a breaker opens."},

	{contract.LimitExact, gravityEffects, "The rate limit does not admit exactly what it declares",
		"Callers who stay within the published limit are refused, or the limit does not protect the gateway.",
		"Count calls in one place, atomically, and over the declared window."},
	{contract.LimitBurst, gravityEffects, "The rate limit is wrong for many calls at once",
		"A burst exceeds the limit, or callers below it are refused.",
		"Make the check and the count one atomic step."},
	{contract.RetryAfterTrue, gravityEffects, "Retry-After is wrong",
		"SDKs retry at the stated time, and are refused again.",
		"Compute Retry-After from the same state that refuses the call."},
	{contract.RateHeaders, gravityEffects, "Rate-limit header fields do not match what happens",
		"Clients that pace themselves by these fields are refused, or wait for nothing.",
		"Compute the fields from the same state that admits and refuses calls."},
	{contract.RefusedFree, gravityEffects, "Refused calls count against the limit or are billed",
		"A client that retries never gets through.",
		"Count and bill a call only when it is admitted."},
	{contract.DepartedFree, gravityEffects, "Callers who disconnected keep their concurrency slots",
		"After enough disconnects, every call with the key is refused until the gateway is restarted.",
		"Release the slot wherever a call ends, including when its caller disconnects."},
	{contract.KeyIsolation, gravityEffects, "One key's traffic affects another key",
		"One caller over the limit blocks the others.",
		"Keep separate limit state for each key."},
	{contract.StreamShare, gravityEffects, "Streaming calls do not share the limit as declared",
		"Callers cannot rely on the published limit.",
		"Count streaming calls as the limit declares: with the others, or separately."},
	{contract.Recovery, gravityEffects, "Calls do not succeed again in time",
		"Callers are refused even though the limit has room or the upstream is healthy.",
		"Let calls through as soon as the window has room, and probe an upstream soon after its failure."},
	{contract.UpstreamRefusal, gravityEffects, "The upstream's own 429 is retried or loses its Retry-After",
		"Callers retry too early, and the gateway itself sends more calls against a limit that is already exceeded.",
		"Keep the upstream's Retry-After, and do not retry its 429 more often than allowed."},
	{contract.HealthyServed, gravityEffects, "Healthy calls fail while others fail at the upstream",
		"A fault in one model or channel becomes an outage for everybody.",
		"Give each channel its own connections and breaker, and limit what a hanging call can hold."},
	{contract.HealthySpared, gravityEffects, "Healthy calls are slow while others fail at the upstream",
		"A fault in one model or channel slows everybody down.",
		"Give each channel its own connections, and limit what a hanging call can hold."},
	{contract.NothingLeft, gravityEffects, "Calls to the upstream stay open after an outage",
		"Each outage uses up more connections and memory.",
		"Cancel every call to the upstream when its request has ended."},
	{contract.CapacityKept, gravityEffects, "The gateway handles fewer calls at once after an outage",
		"After each outage the gateway handles fewer calls at once, until it handles none and has to be restarted.",
		"Release the slot of a call on every path that ends it, including timeouts, refused connections and broken responses."},
	{contract.Departure, gravityEffects, "Calls to the upstream continue after the client disconnected",
		"The gateway's owner pays for answers that nobody reads.",
		"Call the upstream with the context of the request."},
}

// kindRemedies are what usually mends a kind of violation, where that is more than what the requirement says.
var kindRemedies = []struct {
	requirement contract.Requirement
	kind, mend  string
}{
	{contract.Envelope, `"error" is a string, not an object`, "Make \"error\" an object, and the string its message: {\"error\":{\"message\":\"…\",\"type\":\"…\",\"param\":null,\"code\":\"…\"}}."},
	{contract.Envelope, "an HTML page instead of JSON", "Register a handler that responds with JSON to every unknown path and method under the API root, and look for a proxy in front of the gateway that serves its own pages."},
	{contract.Envelope, "an empty body", "Write the error envelope wherever only a status is set. Look for a framework or middleware that ends the request itself."},
	{contract.Envelope, "text that is not JSON", "Look for http.Error and for the framework's own error and panic handlers, and make them write the error envelope."},
	{contract.Code, "no code", "Give every gateway error its code from table 2 where the error arises, and pass the code on to the function that writes the answer."},
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
