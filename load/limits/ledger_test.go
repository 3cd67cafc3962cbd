package limits

import (
	"math/rand/v2"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// known is a decision together with the instant that a caller does not know.
type known struct {
	decision

	at time.Duration
}

// uncertain hides an instant in an interval around it.
func uncertain(random *rand.Rand, at time.Duration, outcome Outcome) known {
	width := func() time.Duration { return time.Duration(random.ExpFloat64() * float64(8*time.Millisecond)) }
	return known{decision{from: at - width(), to: at + width() + 1, outcome: outcome}, at}
}

func hidden(all []known) []decision {
	decisions := make([]decision, len(all))
	for i, k := range all {
		decisions[i] = k.decision
	}
	return decisions
}

func TestCountsEncloseTheTruth(t *testing.T) {
	require.NoError(t, quick.Check(func(seed uint64, refusedCount bool) bool {
		random := rand.New(rand.NewPCG(seed, 1))
		var all []known
		for range random.IntN(60) {
			all = append(all, uncertain(random, time.Duration(random.Int64N(int64(200*time.Millisecond))), []Outcome{Admitted, Refused, Failed}[random.IntN(3)]))
		}
		l := newLedger(hidden(all), refusedCount)
		from := time.Duration(random.Int64N(int64(200 * time.Millisecond)))
		to := from + time.Duration(random.Int64N(int64(100*time.Millisecond)))
		certain, possible := 0, 0
		for _, k := range all {
			if k.at < from || k.at > to {
				continue
			}
			if k.outcome == Admitted {
				certain++
			}
			if k.outcome != Refused || refusedCount {
				possible++
			}
		}
		return l.atLeast(from, to) <= certain && certain <= possible && possible <= l.atMost(from, to)
	}, &quick.Config{MaxCount: 3_000}))
}

// A limiter is never found wrong by its own rule, however little is known about when it decided.
func TestNoLimiterContradictsItself(t *testing.T) {
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket} {
		for _, anchored := range []bool{false, true} {
			if anchored && kind != contract.FixedWindow {
				continue
			}
			require.NoError(t, quick.Check(func(seed uint64) bool {
				random := rand.New(rand.NewPCG(seed, 2))
				s := &simulated{kind: kind, anchored: anchored, limit: 1 + random.IntN(12), window: time.Duration(50+random.IntN(400)) * time.Millisecond}
				start := time.Unix(1_000, random.Int64N(1e9))
				s.phase = time.Duration(random.Int64N(int64(s.window)))
				var all []known
				at := time.Duration(0)
				for range 150 {
					if random.IntN(6) == 0 {
						at += time.Duration(random.Int64N(int64(s.window)))
					}
					at += time.Duration(random.Int64N(int64(3 * time.Millisecond)))
					outcome := Refused
					if now := start.Add(at); s.allow(now) {
						s.passed = append(s.passed, now)
						outcome = Admitted
						if random.IntN(20) == 0 {
							outcome = Failed // it passed, and broke afterwards
						}
					}
					all = append(all, uncertain(random, at, outcome))
				}
				m := Model{Kind: kind, Limit: s.limit, Window: s.window, Anchored: anchored}
				if kind == contract.TokenBucket {
					m = bucket(s.limit, float64(s.limit)/s.window.Seconds())
				}
				m.Phase = start.Add(s.phase).Truncate(s.window).Add(-s.phase).Sub(start)
				decisions := hidden(all)
				random.Shuffle(len(decisions), func(i, j int) { decisions[i], decisions[j] = decisions[j], decisions[i] })
				l := newLedger(decisions, false)
				return contradicting(newLimiter(m, decisions, l, 0), decisions, len(decisions)).count() == 0 &&
					contradicting(newLimiter(m, decisions, l, 5*time.Millisecond), decisions, len(decisions)).count() == 0
			}, &quick.Config{MaxCount: 300}), "%s, anchored %t", kind, anchored)
		}
	}
}

func TestContradictions(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	point := func(at int, outcome Outcome) decision {
		return decision{from: ms(at), to: ms(at) + 1, outcome: outcome}
	}
	window := Model{Kind: contract.FixedWindow, Limit: 2, Window: ms(100), Phase: ms(50)}
	anchored := Model{Kind: contract.FixedWindow, Limit: 2, Window: ms(100), Anchored: true}
	log := Model{Kind: contract.SlidingLog, Limit: 2, Window: ms(100)}
	counter := Model{Kind: contract.SlidingCounter, Limit: 2, Window: ms(100), Phase: ms(50)}
	for _, row := range []struct {
		sentence    string
		m           Model
		all         []decision
		over, under []int
	}{
		{"around a boundary a window admits twice its limit", window, []decision{point(148, Admitted), point(149, Admitted), point(151, Admitted), point(152, Admitted)}, nil, nil},
		{"within a window it does not", window, []decision{point(151, Admitted), point(152, Admitted), point(153, Admitted)}, []int{2}, nil},
		{"windows without a clock may begin anywhere", anchored, []decision{point(10, Admitted), point(11, Admitted), point(12, Admitted), point(13, Admitted)}, nil, nil},
		{"but one begins with the first admission after a refusal", anchored, []decision{point(9, Refused), point(10, Admitted), point(11, Admitted), point(12, Admitted)}, []int{3}, nil},
		{"a log does not admit twice its limit around anything", log, []decision{point(148, Admitted), point(149, Admitted), point(151, Admitted)}, []int{2}, nil},
		{"a log is free again after its window", log, []decision{point(0, Admitted), point(1, Admitted), point(101, Refused)}, nil, []int{2}},
		{"a window from before the watch explains a refusal", log, []decision{point(0, Admitted), point(1, Refused)}, nil, nil},
		{"a counter remembers the window before", counter, []decision{point(60, Admitted), point(61, Admitted), point(160, Admitted), point(162, Admitted)}, []int{3}, nil},
		{"a counter forgets it little by little", counter, []decision{point(60, Admitted), point(61, Admitted), point(201, Admitted), point(300, Refused)}, nil, []int{3}},
		{"a bucket gains while it is used", bucket(2, 100), []decision{point(0, Admitted), point(1, Admitted), point(11, Admitted)}, nil, nil},
		{"a bucket holds no more than it can", bucket(2, 100), []decision{point(500, Admitted), point(501, Admitted), point(502, Admitted)}, []int{2}, nil},
		{"a bucket that refused was empty", bucket(9, 100), []decision{point(0, Refused), point(11, Admitted), point(12, Admitted), point(13, Admitted)}, []int{3}, []int{0}},
		{"a bucket that is not empty does not refuse", bucket(2, 100), []decision{point(0, Admitted), point(1, Admitted), point(50, Refused)}, nil, []int{2}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			l := newLedger(row.all, false)
			got := contradicting(newLimiter(row.m, row.all, l, 0), row.all, len(row.all))
			require.Equal(t, contradictions{row.over, row.under}, got)
		})
	}
}
