package contract

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An answer that is the upstream's own is noted, whether the case passes or fails. The note changes no verdict.
func TestAnAnswerThatTheUpstreamToldIsNoted(t *testing.T) {
	const told = `{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}`
	const fivexx = "http:5xx/upstream-error/chat/error-object"
	from := func(o Observation, told string) Observation {
		return with(o, func(o *Observation) {
			o.Upstream = &Seen{Attempts: []Attempt{{Status: 503}, {Status: 500, Error: told}}}
		})
	}
	stream := func(event string) Observation {
		return with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(event)}))
	}
	notJSON := answer(502, "text/html", "<html>Bad gateway</html>")
	for _, tt := range []struct {
		name, id string
		o        Observation
		told     string
		noted    bool
	}{
		{"the same bytes", fivexx, jsonAnswer(500, told), told, true},
		{"a pass", absentModel + "chat", jsonAnswer(404, openaiNotFound), openaiNotFound, true},
		{"other spaces and another order", fivexx,
			jsonAnswer(500, `{ "error": {"code":null,"param":null,"type":"server_error","message":"The server had an error."} }`), told, true},
		{"the upstream's name before the message, a request id behind it, and one more member", fivexx,
			jsonAnswer(500, `{"error":{"message":"openai error: The server had an error. (request id: 7)","type":"server_error","param":null,"code":null},"vendor":"openai"}`), told, true},
		{"not JSON", fivexx, notJSON, "<html>Bad gateway</html>\n", true},
		{"an error event", "http:5xx/upstream-error/chat-stream/mid-stream", stream(told), told, true},

		{"a code of its own", fivexx, jsonAnswer(500, `{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":"do_request_failed"}}`), told, false},
		{"a message of its own", fivexx, jsonAnswer(500, `{"error":{"message":"failed","type":"server_error","param":null,"code":null}}`), told, false},
		{"an envelope of another format", fivexx, jsonAnswer(500, told), `{"type":"error","error":{"type":"api_error","message":"The server had an error."}}`, false},
		{"an event of its own", "http:5xx/upstream-error/chat-stream/mid-stream",
			stream(`{"error":{"message":"failed","type":"server_error","param":null,"code":null}}`), told, false},
		{"the upstream told nothing", fivexx, jsonAnswer(500, told), "", false},
		{"no answer", fivexx, Observation{Failure: &Failure{Kind: Closed, Detail: "x"}}, told, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCase(tt.id)
			require.NoError(t, err)
			j := Judge(c, from(tt.o, tt.told))
			assert.Equal(t, tt.noted, slices.Contains(j.Findings,
				Finding{PassedOn, Note, "the gateway's own error response", "the upstream's response, passed on"}), j.Findings)
			rest := slices.DeleteFunc(slices.Clone(j.Findings), func(f Finding) bool { return f.Requirement == PassedOn })
			assert.Equal(t, VerdictOf(rest), VerdictOf(j.Findings))
		})
	}
}
