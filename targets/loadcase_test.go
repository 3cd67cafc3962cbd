package targets

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestSurfacesThatArePutUnderLoad(t *testing.T) {
	for _, tt := range []struct {
		name          string
		offered, load []dialect.Surface
		want          []dialect.Surface
	}{
		{"the first of those that take a load", dialect.Surfaces(), nil, []dialect.Surface{"chat"}},
		{"the first that the gateway offers", []dialect.Surface{"embeddings", "gemini", "messages"}, nil, []dialect.Surface{"messages"}},
		{"none where none takes a load", []dialect.Surface{"embeddings"}, nil, []dialect.Surface{}},
		{"those that the profile names", dialect.Surfaces(), []dialect.Surface{"gemini", "messages"}, []dialect.Surface{"gemini", "messages"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, profile.Profile{Surfaces: tt.offered, Load: profile.LoadSettings{Surfaces: tt.load}}.LoadSurfaces())
		})
	}
}

func TestWhatALoadNeeds(t *testing.T) {
	const (
		limit = "http:429/over-rate-limit/"
		slow  = "code:channel:response_time_exceeded/slow-upstream/"
	)
	for _, tt := range []struct {
		name    string
		id      string
		change  func(*profile.Profile)
		problem string // "" when it is offered
	}{
		{"a limit without a window", limit + "chat/under-load", func(p *profile.Profile) { p.Limits.Rate.Window = 0 }, "not offered: the profile does not declare limits.rate.window"},
		{"a limit on concurrent calls that nothing can keep open", limit + "chat/under-load", func(p *profile.Profile) { p.Limits.Rate.Kind, p.Upstream = contract.Concurrency, profile.Upstream{} }, "not offered: to test a limit on concurrent calls, gatecert needs a mock upstream that keeps calls open, but the profile does not configure one"},
		{"a limit of calls under way, which has none", limit + "chat/under-load", func(p *profile.Profile) { p.Limits.Rate.Window, p.Limits.Rate.Kind = 0, contract.Concurrency }, ""},
		{"no declared limit", limit + "chat/under-load", func(p *profile.Profile) { p.Limits.Rate = profile.Rate{Window: time.Second} }, "not offered: the profile does not declare a rate limit (limits.rate.requests, and limits.rate.key or limits.rate.model)"},
		{"a slow upstream", slow + "chat/under-load", func(*profile.Profile) {}, ""},
		{"an upstream that is not the mock", slow + "chat/under-load", func(p *profile.Profile) { p.Upstream = profile.Upstream{} }, "not offered: the profile does not configure a mock upstream (upstream.listen or upstream.attach)"},
		{"a limit with its window", limit + "chat/under-load", func(*profile.Profile) {}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := relayProfile()
			p.Limits.Rate.Window = time.Second
			tt.change(&p)
			c, err := contract.ParseCase(tt.id)
			require.NoError(t, err)
			_, err = RequestFor(p, c, "tok")
			if tt.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, profile.ErrNotOffered)
			assert.EqualError(t, err, tt.problem)
		})
	}
}
