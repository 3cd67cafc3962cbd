package targets

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestAStoreThatIsNone(t *testing.T) {
	require.ErrorIs(t, NewStore(profile.DB{}).Exec(t.Context(), "SELECT 1"), ErrNoStore)
	err := NewStore(profile.DB{Postgres: "postgres://u:hunter2-hunter2@h:bad/db"}).Exec(t.Context(), "SELECT 1")
	require.ErrorContains(t, err, "the PostgreSQL URL cannot be read")
	assert.NotContains(t, err.Error(), "hunter2-hunter2")
}

// psql is played by a script that shows what it was given.
func TestPostgresIsSpokenToByPSQL(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$PGHOST $PGPORT $PGUSER $PGPASSWORD $PGDATABASE $PGSSLMODE: $*\" > " + dir + "/said\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "psql"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	store := NewStore(profile.DB{Postgres: "postgres://napi:hunter2@db.example:5433/gateway?sslmode=disable"})
	require.NoError(t, store.Exec(t.Context(), "SELECT 1"))
	said, err := os.ReadFile(filepath.Join(dir, "said"))
	require.NoError(t, err)
	assert.Equal(t, "db.example 5433 napi hunter2 gateway disable: -X -q -v ON_ERROR_STOP=1 -c SELECT 1\n", string(said))

	script = "#!/bin/sh\necho no such table >&2\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "psql"), []byte(script), 0o700))
	err = store.Exec(t.Context(), "DROP TABLE x")
	require.ErrorContains(t, err, `"DROP TABLE x": exit status 1: no such table`)
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestPostgresEnvLeavesOutWhatTheURLDoesNotSay(t *testing.T) {
	u, err := url.Parse("postgres:///gateway")
	require.NoError(t, err)
	assert.Equal(t, []string{"PGDATABASE=gateway"}, postgresEnv(u))
}

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
	}})
	defer s.Close()
	require.NoError(t, s.act(t.Context(), []profile.Action{{Do: "break"}}))
	require.ErrorContains(t, s.act(t.Context(), []profile.Action{{Do: "fail"}, {Do: "break"}}), `do "fail": no hammer`)
	require.ErrorContains(t, s.act(t.Context(), []profile.Action{{Do: "dance"}}), `the driver has no action "dance"`)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, s.undo(gone, []profile.Action{{Do: "fail"}, {Do: "mend"}}), "after the case: do")
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
