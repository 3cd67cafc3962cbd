package targets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestWithoutClientKeysTheirCircumstancesAreNotOffered(t *testing.T) {
	p := relayProfile()
	p.Claims.ClientKeys = new(false)
	refused := make(map[string]bool)
	for _, c := range contract.Cases() {
		_, err := RequestFor(p, c, "tok")
		if circumstance, _ := contract.CircumstanceByID(c.Circumstance); circumstance.NeedsClientKeys() {
			require.ErrorIs(t, err, profile.ErrNotOffered, c.ID())
			require.ErrorContains(t, err, "the gateway has no client keys (claims.client_keys: false)", c.ID())
			refused[c.Circumstance] = true
		}
	}
	assert.Len(t, refused, 8)
	assert.NotEmpty(t, requestFor(t, p, "http:404/unknown-model/chat").Call.Model, "the others are offered")
	p.Claims.ClientKeys = new(true)
	assert.Empty(t, requestFor(t, p, "http:401/missing-key/chat").Call.Key)
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
