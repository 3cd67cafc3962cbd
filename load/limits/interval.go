package limits

import (
	"fmt"
	"math"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Interval is the range of values of a parameter that the responses do not exclude, including both ends. The zero value means that the kind does not
// have this parameter.
type Interval[T int | float64 | time.Duration] struct {
	From T `json:"from"`
	To   T `json:"to"`
}

// with is the least interval that has another in it too.
func (v Interval[T]) with(other Interval[T]) Interval[T] {
	return Interval[T]{min(v.From, other.From), max(v.To, other.To)}
}

// Intervals are the intervals of a model's parameters. A limiter of the same kind with parameters outside these intervals would contradict more
// responses than the model does, even if its clock is off by up to 25 ms.
type Intervals struct {
	// Limit is in calls. For a token bucket it is the capacity.
	Limit  Interval[int]
	Window Interval[time.Duration]
	// Refill is the rate of a token bucket in tokens per second.
	Refill Interval[float64]
}

// contain reports whether a limit on calls in a window is within the intervals. Of a bucket, only the rate is compared, since its size need not be the
// limit.
func (v Intervals) contain(limit int, window time.Duration) bool {
	if v.Refill.To > 0 {
		rate := float64(limit) / window.Seconds()
		return v.Refill.From <= rate && rate <= v.Refill.To
	}
	return v.Limit.From <= limit && limit <= v.Limit.To && v.Window.From <= window && window <= v.Window.To
}

// maxIntervalRatio is the largest ratio between the ends of an inferred rate: beyond it, the number says nothing.
const maxIntervalRatio = 2

// wide reports whether the fastest limiter of the intervals frees more than twice as much as the slowest in the same time. A window that begins with a
// request may have no upper end.
func (m LimiterModel) wide() bool {
	v := m.Intervals
	perCall := func(window time.Duration, limit int) float64 { return window.Seconds() / float64(max(limit, 1)) }
	return v.Refill.To > maxIntervalRatio*v.Refill.From ||
		!m.StartsOnRequest && perCall(v.Window.To, v.Limit.To) > maxIntervalRatio*perCall(v.Window.From, v.Limit.From)
}

// intervals finds what the answers do not exclude of the parameters of the best fit.
func (f fitter) intervals(best fit) Intervals {
	p := plausible{fitter: f, best: best.LimiterModel}
	p.bound = countContradictions(newLimiter(best.LimiterModel, f.sample, f.admissions, defaultSlack), f.sample, len(f.sample))
	value := p.valueOf(best.LimiterModel)
	lowest, highest := value, value
	found := Intervals{Limit: Interval[int]{best.Limit, best.Limit}}
	for limit, start := range p.limits() {
		from, to := p.values(limit, start)
		lowest, highest = min(lowest, from), max(highest, to)
		found.Limit = found.Limit.with(Interval[int]{limit, limit})
	}
	if best.Kind == contract.TokenBucket {
		found.Refill = Interval[float64]{lowest, highest}
	} else {
		found.Window = Interval[time.Duration]{time.Duration(lowest), time.Duration(highest)}
	}
	return found
}

// plausible decides which models of a kind the answers do not exclude: those that leave no more of them unexplained than the best.
type plausible struct {
	fitter

	best  LimiterModel
	bound int
}

// valueOf is the parameter that is fitted beside the limit: the refill rate, or the window.
func (p plausible) valueOf(m LimiterModel) float64 {
	if m.Kind == contract.TokenBucket {
		return m.Refill
	}
	return float64(m.Window)
}

// with is the best model with another limit and another value.
func (p plausible) with(limit int, value float64) LimiterModel {
	if p.best.Kind == contract.TokenBucket {
		return newTokenBucketModel(limit, value)
	}
	m := p.best
	m.Limit, m.Window = limit, time.Duration(value)
	return m
}

func (p plausible) explains(m LimiterModel) bool {
	return countContradictions(newLimiter(m, p.sample, p.admissions, defaultSlack), p.sample, p.bound) <= p.bound
}

// A window with a phase is tried at phasesTried phases: those near the best first, where most are found.
const phasesTried = 256

// allows reports whether some limiter with a limit and a value explains the answers.
func (p plausible) allows(limit int, value float64) bool {
	m := p.with(limit, value)
	if !m.hasPhase() {
		return p.explains(m)
	}
	// The phase is least moved by another length in the middle of the answers.
	middle := (p.sample[0].from + p.sample[len(p.sample)-1].from) / 2
	at := p.best.windowStart(middle)
	for i := range phasesTried {
		away := time.Duration((i+1)/2) * m.Window / phasesTried
		if i%2 == 1 {
			away = -away
		}
		m.Phase = at + away
		if p.explains(m) {
			return true
		}
	}
	return false
}

// maxLimitStep bounds how far the limit may be from the best.
const maxLimitStep = 16

// limits are those that some value explains, with that value.
func (p plausible) limits() map[int]float64 {
	start, _ := p.start(p.best.Limit)
	found := map[int]float64{p.best.Limit: start}
	for _, step := range []int{-1, 1} {
		for limit := p.best.Limit + step; limit >= 1 && (limit-p.best.Limit)*step <= maxLimitStep; limit += step {
			start, ok := p.start(limit)
			if !ok {
				break
			}
			found[limit] = start
		}
	}
	return found
}

// Values are searched for near the best value, and near the value that results in the same rate, up to a factor of nearby.
const (
	nearby     = 1.02
	nearbyStep = 1.0025
)

// start is a value with which a limit explains the answers.
func (p plausible) start(limit int) (float64, bool) {
	best := p.valueOf(p.best)
	centres := []float64{best}
	if limit != p.best.Limit && p.best.Kind != contract.TokenBucket {
		centres = append(centres, best*float64(limit)/float64(p.best.Limit))
	}
	for _, centre := range centres {
		for ratio := 1.0; ratio <= nearby; ratio *= nearbyStep {
			for _, value := range []float64{centre * ratio, centre / ratio} {
				if p.allows(limit, value) {
					return value, true
				}
			}
		}
	}
	return best, limit == p.best.Limit
}

// The ends of an interval are determined to a precision of edgeStep of the value, and are searched for up to maxEdge of the value.
const (
	edgeStep = 0.0002
	maxEdge  = 3.0
)

// values are the least and the greatest value with which a limit explains the answers, of which start is one. Both are a step beyond the
// last that does.
func (p plausible) values(limit int, start float64) (from, to float64) {
	edge := func(direction float64) float64 {
		at := func(step float64) float64 { return start * math.Exp(direction*step) }
		in, out := 0.0, edgeStep
		for out < maxEdge && p.allows(limit, at(out)) {
			in, out = out, 2*out
		}
		for out-in > edgeStep {
			if middle := (in + out) / 2; p.allows(limit, at(middle)) {
				in = middle
			} else {
				out = middle
			}
		}
		return at(out)
	}
	return edge(-1), edge(1)
}

// String returns the parameters with their intervals: "limit 20, window 1.996s to 2.004s".
func (v Intervals) String() string {
	text := "limit " + ends(v.Limit, func(n int) string { return fmt.Sprint(n) })
	if v.Refill.To > 0 {
		return "burst " + ends(v.Limit, func(n int) string { return fmt.Sprint(n) }) + ", rate " + ends(v.Refill, func(r float64) string { return fmt.Sprintf("%.4g/s", r) })
	}
	if v.Window.To > 0 {
		text += ", window " + ends(v.Window, round)
	}
	return text
}

func ends[T int | float64 | time.Duration](v Interval[T], text func(T) string) string {
	from, to := text(v.From), text(v.To)
	if from == to {
		return from
	}
	return from + " to " + to
}
