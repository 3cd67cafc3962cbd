package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func claiming(o Observation, codes *CodeClaim) Observation {
	return with(o, func(o *Observation) { o.Declared = &Declared{Codes: codes} })
}

// A gateway is judged by the codes that it claims, and by everything else as ever.
func TestClaimedCodes(t *testing.T) {
	none := &CodeClaim{None: true}
	own := &CodeClaim{Words: map[string][]string{
		"model_not_found": {"NoSuchModel", "ModelGone"}, "do_request_failed": {"upstream_error"}, "bad_response": {"upstream_error"},
		"invalid_request": {"BadRequest"},
	}}
	withCode := func(status int, code string) Observation { return jsonAnswer(status, openaiError(code)) }
	const noInput, reset = "http:400/missing-parameter/chat/no-input", "code:do_request_failed/unreachable-upstream/chat/reset"
	for _, tt := range []judgeRow{
		{"no codes: another word is fine", absentModel + "chat", claiming(withCode(404, "whatever"), none), nil},
		{"no codes: null is fine", absentModel + "chat", claiming(jsonAnswer(404, strings.Replace(openaiNotFound, `"model_not_found"`, "null", 1)), none), nil},
		{"no codes: the status is still judged", absentModel + "chat", claiming(withCode(400, "whatever"), none), []string{"MUST status-exact: got 400, want 404"}},
		{"no codes: the envelope is still judged, without a word of the code", absentModel + "chat", claiming(jsonAnswer(404, `{}`), none),
			[]string{`MUST envelope: got an object without "error" (keys: ), want {"error":{"message","type","param","code"}}`}},
		{"no codes: a row of table 1", noInput, claiming(withCode(400, "whatever"), none), nil},
		{"no codes: a code of another status", noInput, claiming(withCode(400, "model_not_found"), none), nil},
		{"no codes: error.type still has to agree", absentModel + "chat",
			claiming(jsonAnswer(404, strings.Replace(openaiNotFound, "invalid_request_error", "server_error", 1)), none),
			[]string{`SHOULD consistent: got "server_error", want an error.type that fits status 404`}},
		{"no codes: tolerated places are no matter", absentModel + "messages",
			claiming(jsonAnswer(404, `{"type":"error","error":{"type":"model_not_found","message":"m"}}`), none), nil},

		{"own words: the first", absentModel + "chat", claiming(withCode(404, "NoSuchModel"), own), nil},
		{"own words: the second", absentModel + "chat", claiming(withCode(404, "ModelGone"), own), nil},
		{"own words: another", absentModel + "chat", claiming(withCode(404, "Gone"), own),
			[]string{`MUST code: got "Gone", want "NoSuchModel" or "ModelGone" in error.code`}},
		{"own words: they replace the published one", absentModel + "chat", claiming(withCode(404, "model_not_found"), own),
			[]string{`MUST code: got "model_not_found", want "NoSuchModel" or "ModelGone" in error.code`}},
		{"own words: a code left out stays as published", "code:bad_request_body/malformed-body/chat/cut-json", claiming(withCode(400, "bad_request_body"), own), nil},
		{"own words: one for two codes", reset, claiming(withCode(502, "upstream_error"), own), nil},
		{"own words: one that does not agree with its status", noInput, claiming(withCode(400, "NoSuchModel"), own),
			[]string{`SHOULD code-known: got "NoSuchModel", want a code from table 2 that fits the cause, in error.code: BadRequest, bad_request_body, read_request_body_failed, convert_request_failed`,
				`SHOULD consistent: got 400, want NoSuchModel with 404`}},
		{"own words: a row of table 1", noInput, claiming(withCode(400, "BadRequest"), own), nil},
		{"own words: in Gemini's place", absentModel + "gemini", claiming(jsonAnswer(404, strings.Replace(geminiNotFound, "model_not_found", "NoSuchModel", 1)), own), nil},
		{"own words: without an error object", absentModel + "chat", claiming(jsonAnswer(404, `{}`), own),
			[]string{`MUST envelope: got an object without "error" (keys: ), want {"error":{"message","type","param","code"}}`,
				`MUST code: got no error object, want "NoSuchModel" or "ModelGone"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCase(tt.id)
			require.NoError(t, err)
			var got []string
			for _, f := range Judge(c, tt.o).Findings {
				if f.Level != Note {
					got = append(got, fmt.Sprintf("%s %s: got %s, want %s", f.Level, f.Requirement, f.Got, f.Want))
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWithoutCodesNoRequirementAboutThemIsListed(t *testing.T) {
	for _, id := range []string{absentModel + "chat", "http:401/missing-key/chat"} {
		c, err := ParseCase(id)
		require.NoError(t, err)
		results := Judge(c, claiming(jsonAnswer(404, openaiNotFound), &CodeClaim{None: true})).Results
		for _, r := range []Requirement{Code, CodePlace, CodeKnown} {
			assert.NotContains(t, results, r, id)
		}
		assert.Contains(t, results, Envelope)
	}
}

func TestAClaimInWords(t *testing.T) {
	for _, tt := range []struct {
		claims        Claims
		words, limits string
	}{
		{Claims{}, "tables 1 and 2", ""},
		{Claims{NoClientKeys: true}, "tables 1 and 2, no client keys", "the gateway issues no client keys"},
		{Claims{Codes: &CodeClaim{None: true}}, "table 1, no codes", "to table 1; the gateway claims no codes"},
		{Claims{Codes: &CodeClaim{Words: map[string][]string{"bad_response": {"x"}}}, NoClientKeys: true},
			"tables 1 and 2, the gateway's own names for 1 of 26 codes, no client keys", "to table 1 and to the gateway's own codes; the gateway issues no client keys"},
	} {
		assert.Equal(t, tt.words, tt.claims.String())
		assert.Equal(t, tt.limits, tt.claims.Limits())
	}
}

func TestEightCircumstancesAndFourVariantsNeedClientKeys(t *testing.T) {
	n := 0
	for _, c := range Circumstances() {
		if c.NeedsClientKeys() {
			n++
		}
		for _, v := range c.Variants {
			if v.NeedsClientKeys(c.ID) {
				n++
			}
		}
	}
	assert.Equal(t, len(needClientKeys), n, "each names a circumstance")
}
