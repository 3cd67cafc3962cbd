package profile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

func TestAClaimOfTheCommandLine(t *testing.T) {
	var c Claims
	var err error
	for _, word := range []string{"codes=none", "client_keys=false"} {
		c, err = c.With(word)
		require.NoError(t, err)
	}
	assert.Equal(t, contract.Claims{Codes: &contract.CodeClaim{None: true}, NoClientKeys: true}, c.Declared())
	c, err = c.With("codes=published")
	require.NoError(t, err)
	assert.Nil(t, c.Declared().Codes)
	for _, word := range []string{"", "codes", "codes=", "codes=mine", "client_keys=no", "keys=false"} {
		_, err = c.With(word)
		require.ErrorIs(t, err, ErrProfile, word)
	}
	require.ErrorIs(t, Claims{Codes: 7}.Check(), ErrProfile)
	require.NoError(t, Claims{Codes: "none"}.Check())
}

func TestAClaimIsReadAndSurvivesALog(t *testing.T) {
	own := &contract.CodeClaim{Words: map[string][]string{
		"model_not_found": {"NoSuchModel"}, "channel:invalid_key": {"upstream_auth", "AuthError"},
	}}
	for _, tt := range []struct {
		name, claims string
		want         contract.Claims
	}{
		{"nothing", "", contract.Claims{}},
		{"all", "claims: {codes: published, client_keys: true}\n", contract.Claims{}},
		{"no codes", "claims: {codes: none}\n", contract.Claims{Codes: &contract.CodeClaim{None: true}}},
		{"no keys", "claims: {client_keys: false}\n", contract.Claims{NoClientKeys: true}},
		{"own words", "claims:\n  codes:\n    model_not_found: NoSuchModel\n    channel:invalid_key: [upstream_auth, AuthError]\n", contract.Claims{Codes: own}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("p.yaml", []byte("base_url: http://a\n"+tt.claims), environment(nil))
			require.NoError(t, err)
			assert.Equal(t, tt.want, p.Claims.Declared())
			logged, err := ParseRedacted(p.Redacted())
			require.NoError(t, err)
			assert.Equal(t, tt.want, logged.Claims.Declared(), p.Redacted())
		})
	}
}
