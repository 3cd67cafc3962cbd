package targets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestWithoutClientKeysTheirCircumstancesAreNotOffered(t *testing.T) {
	p := relayProfile()
	p.Claims.ClientKeys = new(false)
	refused := make(map[string]bool)
	for _, c := range contract.Cases() {
		_, err := RequestFor(p, c, "tok")
		if c.NeedsClientKeys() {
			require.ErrorIs(t, err, profile.ErrNotOffered, c.ID())
			require.ErrorContains(t, err, "the gateway has no client keys (claims.client_keys: false)", c.ID())
			refused[c.Circumstance] = true
		}
	}
	assert.Len(t, refused, 9, "eight circumstances, and some variants of upstream-error")
	assert.NotEmpty(t, requestFor(t, p, "http:5xx/upstream-error/chat/error-object").Call.Model)
	refusal, err := contract.ParseCase("http:5xx/upstream-error/chat/error-402")
	require.NoError(t, err)
	_, err = RequestFor(p, refusal, "tok")
	require.ErrorIs(t, err, profile.ErrNotOffered, "the upstream's refusal of the key is about the caller")
	assert.NotEmpty(t, requestFor(t, p, "http:404/unknown-model/chat").Call.Model, "the others are offered")
	p.Claims.ClientKeys = new(true)
	assert.Empty(t, requestFor(t, p, "http:401/missing-key/chat").Call.Key)
}

func TestWhatTheGatewayLacksIsNotOffered(t *testing.T) {
	p := relayProfile()
	p.Circumstances = map[string]profile.Recipe{"sensitive-content": {Prompt: "word"}, "uncountable-input": {}}
	p.Lacks = map[string]string{"sensitive-content": "it has no word list", "uncountable-input/chat": "it counts streams only"}
	for id, want := range map[string]string{
		"code:sensitive_words_detected/sensitive-content/messages": "not offered: it has no word list",
		"code:count_token_failed/uncountable-input/chat":           "not offered: it counts streams only",
		"code:count_token_failed/uncountable-input/chat-stream":    "",
		"code:model_not_found/absent-model/chat":                   "",
	} {
		c, err := contract.ParseCase(id)
		require.NoError(t, err)
		_, err = RequestFor(p, c, "tok")
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, profile.ErrNotOffered)
		require.EqualError(t, err, want)
	}
}

func TestCallsFollowThePrefix(t *testing.T) {
	p := relayProfile()
	p.Prefix = map[string]any{"gemini": "/proxy/g"}
	assert.Equal(t, "http://gateway.test/proxy/g", requestFor(t, p, "http:404/unknown-path/gemini/no-such-path").Call.BaseURL)
	assert.Equal(t, "http://gateway.test/proxy/g", HealthyCall(p, "gemini-stream", "tok").BaseURL)
	assert.Equal(t, "http://gateway.test", NonsenseCall(p, "chat", "tok").BaseURL)
}

func TestTheClaimedCodesTravelWithEveryObservation(t *testing.T) {
	p := relayProfile()
	c, err := contract.ParseCase("code:model_not_found/absent-model/chat")
	require.NoError(t, err)
	assert.Nil(t, (&Session{Profile: p}).declared(c, ""), "nothing is declared")
	p.Claims.Codes = "none"
	assert.Equal(t, &contract.Declared{Codes: &contract.CodeClaim{None: true}}, (&Session{Profile: p}).declared(c, ""))
}

func TestRecipesThatDecideAboutRequestsAreListed(t *testing.T) {
	p := relayProfile()
	p.Circumstances = map[string]profile.Recipe{
		"revoked-key":       {Key: "sk-revoked", Path: "/canned/403", Method: "GET"},
		"sensitive-content": {Prompt: "word"},
		"uncountable-input": {On: map[dialect.Surface]profile.Recipe{dialect.Chat: {Body: map[string]any{"n": 2, "a": 1}, Headers: map[string]string{"X-B": "secret"}}}},
	}
	require.Equal(t, []string{"revoked-key: method GET, path /canned/403", "uncountable-input on chat: headers X-B, body [a n]"}, RecipesOf(p))
}
