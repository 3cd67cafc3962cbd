package limits

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// trueDecision is a decision with its instant, which a caller does not know.
type trueDecision struct {
	decision

	at time.Duration
}

// uncertain hides an instant in an interval around it.
func uncertain(random *rand.Rand, at time.Duration, outcome Outcome) trueDecision {
	width := func() time.Duration { return time.Duration(random.ExpFloat64() * float64(8*time.Millisecond)) }
	return trueDecision{decision{from: at - width(), to: at + width() + 1, outcome: outcome}, at}
}

func asSeen(truth []trueDecision) []decision {
	decisions := make([]decision, len(truth))
	for i, d := range truth {
		decisions[i] = d.decision
	}
	return decisions
}

func TestCountsEncloseTheTruth(t *testing.T) {
	for name, countUsage := range map[string]func([]decision) admissions{"admissions": countAdmissions, "attempts": countAttempts} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, quick.Check(func(seed uint64) bool {
				random := rand.New(rand.NewPCG(seed, 1))
				var truth []trueDecision
				for range random.IntN(60) {
					truth = append(truth, uncertain(random, time.Duration(random.Int64N(int64(200*time.Millisecond))), []Outcome{Admitted, Refused, Failed}[random.IntN(3)]))
				}
				usage := countUsage(asSeen(truth))
				from := time.Duration(random.Int64N(int64(200 * time.Millisecond)))
				to := from + time.Duration(random.Int64N(int64(100*time.Millisecond)))
				certain, possible := 0, 0
				for _, d := range truth {
					if d.at < from || d.at > to {
						continue
					}
					if d.outcome == Admitted {
						certain++
					}
					if d.outcome != Refused || name == "attempts" {
						possible++
					}
				}
				return usage.atLeast(from, to) <= certain && certain <= possible && possible <= usage.atMost(from, to)
			}, &quick.Config{MaxCount: 1_500}))
		})
	}
}

// A limiter never contradicts its own model, however little is known about when it decided.
func TestNoLimiterContradictsItself(t *testing.T) {
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket} {
		for _, startsOnRequest := range []bool{false, true} {
			if startsOnRequest && kind != contract.FixedWindow {
				continue
			}
			t.Run(fmt.Sprintf("%s, windows start on a request: %t", kind, startsOnRequest), func(t *testing.T) {
				t.Parallel()
				require.NoError(t, quick.Check(func(seed uint64) bool {
					random := rand.New(rand.NewPCG(seed, 2))
					l := &simulatedLimiter{kind: kind, startsOnRequest: startsOnRequest, limit: 1 + random.IntN(12), window: time.Duration(50+random.IntN(400)) * time.Millisecond}
					m, decisions := randomDecisions(random, l)
					usage := countAdmissions(decisions)
					coarse := ticked(decisions, 5*time.Millisecond)
					return contradictionsOf(newLimiter(m, decisions, usage, 0), decisions, len(decisions)).count() == 0 &&
						contradictionsOf(newLimiter(m, decisions, usage, 5*time.Millisecond), decisions, len(decisions)).count() == 0 &&
						(m.hasPhase() || contradictionsOf(newLimiter(m, coarse, countAdmissions(coarse), 5*time.Millisecond), coarse, len(coarse)).count() == 0)
				}, &quick.Config{MaxCount: 300}))
			})
		}
	}
}

// ticked returns decisions as a caller sees them whose clock ticks seldom. Windows that are aligned to a clock have another phase then, which is chosen elsewhere.
func ticked(decisions []decision, tick time.Duration) []decision {
	coarse := slices.Clone(decisions)
	for i := range coarse {
		d := &coarse[i]
		d.from, d.to = (d.from+time.Second).Truncate(tick)-time.Second, (d.to+time.Second).Truncate(tick)-time.Second
	}
	return coarse
}

// randomDecisions are those of a simulated limiter about 150 calls, in any order, with the model of the limiter.
func randomDecisions(random *rand.Rand, l *simulatedLimiter) (LimiterModel, []decision) {
	start := time.Unix(1_000, random.Int64N(1e9))
	l.phase = time.Duration(random.Int64N(int64(l.window)))
	var truth []trueDecision
	at := time.Duration(0)
	together := random.IntN(2) == 0 // calls are sent at the same instant
	for range 150 {
		if random.IntN(6) == 0 {
			at += time.Duration(random.Int64N(int64(l.window)))
		}
		at += time.Duration(random.Int64N(int64(3 * time.Millisecond)))
		outcome := Refused
		if now := start.Add(at); l.allow(now) {
			l.admitted = append(l.admitted, now)
			outcome = Admitted
			if random.IntN(20) == 0 {
				outcome = Failed // it was admitted, and failed later
			}
		}
		d := uncertain(random, at, outcome)
		if together && d.from > 0 {
			d.from = d.from.Truncate(20 * time.Millisecond)
		}
		truth = append(truth, d)
	}
	m := LimiterModel{Kind: l.kind, Limit: l.limit, Window: l.window, StartsOnRequest: l.startsOnRequest}
	if l.kind == contract.TokenBucket {
		m = newTokenBucketModel(l.limit, float64(l.limit)/l.window.Seconds())
	}
	m.Phase = start.Add(l.phase).Truncate(l.window).Add(-l.phase).Sub(start)
	decisions := asSeen(truth)
	random.Shuffle(len(decisions), func(i, j int) { decisions[i], decisions[j] = decisions[j], decisions[i] })
	return m, decisions
}

