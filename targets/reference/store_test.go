package reference

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

const (
	eventually = 20 * time.Second
	tick       = 5 * time.Millisecond
)

// otherConnection executes statements on another connection to the store, as another process would.
func (r *rig) otherConnection() func(statement string) {
	r.Helper()
	db, err := sql.Open("sqlite", "file:"+r.gateway.StorePath()+"?_pragma=busy_timeout(5000)")
	require.NoError(r, err)
	r.Cleanup(func() { _ = db.Close() })
	return func(statement string) {
		r.Helper()
		_, err := db.Exec(statement)
		require.NoError(r, err)
	}
}

func TestStoreThatCannotBeReadIsAnErrorOfTheGatewayAndHealsAtOnce(t *testing.T) {
	for _, table := range []string{"users", "keys", "models", "channels", "channel_models", "channel_keys", "words"} {
		t.Run(table, func(t *testing.T) {
			r := newRig(t)
			exec := r.otherConnection()
			for range 2 {
				r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi"))
				exec("ALTER TABLE " + table + " RENAME TO elsewhere")
				surfaces := dialect.Surfaces()
				if table == "words" || table == "channel_keys" {
					surfaces = relayed() // showing a model needs neither
				}
				forSurfaces(t, r, surfaces, func(r *rig, s dialect.Surface) {
					r.requireError(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi [[gatecert token=unread]]"), 500, "query_data_error")
				})
				exec("ALTER TABLE elsewhere RENAME TO " + table)
			}
			r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi"))
			require.Empty(t, r.seen("unread"))
		})
	}
}

func TestStoreThatCannotBeWrittenIsAnErrorOfTheGatewayAndHealsAtOnce(t *testing.T) {
	for _, c := range []struct{ name, fail, heal string }{
		{"users refuse changes", "CREATE TRIGGER fault BEFORE UPDATE ON users BEGIN SELECT raise(ABORT, 'disk of user root is full'); END", "DROP TRIGGER fault"},
		{"keys refuse changes", "CREATE TRIGGER fault BEFORE UPDATE ON keys BEGIN SELECT raise(ABORT, 'no'); END", "DROP TRIGGER fault"},
		{"the ledger refuses rows", "CREATE TRIGGER fault BEFORE INSERT ON ledger BEGIN SELECT raise(ABORT, 'no'); END", "DROP TRIGGER fault"},
		{"the ledger is gone", "ALTER TABLE ledger RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO ledger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			exec := r.otherConnection()
			full := int64(smallQuota)
			for range 2 {
				exec(c.fail)
				forSurfaces(t, r, relayed(dialect.CountTokens), func(r *rig, s dialect.Surface) {
					r.requireError(r.ask(s, r.keys.Small, r.healthyModel(s), "hi [[gatecert token=unwritten]]"), 500, "update_data_error")
				})
				exec(c.heal)
			}
			require.Equal(t, balance{full, &full}, r.balanceOf(r.keys.Small))
			r.requireHealthy(r.ask(dialect.Chat, r.keys.Small, r.models.Chat, "hi"))
			require.Empty(t, r.seen("unwritten"))
		})
	}
}

func TestStoreThatFailsAfterTheUpstreamAnsweredRefundsOnceItCan(t *testing.T) {
	for _, s := range []dialect.Surface{dialect.Chat, dialect.ChatStream} {
		t.Run(string(s), func(t *testing.T) {
			r := newRig(t)
			exec := r.otherConnection()
			r.gateway.model = before(r.gateway.model, Deliver, func(context.Context, *Call) error {
				exec("ALTER TABLE ledger RENAME TO elsewhere")
				return nil
			})
			a := r.ask(s, r.keys.Small, r.models.Chat, "hi")
			if s.Streaming() {
				r.requireBrokenStream(a, 500, "update_data_error")
			} else {
				r.requireError(a, 500, "update_data_error")
			}
			require.Less(t, r.balanceOf(r.keys.Small).Quota, int64(smallQuota))
			exec("ALTER TABLE elsewhere RENAME TO ledger")
			full := int64(smallQuota)
			require.Equal(t, balance{full, &full}, r.balanceOf(r.keys.Small))
			require.Equal(t, map[string]int{"refunded": 1}, r.states())
		})
	}
}

func TestLockedStoreIsAnErrorWithinItsTime(t *testing.T) {
	t.Parallel() // it waits for ten seconds
	r := newRig(t)
	ctx := t.Context()
	db, err := sql.Open("sqlite", "file:"+r.gateway.StorePath())
	require.NoError(t, err)
	defer db.Close()
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	require.NoError(t, err)
	r.requireError(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi"), 500, "update_data_error")
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	require.NoError(t, err)
	r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi"))
}

func TestStoreHoldsNoKeyOfACaller(t *testing.T) {
	r := newRig(t)
	r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi"))
	_, err := r.gateway.store.writes.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(t, err)
	raw, err := os.ReadFile(r.gateway.StorePath())
	require.NoError(t, err)
	require.NotContains(t, string(raw), "sk-gc-")
}

func TestStoreIsCreatedOnceAndRemovedWhenTemporary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space & 100%.db")
	g, err := New(t.Context(), Options{Upstream: "http://127.0.0.1:1", StorePath: path})
	require.NoError(t, err)
	require.Equal(t, path, g.StorePath())
	_, err = New(t.Context(), Options{Upstream: "http://127.0.0.1:1", StorePath: path})
	require.ErrorIs(t, err, ErrStoreExists)
	require.NoError(t, g.Close())
	require.FileExists(t, path)

	g, err = New(t.Context(), Options{Upstream: "http://127.0.0.1:1"})
	require.NoError(t, err)
	require.FileExists(t, g.StorePath())
	require.NoError(t, g.Close())
	require.NoDirExists(t, filepath.Dir(g.StorePath()))
	require.NoError(t, g.Close(), "closing twice is harmless")
}
