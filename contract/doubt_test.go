package contract

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A finding names first the codes that say best what happened.
func TestFindingsNameTheCodesOfTheirCircumstance(t *testing.T) {
	for id, want := range map[string]string{
		"http:5xx/upstream-error/chat/error-object": "bad_response_status_code, bad_response, do_request_failed, channel:invalid_key …",
		"http:5xx/gateway-error/chat":               "query_data_error, update_data_error, get_channel_failed, channel:no_available_key …",
		"http:404/unknown-model/chat":               "model_not_found",
	} {
		c, err := ParseCase(id)
		require.NoError(t, err)
		status := 500
		if c.Row == "http:404" {
			status = 404
		}
		i := slices.IndexFunc(Judge(c, jsonAnswer(status, openaiError("other"))).Findings, func(f Finding) bool { return f.Requirement == CodeKnown })
		require.GreaterOrEqual(t, i, 0, id)
		assert.Equal(t, "a code from table 2 that fits the cause, in error.code: "+want, Judge(c, jsonAnswer(status, openaiError("other"))).Findings[i].Want)
	}
}

// What the profile has prepared may not be as the profile says: the findings tell, and the verdict stays.
func TestFindingsDoubtWhatTheProfilePrepared(t *testing.T) {
	ok := `{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`
	declaring := func(o Observation, d Declared) Observation { return with(o, func(o *Observation) { o.Declared = &d }) }
	const revoked, priced, spent = "http:403/revoked-key/chat", "code:model_price_error/unpriced-model/chat", "code:pre_consume_token_quota_failed/spent-key/chat"
	for _, tt := range []judgeRow{
		{"the recipe had no effect", priced, declaring(jsonAnswer(200, ok), Declared{Means: "the recipe"}),
			[]string{"MUST not-success: got 200 with an ordinary answer; check that the recipe causes the error, want 5xx"}},
		{"the key works", revoked, declaring(jsonAnswer(200, ok), Declared{Means: "keys.revoked"}),
			[]string{"MUST not-success: got 200 with an ordinary answer; check that keys.revoked causes the error, want 403"}},
		{"gatecert's own doing", absentModel + "chat", declaring(jsonAnswer(200, ok), Declared{}),
			[]string{"MUST not-success: got 200 with an ordinary answer, want 404"}},
		{"the recipe had an effect", priced, declaring(jsonAnswer(500, openaiError("model_price_error")), Declared{Means: "the recipe"}), nil},
		{"an error under 200 is not an ordinary answer", priced, declaring(jsonAnswer(200, openaiError("model_price_error")), Declared{Means: "the recipe"}),
			[]string{`MUST not-success: got 200 with "{\"error\":{\"message\":\"m\",\"type\":\"upstream_error\",\"param\":null,\"code\":\"model_price"…, want 5xx`}},
		{"an unknown key", spent, declaring(jsonAnswer(401, openaiError("access_denied")), Declared{Means: "keys.spent_key", UnknownKey: true}), []string{
			"SHOULD status-exact: got 401; the gateway may not know the key, because it gave the same response to a key that was never issued, want 403",
			`MUST code: got "access_denied", want "pre_consume_token_quota_failed" in error.code`, "SHOULD consistent: got 401, want access_denied with 403"}},
		{"a known key", spent, declaring(jsonAnswer(401, openaiError("pre_consume_token_quota_failed")), Declared{Means: "keys.spent_key"}),
			[]string{"SHOULD status-exact: got 401, want 403"}},
		{"another status", spent, declaring(jsonAnswer(402, openaiError("pre_consume_token_quota_failed")), Declared{Means: "keys.spent_key", UnknownKey: true}),
			[]string{"SHOULD status-exact: got 402, want 403"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCase(tt.id)
			require.NoError(t, err)
			var got []string
			for _, f := range Judge(c, tt.o).Findings {
				if f.Level != Note {
					got = append(got, f.String())
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
