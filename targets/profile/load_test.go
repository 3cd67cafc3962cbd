package profile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/profile"
)

func TestLoadSettings(t *testing.T) {
	parse := func(settings string) (profile.Profile, error) {
		return profile.Parse("g.yaml", []byte("name: g\nbase_url: http://127.0.0.1:1\nkeys: {valid: sk-test-0123456789}\nmodels: {default: m}\nload: "+settings+"\n"),
			func(string) (string, bool) { return "", false })
	}
	p, err := parse("{rate: 20, outage: 30s, slow_calls: 300}")
	require.NoError(t, err)
	assert.Equal(t, profile.LoadSettings{Rate: 20, Outage: 30 * time.Second, SlowCalls: 300}, p.Load)
	for settings, problem := range map[string]string{
		"{rate: -1}": "must be from 0 to", "{rate: 1e9}": "must be from 0 to", "{rate: .nan}": "must be from 0 to", "{outage: 24h}": "an outage of",
		"{outage: -1s}": "an outage of", "{slow_calls: -1}": "-1 is not a valid number of slow calls", "{slow_calls: 1000000}": "it must be from 0 to 2000",
	} {
		_, err := parse(settings)
		require.ErrorIs(t, err, profile.ErrProfile, settings)
		assert.ErrorContains(t, err, problem)
	}
}
