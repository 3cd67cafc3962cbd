package reference

import (
	"context"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

// states counts the rows of the ledger by state.
func (r *rig) states() map[string]int {
	r.Helper()
	rows, err := r.gateway.store.reads.QueryContext(r.Context(), `SELECT state, count(*) FROM ledger GROUP BY state`)
	require.NoError(r, err)
	defer rows.Close()
	counts := make(map[string]int)
	for rows.Next() {
		var state string
		var n int
		require.NoError(r, rows.Scan(&state, &n))
		counts[state] = n
	}
	require.NoError(r, rows.Err())
	return counts
}

func TestCallIsChargedWhatTheUpstreamCounted(t *testing.T) {
	r := newRig(t)
	forSurfaces(t, r, relayed(), func(r *rig, s dialect.Surface) {
		before := r.balanceOf(r.keys.Small)
		r.requireHealthy(r.ask(s, r.keys.Small, r.healthyModel(s), "one two three"))
		after := r.balanceOf(r.keys.Small)
		// The upstream counts words: three in; its healthy answer has three. One unit for each in, two for each out.
		want := int64(3 + 3*2)
		switch s {
		case dialect.Embeddings:
			want = 3
		case dialect.Moderations:
			want = 3 // as the gateway counts
		case dialect.Images:
			want = unitsOfImage
		case dialect.Speech:
			want = 13 // characters
		case dialect.Transcriptions:
			want = unitsOfSecond
		case dialect.Rerank:
			want = 2 * unitsOfDocument
		case dialect.CountTokens:
			want = 0
		default: // the upstream counts
		}
		require.Equal(r, want, before.Quota-after.Quota)
		require.Equal(r, want, *before.Budget-*after.Budget)
	})
	require.Equal(t, map[string]int{"settled": len(relayed(dialect.CountTokens))}, r.states())
}

func TestFailedCallsAreRefundedToQuotaAndBudget(t *testing.T) {
	r := newRig(t)
	full := int64(smallQuota)
	for _, prompt := range []string{"[[gatecert status=500]]", "[[gatecert body=html]]", "[[gatecert truncate=length]]", "[[gatecert refuse]]"} {
		a := r.ask(dialect.Chat, r.keys.Small, r.models.Chat, prompt)
		require.GreaterOrEqual(t, a.status, 400)
		require.Equal(t, balance{full, &full}, r.balanceOf(r.keys.Small))
	}
	a := r.ask(dialect.ChatStream, r.keys.Small, r.models.Chat, "[[gatecert chunks=8 cut-after=5]]")
	require.Equal(t, 200, a.status)
	require.Equal(t, balance{full, &full}, r.balanceOf(r.keys.Small))
	require.Equal(t, map[string]int{"refunded": 5}, r.states())
}

func TestSpentKeyTakesNothingFromItsOwnersQuota(t *testing.T) {
	r := newRig(t)
	budget := int64(spentBudget)
	r.requireError(r.ask(dialect.Chat, r.keys.SpentKey, r.models.Expensive, "hi"), 403, "pre_consume_token_quota_failed")
	require.Equal(t, balance{ampleQuota, &budget}, r.balanceOf(r.keys.SpentKey))
	r.requireHealthy(r.ask(dialect.Chat, r.keys.SpentKey, r.models.Chat, "hi"))
}

func TestParallelCallsCannotOverspend(t *testing.T) {
	r := newRig(t)
	// "hi" is one token and 16 may come back: 1 + 2×16 units are held for each call. Upstream calls that hang keep
	// their money held, so that no call can pay with what another gave back.
	const hold, funds = 33, 7
	_, err := r.gateway.store.writes.Exec(`UPDATE users SET quota = ? WHERE id = (SELECT user_id FROM keys WHERE hash = ?)`,
		funds*hold+hold-1, hashKey(r.keys.Small))
	require.NoError(t, err)
	release := make(chan struct{})
	held := make(chan struct{}, 64)
	r.gateway.model = before(r.gateway.model, Pick, func(context.Context, *Call) error {
		held <- struct{}{}
		<-release
		return nil
	})
	var paid, refused atomic.Int64
	var calls sync.WaitGroup
	for range 32 {
		calls.Go(func() {
			switch a := r.ask(dialect.Chat, r.keys.Small, r.models.Chat, "hi"); a.status {
			case http.StatusOK:
				paid.Add(1)
			case http.StatusForbidden:
				refused.Add(1)
			}
		})
	}
	for range funds {
		<-held
	}
	require.Eventually(t, func() bool { return refused.Load() == 32-funds }, eventually, tick)
	require.Equal(t, int64(hold-1), r.balanceOf(r.keys.Small).Quota)
	close(release)
	calls.Wait()
	require.Equal(t, int64(funds), paid.Load())
	require.Equal(t, map[string]int{"settled": funds}, r.states())
}

// before puts a handler in front of another.
func before(handlers []namedHandler, name HandlerName, run Handler) []namedHandler {
	i := slices.IndexFunc(handlers, func(h namedHandler) bool { return h.name == name })
	return slices.Insert(slices.Clone(handlers), i, namedHandler{"test", run})
}

func TestCostIsRoundedUpAndNeverOverflows(t *testing.T) {
	for _, c := range []struct {
		name          string
		tokens, price int64
		want          int64
	}{
		{"nothing costs nothing", 0, 5_000, 0},
		{"a free model costs nothing", 5, 0, 0},
		{"a thousand tokens cost the price", 1_000, 7, 7},
		{"a part of a unit is a unit", 1, 1, 1},
		{"more than can be said is the greatest number", math.MaxInt64, 2, math.MaxInt64},
		{"just within range", (math.MaxInt64 - 999) / 2, 2, 9223372036854775},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, perThousand(c.tokens, c.price)) })
	}
	require.Equal(t, int64(math.MaxInt64), saturatingAdd(math.MaxInt64, 1))
}

func TestRequestForMoreThanAnyoneHasIsRefused(t *testing.T) {
	r := newRig(t)
	a := r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi", set("max_tokens", int64(1)<<45))
	require.Contains(t, []int{400, 403}, a.status)
	require.Equal(t, balance{Quota: ampleQuota}, r.balanceOf(r.keys.Valid))
}
