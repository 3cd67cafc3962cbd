//go:build !race

package limits

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// decide says whether a limiter admits a call now.
type decide func(now time.Time) bool

// otherLimiter is a limiter that people run, with the limit that its owner would declare.
type otherLimiter struct {
	name     string
	declared DeclaredLimit
	start    func() decide
	// tighter says that another limit acts too, which the owner does not declare.
	tighter bool
}

func bucketOf(capacity, rate float64) func() decide {
	return func() decide {
		tokens, filled := capacity, time.Time{}
		return func(now time.Time) bool {
			if !filled.IsZero() {
				tokens = min(capacity, tokens+now.Sub(filled).Seconds()*rate)
			}
			filled = now
			if tokens < 1 {
				return false
			}
			tokens--
			return true
		}
	}
}

// steppedBucket gets several tokens at a time.
func steppedBucket(capacity, step int, every time.Duration) func() decide {
	return func() decide {
		var began time.Time
		tokens, steps := capacity, 0
		return func(now time.Time) bool {
			if began.IsZero() {
				began = now
			}
			n := int(now.Sub(began) / every)
			tokens, steps = min(capacity, tokens+(n-steps)*step), n
			if tokens < 1 {
				return false
			}
			tokens--
			return true
		}
	}
}

func logOf(limit int, window time.Duration) func() decide {
	return func() decide {
		var at []time.Time
		return func(now time.Time) bool {
			at = slices.DeleteFunc(at, func(t time.Time) bool { return now.Sub(t) >= window })
			if len(at) >= limit {
				return false
			}
			at = append(at, now)
			return true
		}
	}
}

// windowFromRequest begins with the first request after the last one ended.
func windowFromRequest(limit int, window time.Duration) func() decide {
	return func() decide {
		var began time.Time
		n := 0
		return func(now time.Time) bool {
			if now.Sub(began) >= window {
				began, n = now, 0
			}
			n++
			return n <= limit
		}
	}
}

func bothOf(a, b func() decide) func() decide {
	return func() decide {
		x, y := a(), b()
		return func(now time.Time) bool { return x(now) && y(now) }
	}
}

func otherLimiters() []otherLimiter {
	const bucket, log, fixed, counter = contract.TokenBucket, contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter
	return []otherLimiter{
		{"a bucket", DeclaredLimit{Kind: bucket, Limit: 20, Window: 2 * time.Second}, bucketOf(20, 10), false},
		{"a bucket of one", DeclaredLimit{Kind: bucket, Limit: 10, Window: 2 * time.Second, Burst: 1}, bucketOf(1, 5), false},
		{"a small bucket", DeclaredLimit{Kind: bucket, Limit: 20, Window: 2 * time.Second, Burst: 5}, bucketOf(5, 10), false},
		{"a large bucket", DeclaredLimit{Kind: bucket, Limit: 20, Window: 2 * time.Second, Burst: 40}, bucketOf(40, 10), false},
		{"a log", DeclaredLimit{Kind: log, Limit: 20, Window: 2 * time.Second}, logOf(20, 2*time.Second), false},
		{"a fixed window", DeclaredLimit{Kind: fixed, Limit: 20, Window: 2 * time.Second}, nil, false},
		{"a sliding counter", DeclaredLimit{Kind: counter, Limit: 20, Window: 2 * time.Second}, nil, false},
		{"a window from the first request on", DeclaredLimit{Kind: fixed, Limit: 20, Window: 2 * time.Second}, windowFromRequest(20, 2*time.Second), false},
		{"a bucket that is filled at once", DeclaredLimit{Limit: 5, Window: 1500 * time.Millisecond}, steppedBucket(5, 5, 1500*time.Millisecond), false},
		{"a bucket that is filled in four steps", DeclaredLimit{Limit: 20, Window: 2 * time.Second}, steppedBucket(20, 5, 500*time.Millisecond), false},
		{"two buckets", DeclaredLimit{Kind: bucket, Limit: 20, Window: 20 * time.Second}, bothOf(bucketOf(5, 10), bucketOf(20, 1)), true},
		{"two logs", DeclaredLimit{Kind: log, Limit: 20, Window: 4 * time.Second}, bothOf(logOf(10, time.Second), logOf(20, 4*time.Second)), true},
	}
}

// verdictOf is what a verification says of a limit: whether more was admitted than declared, less, or neither.
func verdictOf(findings []contract.Finding) string {
	about := []contract.Requirement{contract.LimitExact, contract.LimitBurst, contract.Recovery, contract.RefusedFree}
	switch {
	case slices.ContainsFunc(findings, exceedsLimit):
		return "more"
	case slices.ContainsFunc(findings, func(f contract.Finding) bool { return slices.Contains(about, f.Requirement) }):
		return "other"
	default:
		return "right"
	}
}

// Limits that people run, declared as they are, and as half and twice as much, and with one and 15 % more and less; with their kind
// and without. That more is admitted than declared is never said where it is not so: another limit may refuse, a bucket may be
// filled in steps. Half and twice are always found.
func TestVerifyIsRightAboutLimitsThatPeopleRun(t *testing.T) {
	runs := 1
	if Accepting {
		runs = 20
	}
	for i, l := range otherLimiters() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			kinds := []contract.LimiterKind{l.declared.Kind}
			if l.declared.Kind != "" {
				kinds = append(kinds, "")
			}
			for run := range runs {
				for k, kind := range kinds {
					for v, declared := range []struct {
						name  string
						scale func(int) int
						want  []string
					}{
						{"as it is", func(n int) int { return n }, []string{"right"}},
						{"half", func(n int) int { return n / 2 }, []string{"more"}},
						{"twice", func(n int) int { return 2 * n }, []string{"other"}},
						{"one more", func(n int) int { return n + 1 }, []string{"other", "right"}},
						{"one less", func(n int) int { return n - 1 }, []string{"more", "other", "right"}},
						{"15 % more", func(n int) int { return n + (n*15+99)/100 }, []string{"other", "right"}},
						{"15 % less", func(n int) int { return n - (n*15+99)/100 }, []string{"more", "other", "right"}},
					} {
						if !Accepting && v > 2 && (i+k+v)%4 != 0 {
							continue
						}
						d := l.declared
						d.Kind, d.Limit = kind, declared.scale(d.Limit)
						if d.Burst > 0 {
							d.Burst = max(declared.scale(d.Burst), 1)
						}
						want := declared.want
						if l.tighter {
							want = slices.Concat(want, []string{"other"})
						}
						synctest.Test(t, func(t *testing.T) {
							random := rand.New(rand.NewPCG(uint64(run), 77))
							gateway := &simulatedLimiter{kind: l.declared.Kind, limit: l.declared.Limit, window: l.declared.Window, delay: idleMachine(random)}
							if (run+v)%2 == 1 {
								gateway.delay = busyMachine(random)
							}
							gateway.phase = time.Duration(random.Int64N(int64(gateway.window)))
							if l.start != nil {
								gateway.other = l.start()
							}
							findings, summary, err := Verify(t.Context(), Probers{Limited: gateway.call}, d, Budget{})
							require.NoError(t, err)
							require.Contains(t, want, verdictOf(findings), "%q declared %s, run %d: %s %+v", kind, declared.name, run, summary.Limiter, fmt.Sprint(findings))
						})
					}
				}
			}
		})
	}
}
