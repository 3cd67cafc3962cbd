package gatecert_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// A breaker that opens after an upstream failure answers everything with another error for a while. The run notices
// that, adds a note, and judges no case by it.
func TestAnOpenBreakerIsNoticedAndWaitedFor(t *testing.T) {
	// Unix nanoseconds until which the breaker is open; below zero it opens with the next call, however late that comes.
	var until atomic.Int64
	target := served(t, func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			until.CompareAndSwap(-1, time.Now().Add(300*time.Millisecond).UnixNano())
			if time.Now().UnixNano() < until.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			record := httptest.NewRecorder()
			g.ServeHTTP(record, r)
			if record.Code == http.StatusBadGateway {
				until.CompareAndSwap(0, -1)
			}
			maps.Copy(w.Header(), record.Header())
			w.WriteHeader(record.Code)
			_, _ = w.Write(record.Body.Bytes())
		})
	})
	target.Concurrency, target.Balance = 1, profile.Balance{}
	r := run(t, gatecert.Config{Target: target, Rows: []string{"code:bad_response"}, Surfaces: []string{"chat"}})
	assert.Equal(t, contract.Pass, r.Verdict(), failures(r))
	require.Len(t, r.Footer.Notes, 2, "and one about traces")
	assert.Contains(t, r.Footer.Notes[0], "the gateway stopped serving healthy calls once")
	assert.True(t, slices.ContainsFunc(r.Cases, func(c runlog.Case) bool { return c.Observation.Aftermath != nil && c.Observation.Aftermath.After > 0 }))
}

// A gateway that takes its only upstream key out of service after the first failure, for longer than anybody waits, and
// answers that call with its own error already: what it refuses by itself is judged, the rest is untestable.
func TestAGatewayThatStaysDown(t *testing.T) {
	var down atomic.Bool
	target := served(t, func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			record := httptest.NewRecorder()
			g.ServeHTTP(record, r)
			if record.Code == http.StatusBadGateway {
				down.Store(true)
			}
			if down.Load() && record.Code != http.StatusUnauthorized {
				http.Error(w, `{"error":{"message":"no key is active"}}`, http.StatusServiceUnavailable)
				return
			}
			maps.Copy(w.Header(), record.Header())
			w.WriteHeader(record.Code)
			_, _ = w.Write(record.Body.Bytes())
		})
	})
	target.Balance, target.Settle.Recovery = profile.Balance{}, 300*time.Millisecond
	r := run(t, gatecert.Config{
		Target: target, Rows: []string{"http:401", "code:model_not_found", "code:bad_response", "code:bad_response_status_code"}, Surfaces: []string{"chat"},
	})
	for _, c := range r.Cases {
		want := contract.Pass
		if strings.HasPrefix(c.ID, "code:bad_response") {
			want = contract.Untestable
		}
		assert.Equal(t, want, c.Verdict, "%s: %s", c.ID, c.Reason)
	}
	notes := strings.Join(r.Footer.Notes, "\n")
	assert.Contains(t, notes, "the gateway stopped serving healthy calls once")
	assert.Contains(t, notes, "the gateway has not recovered; gatecert did not wait again")
}