func TestContradictions(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	point := func(at int, outcome Outcome) decision {
		return decision{from: ms(at), to: ms(at) + 1, outcome: outcome}
	}
	window := LimiterModel{Kind: contract.FixedWindow, Limit: 2, Window: ms(100), Phase: ms(50)}
	onRequest := LimiterModel{Kind: contract.FixedWindow, Limit: 2, Window: ms(100), StartsOnRequest: true}
	log := LimiterModel{Kind: contract.SlidingLog, Limit: 2, Window: ms(100)}
	counter := LimiterModel{Kind: contract.SlidingCounter, Limit: 2, Window: ms(100), Phase: ms(50)}
	for _, row := range []struct {
		sentence         string
		m                LimiterModel
		decisions        []decision
		excess, spurious []int
	}{
		{"around a boundary a window admits twice its limit", window, []decision{point(148, Admitted), point(149, Admitted), point(151, Admitted), point(152, Admitted)}, nil, nil},
		{"within a window it does not", window, []decision{point(151, Admitted), point(152, Admitted), point(153, Admitted)}, []int{2}, nil},
		{"a window that starts on a request may begin anywhere", onRequest, []decision{point(10, Admitted), point(11, Admitted), point(12, Admitted), point(13, Admitted)}, nil, nil},
		{"but one starts with the first admission after a refusal", onRequest, []decision{point(9, Refused), point(10, Admitted), point(11, Admitted), point(12, Admitted)}, []int{3}, nil},
		{"calls that are sent together start one window", onRequest, []decision{point(0, Admitted), {from: ms(250), to: ms(251), outcome: Admitted}, {from: ms(250), to: ms(252), outcome: Admitted}, point(253, Refused)}, nil, nil},
		{"a refusal may come last of the calls of an instant", log, []decision{point(0, Refused), {from: ms(250), to: ms(250), outcome: Admitted}, {from: ms(250), to: ms(250), outcome: Admitted}, {from: ms(250), to: ms(250), outcome: Refused}}, nil, nil},
		{"and so with a bucket", newTokenBucketModel(2, 1), []decision{{from: 0, to: 0, outcome: Admitted}, {from: 0, to: 0, outcome: Admitted}, {from: 0, to: 0, outcome: Refused}}, nil, nil},
		{"a log never admits twice its limit", log, []decision{point(148, Admitted), point(149, Admitted), point(151, Admitted)}, []int{2}, nil},
		{"a log is free again after its window", log, []decision{point(0, Admitted), point(1, Admitted), point(101, Refused)}, nil, []int{2}},
		{"calls from before the first one may explain a refusal", log, []decision{point(0, Admitted), point(1, Refused)}, nil, nil},
		{"a counter counts the window before", counter, []decision{point(60, Admitted), point(61, Admitted), point(160, Admitted), point(162, Admitted)}, []int{3}, nil},
		{"a counter counts it less and less", counter, []decision{point(60, Admitted), point(61, Admitted), point(201, Admitted), point(300, Refused)}, nil, []int{3}},
		{"a bucket is refilled while it is used", newTokenBucketModel(2, 100), []decision{point(0, Admitted), point(1, Admitted), point(11, Admitted)}, nil, nil},
		{"a bucket holds no more than its capacity", newTokenBucketModel(2, 100), []decision{point(500, Admitted), point(501, Admitted), point(502, Admitted)}, []int{2}, nil},
		{"a bucket that refused a call was empty", newTokenBucketModel(9, 100), []decision{point(0, Refused), point(11, Admitted), point(12, Admitted), point(13, Admitted)}, []int{3}, []int{0}},
		{"a bucket of one that is full refuses no call", newTokenBucketModel(1, 100), []decision{point(0, Admitted), point(15, Refused)}, nil, []int{1}},
		{"a bucket that is not empty refuses no call", newTokenBucketModel(2, 100), []decision{point(0, Admitted), point(1, Admitted), point(50, Refused)}, nil, []int{2}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			got := contradictionsOf(newLimiter(row.m, row.decisions, countAdmissions(row.decisions), 0), row.decisions, len(row.decisions))
			require.Equal(t, contradictions{row.excess, row.spurious, nil}, got)
		})
	}
}
