package store_test

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

func TestActionsBreakTheStoreAndMendIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE TABLE keys (id INTEGER)")
	require.NoError(t, err)
	p := profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}, Store: profile.DB{SQLite: path}, Circumstances: map[string]profile.Recipe{
		"gateway-error": {Before: []profile.Action{{SQL: "ALTER TABLE keys RENAME TO gone"}}, After: []profile.Action{{SQL: "ALTER TABLE gone RENAME TO keys"}}},
	}}
	var during error
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, during = db.ExecContext(r.Context(), "SELECT * FROM keys")
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer gateway.Close()
	p.BaseURL = gateway.URL
	s := targets.NewSession(targets.Prepared{Profile: p.WithDefaults()}, targets.Host{OpenStore: store.Open})
	defer func() { require.NoError(t, s.Close()) }()
	c, err := contract.ParseCase("http:5xx/gateway-error/chat")
	require.NoError(t, err)
	_, err = s.Observe(t.Context(), c)
	require.NoError(t, err)
	require.Error(t, during, "the table was gone while the case ran")
	_, err = db.ExecContext(t.Context(), "SELECT * FROM keys")
	require.NoError(t, err, "and is back afterwards")
}

func TestAFileThatIsNotThereIsNotMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	s, err := store.Open(profile.DB{SQLite: path})
	require.NoError(t, err)
	defer s.Close()
	require.ErrorContains(t, s.Exec(t.Context(), "DROP TABLE x"), "store "+path)
	assert.NoFileExists(t, path)
}
