package reference

import (
	"runtime/debug"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// secrecyDeviations show callers what must stay inside.
func secrecyDeviations() []Deviation {
	// showing puts something inside into the message.
	showing := func(what func(*call, *failure) string, conditions ...when) func(*bends) {
		return failing(func(c *call, f *failure) { f.message += " " + what(c, f) }, conditions...)
	}
	text := func(s string) func(*call, *failure) string {
		return func(*call, *failure) string { return s }
	}
	return []Deviation{
		{
			Name:     "driver-errors-shown",
			Sentence: "What the database driver says about a failing read is passed to the caller.",
			Turns:    []Turn{fails(contract.Secrecy, "http:5xx/gateway-error/**", "code:query_data_error/**")},
			bend:     showing(func(_ *call, f *failure) string { return f.cause.Error() }, because(errQuery)),
		},
		{
			Name:     "sql-shown",
			Sentence: "The statement that failed is passed to the caller.",
			Turns:    []Turn{fails(contract.Secrecy, "code:update_data_error/**")},
			bend:     showing(text("INSERT INTO ledger (request_id, user_id) VALUES (?, ?)"), because(errUpdate)),
		},
		{
			Name:     "dial-errors-shown",
			Sentence: "What the HTTP client says about an unreachable provider is passed to the caller, its address included.",
			Turns:    []Turn{fails(contract.Secrecy, "code:do_request_failed/**")},
			bend:     showing(func(_ *call, f *failure) string { return f.cause.Error() }, coded(doRequest)),
		},
		{
			Name:     "lookup-errors-shown",
			Sentence: "The name server that does not know a provider is named to the caller.",
			Turns:    []Turn{fails(contract.Secrecy, "code:bad_response_status_code/*/embeddings/empty-503")},
			bend: showing(text("lookup provider.internal on 10.0.0.2:53: no such host"),
				coded(badResponseStatus), refusedBy(503), on(dialect.Embeddings)),
		},
		{
			Name:     "stack-shown",
			Sentence: "A failure to write the answer is told with the stack of the handler.",
			Turns:    []Turn{fails(contract.Secrecy, "code:json_marshal_failed/**")},
			bend:     showing(func(*call, *failure) string { return string(debug.Stack()) }, coded(marshalJSON)),
		},
		{
			Name:     "traceback-in-streams",
			Sentence: "The error event of a stream holds a traceback.",
			Turns:    []Turn{fails(contract.Secrecy, midStream()...)},
			bend: showing(text("Traceback (most recent call last):\n  File \"/app/proxy.py\", line 88, in stream"),
				func(c *call, _ *failure) bool { return c.reply.begun }),
		},
		{
			Name:     "provider-key-shown",
			Sentence: "The provider's key is quoted when the provider's answer is not understood.",
			Turns:    []Turn{fails(contract.Secrecy, "code:bad_response/**")},
			bend: showing(func(c *call, _ *failure) string { return "Authorization: Bearer " + c.routes[0].secret },
				coded(badResponse), func(c *call, _ *failure) bool { return !c.reply.begun }),
		},
		{
			Name:     "provider-address-in-a-header",
			Sentence: "A header field for debugging names the provider's address when the provider is too slow.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.Secrecy, "code:channel:response_time_exceeded/**"),
			},
			bend: failing(func(c *call, f *failure) { _ = f.saying("X-Upstream", c.routes[0].address) }, because(errTooSlow)),
		},
		{
			Name:     "caller-key-echoed",
			Sentence: "A key that was never issued is quoted back, into logs and screenshots.",
			Turns:    []Turn{fails(contract.Secrecy, "http:401/wrong-key/**")},
			bend:     showing(func(c *call, _ *failure) string { return credential(c.request) }, answered(401)),
		},
	}
}
