package profile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

const limited = "base_url: http://127.0.0.1:1\nkeys: {valid: sk-valid-0123456789}\nmodels: {default: m}\nlimits:\n  rate:"

func parseLimited(rate string) (profile.Profile, error) {
	return profile.Parse("p.yaml", []byte(limited+rate), func(string) (string, bool) { return "", false })
}

func TestARateIsOneLimitOrAList(t *testing.T) {
	one, err := parseLimited(" {key: sk-limited-0123456789, requests: 20, window: 10s, refused_count: true}\n")
	require.NoError(t, err)
	require.Equal(t, []profile.Rate{{Key: "sk-limited-0123456789", Requests: 20, Window: 10 * time.Second, RefusedCount: true}}, one.Limits.Rate.Limits())

	several, err := parseLimited(`
    - {key: sk-limited-0123456789, requests: 60, window: 1m, kind: sliding-log}
    - {tokens: 2000, window: 10s}
    - {concurrent: 5}
`)
	require.NoError(t, err)
	require.Equal(t, []profile.Rate{
		{Key: "sk-limited-0123456789", Requests: 60, Window: time.Minute, Kind: contract.SlidingLog},
		{Tokens: 2000, Window: 10 * time.Second},
		{Requests: 5, Kind: contract.Concurrency},
	}, several.Limits.Rate.Limits())
	require.Equal(t, "sk-limited-0123456789", several.LimitedKey())
	require.Equal(t, 121, several.Limits.Rate.UsedUpBy(), "the requests are used up first")
	require.Equal(t, time.Minute, several.Limits.Rate.LongestWindow())

	for _, p := range []profile.Profile{one, several} {
		shown := p.Redacted()
		require.NotContains(t, shown, "sk-limited")
		again, err := profile.ParseRedacted(shown)
		require.NoError(t, err, shown)
		want := p.Limits.Rate.Limits()
		want[0].Key = again.Limits.Rate.Key
		require.Equal(t, want, again.Limits.Rate.Limits(), shown)
	}
	without, err := profile.Parse("p.yaml", []byte(strings.TrimSuffix(limited, "limits:\n  rate:")), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	require.NotContains(t, without.Redacted(), "rate")
}

func TestAFaultOfALimitHasItsPlace(t *testing.T) {
	for _, row := range []struct{ rate, want string }{
		{" {key: k, requests: 5, tokens: 3, window: 1s}", "set exactly one of requests, tokens, input_tokens, output_tokens and concurrent"},
		{" {key: k, window: 1s}", `the key has no limit: set a limit, for example with the field "requests"`},
		{" {key: k, tokens: 100}", `this limit needs a window: set the field "window", for example to 1m`},
		{" {key: k, tokens: 100, window: 1s, kind: concurrency}", "a limit on tokens cannot be of kind concurrency"},
		{" {key: k, concurrent: 5, kind: sliding-log}", "kind must be concurrency if concurrent is set"},
		{" {key: k, concurrent: 5, refused_count: true}", "remove refused_count: a refused call is never in progress, so it cannot count against a limit on concurrent calls"},
		{" {key: k, request: 5}", "unknown"},
		{"\n    - {key: k, requests: 5, window: 1s}\n    - {window: 1s}", "p.yaml:7:7: set exactly one of requests, tokens, input_tokens, output_tokens and concurrent"},
		{"\n    - {key: k, requests: 5, window: 1s}\n    - {requests: 5}", `this limit needs a window: set the field "window", for example to 1m`},
		{"\n    - {key: k, requests: 5, window: 1s}\n    - {key: k, requests: 50, window: 1m}", `set the field "key" only in the first limit of the list: it applies to all limits`},
		{"\n    - {key: k, requests: 5, window: 1s}\n    - {requests: 50, windows: 1m}", "unknown"},
		{"\n    - {key: k, requests: 5, window: 1s}\n    - {tokens: -1, window: 1m}", "the number of tokens must be positive"},
	} {
		_, err := parseLimited(row.rate + "\n")
		require.ErrorIs(t, err, profile.ErrProfile, row.rate)
		require.ErrorContains(t, err, row.want, row.rate)
		require.ErrorContains(t, err, "p.yaml:", row.rate)
	}
}
