package zoo

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
)

// keeps reports whether the admitted calls may be those of a limiter that allows no more than the declared limit. Calls that were
// refused do not matter, nor does what else could have been admitted. Of a limit without a kind, one kind must allow the calls.
func keeps(d limits.DeclaredLimit, calls []admission) bool {
	if len(calls) == 0 {
		return true
	}
	burst := d.Burst
	if burst == 0 {
		burst = d.Limit
	}
	origin := slices.MinFunc(calls, func(a, b admission) int { return a.from.Compare(b.from) }).from
	log := make([]interval, len(calls))
	for i, c := range calls {
		log[i] = interval{c.from.Sub(origin), c.to.Sub(origin), c.ended.Sub(origin)}
	}
	slices.SortFunc(log, func(a, b interval) int { return int(a.to - b.to) })
	switch d.Kind {
	case contract.Concurrency:
		return mostInFlight(log) <= d.Limit
	case contract.TokenBucket:
		return allowedByBucket(log, burst, float64(d.Limit)/d.Window.Seconds())
	case contract.SlidingLog:
		return allowedByLog(log, d.Limit, d.Window)
	case contract.FixedWindow:
		return allowedByWindowsFromFirst(log, d.Limit, d.Window) || somePhase(log, d, func(w windows) bool { return w.mostIn() <= d.Limit })
	case contract.SlidingCounter:
		return somePhase(log, d, func(w windows) bool { return w.mostWeighted() < float64(d.Limit)+1 }) // the sum is rounded down
	default:
		return len(keptAs(d, calls)) > 0
	}
}

// keptAs returns the kinds of which a limiter may have admitted the calls.
func keptAs(d limits.DeclaredLimit, calls []admission) []contract.LimiterKind {
	kinds := []contract.LimiterKind{contract.TokenBucket, contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter}
	if d.Kind != "" {
		kinds = []contract.LimiterKind{d.Kind}
	}
	return slices.DeleteFunc(kinds, func(kind contract.LimiterKind) bool {
		d.Kind = kind
		return !keeps(d, calls)
	})
}

// interval is an admission, in time since the first one began.
type interval struct{ from, to, ended time.Duration }

