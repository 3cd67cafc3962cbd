package limits

import "time"

// clockWindow stands for the two kinds whose windows are aligned to a clock. A fixed window forgets what came before its
// boundary (memory 0). A sliding counter adds the calls of the window before, weighted with the share of the current window
// that is still to come (memory 1).
//
// Sliding counters are built in two ways: some admit a call while the estimate is below the limit, others while the estimate
// with the call is not above it. Only a call that contradicts both is a contradiction here.
type clockWindow struct {
	LimiterModel
	admissions

	slack  time.Duration
	memory float64
}

// rounding is more than the rounding error of the sums, and less than the weight of any call.
const rounding = 1e-6

func (w *clockWindow) minUsage(d *decision) float64 {
	start := w.windowStart(d.to)
	usage := float64(w.atLeastUntil(start+w.slack, d)) - 1
	if w.memory > 0 {
		usage += float64(w.atLeast(start-w.Window+w.slack, start-w.slack-1)) * w.memory * w.remaining(d.to+w.slack, start)
	}
	return usage
}

func (w *clockWindow) cannotAdmit(d *decision) bool {
	return w.minUsage(d) >= float64(w.Limit)-rounding
}

func (w *clockWindow) cannotRefuse(d *decision) bool {
	for start := w.windowStart(d.from - w.slack); start <= d.to+w.slack; start += w.Window {
		oldest := start - time.Duration(w.memory*float64(w.Window)) - w.slack
		if oldest < w.begin {
			return false
		}
		usage := float64(w.atMostOthers(start-w.slack, min(d.to, start+w.Window+w.slack-1)))
		if w.memory > 0 {
			usage += float64(w.atMost(oldest, start+w.slack-1)) * w.memory * w.remaining(d.from-w.slack, start)
		}
		if usage > float64(w.Limit)-1+rounding {
			return false
		}
	}
	return true
}

// remaining is the share of the window from start that is still to come, from 0 to 1.
func (w *clockWindow) remaining(at, start time.Duration) float64 {
	return min(max(1-float64(at-start)/float64(w.Window), 0), 1)
}
