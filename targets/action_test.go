package targets

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestSecretsOfAPreparedGateway(t *testing.T) {
	p := profile.Profile{
		Admin:    profile.Admin{Token: "admin-token-1", Password: "admin-pass-1"},
		Store:    profile.DB{Postgres: "postgres://u:store-pass-1@h/db"},
		Upstream: profile.Upstream{URL: "http://host.docker.internal:9901"},
	}
	text := p.Redacted()
	for _, secret := range []string{"admin-token-1", "admin-pass-1", "store-pass-1", "host.docker.internal:9901"} {
		assert.NotContains(t, text, secret)
	}
}

func TestActionsOfADriver(t *testing.T) {
	var done []string
	s := NewSession(Prepared{Actions: map[string]func(context.Context) error{
		"break": func(context.Context) error { done = append(done, "break"); return nil },
		"mend":  func(context.Context) error { done = append(done, "mend"); return nil },
		"fail":  func(context.Context) error { return errors.New("no hammer") },
	}}, Host{})
	defer s.Close()
	require.NoError(t, s.runActions(t.Context(), []profile.Action{{Do: "break"}}))
	require.ErrorContains(t, s.runActions(t.Context(), []profile.Action{{Do: "fail"}, {Do: "break"}}), `do "fail": no hammer`)
	require.ErrorContains(t, s.runActions(t.Context(), []profile.Action{{Do: "dance"}}), `the driver has no action "dance"`)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, s.runUndo(gone, []profile.Action{{Do: "fail"}, {Do: "mend"}}), `the case's "after" action failed: do`)
	assert.Equal(t, []string{"break", "mend"}, done)
}

func TestASurfaceCanHaveActionsOfItsOwn(t *testing.T) {
	p := profile.Profile{
		Keys: profile.Keys{Valid: "k"}, Models: profile.Models{Default: "m"},
		Circumstances: map[string]profile.Recipe{"no-channel": {Model: "unrouted", On: map[dialect.Surface]profile.Recipe{
			dialect.Chat: {Before: []profile.Action{{Do: "break"}}, After: []profile.Action{{Do: "mend"}}},
		}}},
	}.WithDefaults()
	for surface, exclusive := range map[dialect.Surface]bool{dialect.Chat: true, dialect.Messages: false} {
		pr, err := RequestFor(p, contract.Case{Row: "code:get_channel_failed", Circumstance: "no-channel", Surface: surface}, "t")
		require.NoError(t, err)
		assert.Equal(t, exclusive, pr.Exclusive(), surface)
	}
}