// mostInFlight is the largest number of calls that were certainly in flight at the same time.
func mostInFlight(log []interval) int {
	most := 0
	for _, at := range log {
		n := 0
		for _, c := range log {
			if c.to <= at.to && at.to < c.ended {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// certainlySince counts the calls that certainly were admitted between two calls' decisions, these two included.
func certainlySince(log []interval, from, to time.Duration) int {
	n := 0
	for _, c := range log {
		if c.from >= from && c.to <= to {
			n++
		}
	}
	return n
}

func allowedByBucket(log []interval, burst int, perSecond float64) bool {
	for _, first := range log {
		for _, last := range log {
			if last.to < first.from {
				continue
			}
			if float64(certainlySince(log, first.from, last.to)) > float64(burst)+perSecond*(last.to-first.from).Seconds()+1e-9 {
				return false
			}
		}
	}
	return true
}

func allowedByLog(log []interval, limit int, window time.Duration) bool {
	for _, first := range log {
		if certainlySince(log, first.from, first.from+window-1) > limit {
			return false
		}
	}
	return true
}

func allowedByWindowsFromFirst(log []interval, limit int, window time.Duration) bool {
	for len(log) > 0 {
		first := slices.MinFunc(log, func(a, b interval) int { return int(a.from - b.from) })
		n := 0
		var later []interval
		for _, c := range log {
			if c.to < first.from+window {
				n++
			} else {
				later = append(later, c)
			}
		}
		if n > limit {
			return false
		}
		log = later
	}
	return true
}

// windows are those of a clock, and the window that each admission counts in.
type windows struct {
	log    []interval
	window time.Duration
	phase  time.Duration
	of     []int
	counts map[int]int
}

// newWindows counts calls that may have been decided on either side of a boundary in the earlier window, while that has room.
func newWindows(log []interval, window, phase time.Duration, limit int) windows {
	w := windows{log, window, phase, make([]int, len(log)), map[int]int{}}
	for i, c := range log {
		k := w.number(c.from)
		for ; k < w.number(c.to) && w.counts[k] >= limit; k++ {
		}
		w.of[i] = k
		w.counts[k]++
	}
	return w
}

// number is the window that an instant is in.
func (w windows) number(at time.Duration) int { return int((at - w.phase + w.window) / w.window) }

func (w windows) mostIn() int {
	most := 0
	for _, n := range w.counts {
		most = max(most, n)
	}
	return most
}

// mostWeighted is the largest sum of the calls in a window and the share of those in the window before, at any admission.
func (w windows) mostWeighted() float64 {
	most, so := 0.0, map[int]int{}
	for i, c := range w.log { // in the order of their decisions
		k := w.of[i]
		so[k]++
		into := min(float64(c.to-w.phase+w.window)/float64(w.window)-float64(k), 1)
		most = max(most, float64(so[k])+float64(w.counts[k-1])*(1-into))
	}
	return most
}

// somePhase reports whether windows that begin at some instant allow the calls.
func somePhase(log []interval, d limits.DeclaredLimit, allow func(windows) bool) bool {
	return slices.ContainsFunc(log, func(c interval) bool {
		return slices.ContainsFunc([]time.Duration{c.from, c.from + 1, c.to, c.to + 1}, func(at time.Duration) bool {
			return allow(newWindows(log, d.Window, at%d.Window, d.Limit))
		})
	})
}

func TestKeeps(t *testing.T) {
	for _, tt := range []struct {
		name     string
		declared limits.DeclaredLimit
		ms       []int // when calls were admitted; each was in flight for 50 ms
		want     bool
	}{
		{"a log at its limit", slidingLog(3, time.Second), []int{0, 1, 2, 1000, 1001, 1002}, true},
		{"a log one over", slidingLog(3, time.Second), []int{0, 1, 2, 999}, false},
		{"windows at a boundary", fixedWindow(3, time.Second), []int{900, 901, 902, 1100, 1101, 1102, 2100, 2101, 2102}, true},
		{"windows one over", fixedWindow(3, time.Second), []int{900, 901, 902, 1100, 1101, 1102, 1500}, false},
		{"windows that begin with a call", fixedWindow(2, time.Second), []int{0, 1, 1700, 1701, 2700, 2701, 4000, 4001}, true},
		{"a counter", slidingCounter(4, time.Second), []int{0, 1, 2, 3, 1260, 1510, 1760}, true},
		{"a counter that forgets", slidingCounter(4, time.Second), []int{0, 1, 2, 3, 510, 511, 512, 513, 1020, 1021, 1022, 1023}, false},
		{"a bucket", tokenBucket(10, time.Second, 2), []int{0, 0, 100, 200, 300}, true},
		{"a bucket one over", tokenBucket(10, time.Second, 2), []int{0, 0, 50}, false},
		{"as many in flight", concurrency(2), []int{0, 10, 60, 70}, true},
		{"one more in flight", concurrency(2), []int{0, 10, 20}, false},
		{"some kind", anyKind(3, time.Second), []int{900, 901, 902, 1100, 1101, 1102}, true},
		{"windows with a boundary in each of three bursts", fixedWindow(3, time.Second), []int{0, 1, 2, 3, 1001, 1002, 1003, 1004, 2002, 2003, 2004, 2005}, true},
		{"windows, one over in each of four bursts", fixedWindow(3, time.Second), []int{0, 1, 2, 3, 1001, 1002, 1003, 1004, 2002, 2003, 2004, 2005, 3003, 3004, 3005, 3006}, false},
		{"some kind, with a boundary in each burst", anyKind(3, time.Second), []int{0, 1, 2, 3, 1001, 1002, 1003, 1004}, true},
		{"twice the limit in every burst", anyKind(3, time.Second), []int{0, 1, 2, 3, 4, 5, 1001, 1002, 1003, 1004, 1005, 1006}, false},
		{"no kind", anyKind(3, time.Second), []int{0, 1, 2, 3, 4, 5, 6}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls []admission
			for _, ms := range tt.ms {
				at := time.Time{}.Add(time.Duration(ms) * time.Millisecond)
				calls = append(calls, admission{at, at, at.Add(50 * time.Millisecond)})
			}
			require.Equal(t, tt.want, keeps(tt.declared, calls))
		})
	}
}
