package store

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestAStoreThatIsNone(t *testing.T) {
	_, err := Open(profile.DB{})
	require.ErrorIs(t, err, targets.ErrNoStore)
	_, err = Open(profile.DB{Postgres: "postgres://u:hunter2-hunter2@h:bad/db"})
	require.ErrorContains(t, err, "the PostgreSQL URL cannot be parsed")
	assert.NotContains(t, err.Error(), "hunter2-hunter2")
}

// psql is played by a script that shows what it was given.
func TestPostgresIsSpokenToByPSQL(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$PGHOST $PGPORT $PGUSER $PGPASSWORD $PGDATABASE $PGSSLMODE: $*\" > " + dir + "/said\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "psql"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	store, err := Open(profile.DB{Postgres: "postgres://napi:hunter2@db.example:5433/gateway?sslmode=disable"})
	require.NoError(t, err)
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
