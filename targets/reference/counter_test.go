package reference

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// meter is one key's limiter under a clock that the test moves.
type meter struct {
	*limiter
	clock *clock
	rate  RateLimit
}

func newMeter(kind contract.LimiterKind, requests, burst int) meter {
	at := &clock{now: time.Unix(1_000, 0)}
	return meter{newLimiter(at.read), at, RateLimit{Kind: kind, Requests: requests, Window: 10 * time.Second, Burst: burst}}
}

func (m meter) ask() Allowance {
	a, _ := m.admit(1, m.rate)
	return a
}

// admitted is how many calls in a row are admitted now.
func (m meter) admitted() int {
	n := 0
	for m.ask().OK {
		n++
	}
	return n
}

func TestKindsOfLimiter(t *testing.T) {
	for _, row := range []struct {
		sentence string
		kind     contract.LimiterKind
		burst    int
		// at which second of a window, and how many are admitted then
		second []int
		want   []int
	}{
		{"a fixed window is whole again at the clock's boundary", contract.FixedWindow, 0, []int{0, 9, 10, 19, 29}, []int{10, 0, 10, 0, 10}},
		{"around a boundary a fixed window admits its limit twice", contract.FixedWindow, 0, []int{9, 10}, []int{10, 10}},
		{"a sliding log is whole again a window after it was drained", contract.SlidingLog, 0, []int{9, 10, 18, 19}, []int{10, 0, 0, 10}},
		{"a sliding counter regains its limit over the window after the boundary", contract.SlidingCounter, 0, []int{9, 10, 11, 15, 20}, []int{10, 0, 1, 4, 5}},
		{"a sliding counter forgets after two windows", contract.SlidingCounter, 0, []int{5, 25}, []int{10, 10}},
		{"a token bucket regains one token after the other", contract.TokenBucket, 0, []int{9, 10, 12, 16}, []int{10, 1, 2, 4}},
		{"a token bucket holds no more than its burst", contract.TokenBucket, 3, []int{0, 1, 20, 21}, []int{3, 1, 3, 1}},
		{"concurrency knows no time", contract.Concurrency, 0, []int{0, 50}, []int{10, 0}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			m := newMeter(row.kind, 10, row.burst)
			start := m.clock.read()
			for i, second := range row.second {
				m.clock.advance(start.Add(time.Duration(second) * time.Second).Sub(m.clock.read()))
				require.Equal(t, row.want[i], m.admitted(), "at second %d", second)
			}
		})
	}
}

func TestWhatALimiterTellsIsTrue(t *testing.T) {
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket} {
		for _, requests := range []int{1, 2, 3, 7, 100} {
			random := rand.New(rand.NewPCG(uint64(requests), 1))
			m := newMeter(kind, requests, 0)
			for range 3_000 {
				m.clock.advance(time.Duration(random.Int64N(int64(15*time.Second) / int64(requests))))
				a := m.ask()
				require.GreaterOrEqual(t, a.Remaining, 0)
				if a.Remaining > 0 {
					require.Zero(t, a.Wait, "an admitted call has no wait")
					continue
				}
				require.Positive(t, a.Wait, "%s of %d", kind, requests)
				require.GreaterOrEqual(t, a.Reset, a.Wait, "%s of %d: the whole limit is not free before a part of it", kind, requests)
				m.clock.advance(a.Wait - 1)
				require.False(t, m.ask().OK, "%s of %d: just before the advertised time", kind, requests)
				m.clock.advance(1)
				require.True(t, m.ask().OK, "%s of %d: at the advertised time", kind, requests)
			}
			last := m.ask()
			m.clock.advance(last.Reset)
			require.Equal(t, requests, m.admitted(), "%s of %d: unused again after the advertised reset", kind, requests)
			if requests > 1 {
				require.Zero(t, m.ask().Remaining)
			}
		}
	}
}

func TestLimitersKnowKeysApart(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		m := newMeter(kind, 3, 0)
		require.Equal(t, 3, m.admitted())
		a, release := m.admit(2, m.rate)
		require.True(t, a.OK, "%s: another key has a limit of its own", kind)
		release()
		m.rate.Kind = contract.FixedWindow
		if kind != contract.FixedWindow {
			require.Equal(t, 3, m.admitted(), "a key that is counted in another way begins anew")
		}
	}
}

func TestConcurrencyIsGivenBack(t *testing.T) {
	m := newMeter(contract.Concurrency, 2, 0)
	_, first := m.admit(1, m.rate)
	require.Equal(t, 1, m.admitted())
	first()
	require.Equal(t, Allowance{OK: true}, m.ask())
	require.Equal(t, Allowance{}, m.ask())
}

func TestRatesThatMakeNoSense(t *testing.T) {
	for sentence, rate := range map[string]RateLimit{
		"an unknown kind":             {Kind: "leaky", Requests: 1, Window: time.Second},
		"too many requests":           {Requests: MaxRequests + 1},
		"a window over 59s":           {Window: time.Minute},
		"a burst of a sliding log":    {Burst: 3},
		"a burst of fewer than none":  {Kind: contract.TokenBucket, Burst: -1},
		"a negative number of calls":  {Requests: -1},
		"a burst beyond all measures": {Kind: contract.TokenBucket, Burst: MaxRequests + 1},
	} {
		_, err := Options{Upstream: "http://127.0.0.1:9", Rate: rate}.withDefaults()
		require.ErrorIs(t, err, ErrOptions, sentence)
	}
}
