package mutants

import (
	"encoding/base64"
	"runtime/debug"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// secrecyMutants leak internals to clients.
func secrecyMutants() []Mutant {
	// leak adds internals to the message.
	leak := func(what func(*reference.Call, *reference.Failure) string, conditions ...condition) change {
		return changeFailure(func(c *reference.Call, f *reference.Failure) { f.Message += " " + what(c, f) }, conditions...)
	}
	text := func(s string) func(*reference.Call, *reference.Failure) string {
		return func(*reference.Call, *reference.Failure) string { return s }
	}
	cause := func(_ *reference.Call, f *reference.Failure) string { return f.Cause.Error() }
	return []Mutant{
		mutant("driver-errors-shown", "The error for a failed database read contains the database driver's message.",
			leak(cause, causedBy(reference.ErrStoreRead)),
			fails(contract.Secrecy, "http:5xx/gateway-error/**", "code:query_data_error/**")),
		mutant("sql-shown", "The error for a failed database write contains the SQL statement.",
			leak(text("INSERT INTO ledger (request_id, user_id) VALUES (?, ?)"), causedBy(reference.ErrStoreWrite)),
			fails(contract.Secrecy, "code:update_data_error/**")),
		mutant("dial-errors-shown", "The error for an unreachable upstream contains the HTTP library's message, including the upstream's address.",
			leak(cause, withCode(reference.DoRequest)),
			fails(contract.Secrecy, "code:do_request_failed/**")),
		mutant("lookup-errors-shown", "The error for a bad upstream status contains the message of a failed DNS lookup, including internal host names.",
			leak(text("lookup upstream.internal on 10.0.0.2:53: no such host"),
				withCode(reference.BadResponseStatus), upstreamStatus(503), on(dialect.Embeddings)),
			fails(contract.Secrecy, "code:bad_response_status_code/*/embeddings/empty-503")),
		mutant("stack-shown", "The error for a response that cannot be serialised contains the handler's stack trace.",
			leak(func(*reference.Call, *reference.Failure) string { return string(debug.Stack()) }, withCode(reference.MarshalJSON)),
			fails(contract.Secrecy, "code:json_marshal_failed/**")),
		mutant("traceback-in-streams", "The error event of a stream contains a Python traceback.",
			leak(text("Traceback (most recent call last):\n  File \"/app/proxy.py\", line 88, in stream"), begun),
			fails(contract.Secrecy, midStream()...)),
		mutant("upstream-key-shown", "The error for a bad upstream response quotes the upstream key.",
			leak(func(c *reference.Call, _ *reference.Failure) string {
				_, key := c.Upstream()
				return "Authorization: Bearer " + key
			}, withCode(reference.BadResponse), not(begun)),
			fails(contract.Secrecy, append(errorsAsAnswers(), "code:bad_response/**")...)),
		mutant("upstream-address-in-a-header", "A debug header of a timeout error contains the upstream's address.",
			changeFailure(func(c *reference.Call, f *reference.Failure) {
				address, _ := c.Upstream()
				f.WithHeader("X-Upstream", address)
			}, causedBy(reference.ErrTooSlow)),
			passes(midStream()...),
			fails(contract.Secrecy, "code:channel:response_time_exceeded/**")),
		mutant("upstream-key-in-base64", "If the upstream's response is bad, a debug header of the error response contains the upstream's credentials in base64.",
			changeFailure(func(c *reference.Call, f *reference.Failure) {
				_, key := c.Upstream()
				f.WithHeader("X-Debug", base64.StdEncoding.EncodeToString([]byte("Bearer "+key)))
			}, withCode(reference.BadResponse), on(dialect.Chat)),
			fails(contract.Secrecy, "code:bad_response/*/chat/**", "http:5xx/upstream-error/chat/answer-with-error")),
		mutant("upstream-key-half-masked", "The error for a bad upstream response contains the upstream key with only the middle masked, so most of the key is visible.",
			leak(func(c *reference.Call, _ *reference.Failure) string {
				_, key := c.Upstream()
				return key[:len(key)/2+3] + "****" + key[len(key)-4:]
			}, withCode(reference.BadResponse), on(dialect.Messages)),
			fails(contract.Secrecy, "code:bad_response/*/messages/**", "http:5xx/upstream-error/messages/answer-with-error")),
		mutant("java-stack-shown", "The error for a failed token count contains a Java stack trace, indented with tabs.",
			leak(text("java.lang.IllegalStateException\n\tat com.acme.gateway.Relay.call(Relay.java:88)"), withCode(reference.CountToken)),
			fails(contract.Secrecy, "code:count_token_failed/**")),
		mutant("redis-errors-in-a-header", "A header of the error for a model without a usable price contains an error message from Redis.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				f.WithHeader("X-Error", "NOAUTH Authentication required.")
			}, withCode(reference.ModelPrice)),
			fails(contract.Secrecy, "code:model_price_error/**")),
		mutant("caller-key-echoed", "The error for a wrong key quotes the key, so the key appears in logs and screenshots.",
			leak(func(c *reference.Call, _ *reference.Failure) string { return c.Key() }, withStatus(401)),
			fails(contract.Secrecy, "http:401/wrong-key/**")),
	}
}
