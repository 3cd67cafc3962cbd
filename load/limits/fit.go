package limits

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// fit is a model with the number of responses that contradict it.
type fit struct {
	LimiterModel

	contradictions int
}

// ambiguity is how many more contradictions than the best kind another kind may have and still be possible.
const ambiguity = 1

// fits returns the best fit of each kind to the responses so far, the best kind first.
func (i *inference) fits() []fit { return i.fitter().fits() }

func (i *inference) fitter() fitter {
	decisions := decisionsOf(i.calls, i.origin())
	return fitter{
		decisions: decisions, sample: downsample(decisions), admissions: countAdmissions(decisions), interval: i.interval, limits: i.limits,
	}
}

// fitter finds, for each kind, the parameters with the fewest contradictions.
type fitter struct {
	decisions []decision
	// sample is a part of the decisions that suffices for the search.
	sample     []decision
	admissions admissions
	// interval is roughly the time in which the limiter admits one call when it is polled without pause. A window is searched
	// between minWindow and maxWindow times the limit times the interval.
	interval time.Duration
	// limits are the numbers of calls that were admitted at once or in a row, the likeliest first.
	limits []int
}

const (
	minWindow = 0.35
	maxWindow = 2.2
)

// fits returns the best fit of each kind that goes by time, the best kind first.
func (f fitter) fits() []fit {
	found := bestOfKinds{f.fitTokenBucket()}
	for _, limit := range f.limits {
		for _, kind := range []contract.LimiterKind{contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter} {
			found.add(f.fitWindow(LimiterModel{Kind: kind, Limit: limit}, found[0].contradictions))
		}
	}
	// Windows that start on a request, and limits that were never seen whole, explain nearly everything that other models do.
	// They are tried only when nothing else fits.
	var fallbacks []LimiterModel
	for _, limit := range f.limits {
		fallbacks = append(fallbacks, LimiterModel{Kind: contract.FixedWindow, Limit: limit, StartsOnRequest: true})
	}
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingCounter, contract.SlidingLog} {
		fallbacks = append(fallbacks, LimiterModel{Kind: kind})
	}
	for _, fallback := range fallbacks {
		best := found[0].contradictions
		if best <= ambiguity {
			break
		}
		if m := f.fitWindow(fallback, best); m.contradictions+ambiguity < best {
			found.add(m)
		}
	}
	return found
}

// otherWindows are the windows that begin with a request, where these explain as much as those of a clock and with another length only; nil
// where they do not: which of both the limiter has, and so how long its windows are, is not known then.
func (f fitter) otherWindows(best fit) *fit {
	if best.Kind != contract.FixedWindow || best.StartsOnRequest {
		return nil
	}
	onRequest := f.fitWindow(LimiterModel{Kind: contract.FixedWindow, Limit: best.Limit, StartsOnRequest: true}, best.contradictions)
	sameLength := onRequest.LimiterModel
	sameLength.Window = best.Window
	if onRequest.contradictions > best.contradictions || f.fitToAll(sameLength).contradictions <= best.contradictions {
		return nil
	}
	return &onRequest
}

// bestOfKinds holds one fit a kind, the best first.
type bestOfKinds []fit

func (b *bestOfKinds) add(m fit) {
	i := slices.IndexFunc(*b, func(known fit) bool { return known.Kind == m.Kind })
	switch {
	case i < 0:
		*b = append(*b, m)
	case m.contradictions < (*b)[i].contradictions,
		m.contradictions == (*b)[i].contradictions && m.hasLowerLimit((*b)[i].LimiterModel):
		(*b)[i] = m
	}
	slices.SortStableFunc(*b, func(a, b fit) int { return cmp.Compare(a.contradictions, b.contradictions) })
}

// sameWindow is by how much, as a ratio, two windows may differ and count as the same.
const sameWindow = 0.03

// hasLowerLimit reports whether a model has a lower limit in the same window. A drain that takes long gains calls, so of two
// models that explain as much the lower limit is likelier.
func (m LimiterModel) hasLowerLimit(other LimiterModel) bool {
	return m.Limit < other.Limit && math.Abs(m.Window.Seconds()/other.Window.Seconds()-1) < sameWindow
}

// score counts the contradictions of a model in the sample, up to a bound. A model without a limit gets the lowest one that
// admits what was admitted.
func (f fitter) score(m LimiterModel, bound int) (LimiterModel, int) {
	if m.Limit == 0 {
		l := newLimiter(m, f.sample, f.admissions, 0)
		for i := range f.sample {
			if d := &f.sample[i]; d.outcome == Admitted {
				m.Limit = max(m.Limit, int(l.minUsage(d)+rounding)+1)
			}
		}
		if m.Kind == contract.TokenBucket {
			m = newTokenBucketModel(m.Limit, m.Refill)
		}
	}
	return m, countContradictions(newLimiter(m, f.sample, f.admissions, 0), f.sample, bound)
}

// fitToAll counts the contradictions of a model in all decisions.
func (f fitter) fitToAll(m LimiterModel) fit {
	return fit{m, countContradictions(newLimiter(m, f.decisions, f.admissions, 0), f.decisions, len(f.decisions))}
}

// roughWindow is about the length of the window.
func (f fitter) roughWindow(m LimiterModel) time.Duration {
	return f.interval * time.Duration(cmp.Or(m.Limit, f.limits[0]))
}

// The search for a window without a phase, and for a refill rate, first uses steps of 0.5 %, and then steps of 0.02 % around the best value. If a
// hundred calls arrived within a tenth of a second, their capacity is freed within a tenth of a second too; over a hundred tokens, an error of 0.5 %
// amounts to half a token.
const (
	coarseStep = 1.005
	fineStep   = 1.0002
	fineRange  = 1.006
)

// geometric returns the values from a lowest to a highest one, each greater than the last by a ratio.
func geometric(from, to, ratio float64) []float64 {
	var values []float64
	for v := from; v <= to; v *= ratio {
		values = append(values, v)
	}
	return values
}

// fitWindow finds the length of a model's windows, and their phase where they have one. It may miss a fit with many more
// contradictions than the best one of another kind.
func (f fitter) fitWindow(m LimiterModel, best int) fit {
	if m.hasPhase() {
		return f.fitClockWindow(m, best)
	}
	return f.fitParameter(float64(f.roughWindow(m)), minWindow, maxWindow, func(window float64) LimiterModel {
		m := m
		m.Window = time.Duration(window)
		return m
	}, func(m LimiterModel) float64 { return float64(m.Window) })
}

// fitTokenBucket finds the refill rate and the capacity of a token bucket.
func (f fitter) fitTokenBucket() fit {
	return f.fitParameter(1/f.interval.Seconds(), 1/maxWindow, 1/minWindow, func(refill float64) LimiterModel {
		return LimiterModel{Kind: contract.TokenBucket, Refill: refill}
	}, func(m LimiterModel) float64 { return m.Refill })
}

// fitParameter finds the value of one parameter, between two multiples of a rough value: with returns the model with a value,
// and of the value of a model.
func (f fitter) fitParameter(rough, from, to float64, with func(float64) LimiterModel, of func(LimiterModel) float64) fit {
	search := func(around float64, ratios []float64) LimiterModel {
		var best argmin[LimiterModel]
		for _, ratio := range ratios {
			best.add(f.score(with(ratio*around), best.bound()))
		}
		if last := ratios[len(ratios)-1] * around; best.values[0].StartsOnRequest && of(best.values[len(best.values)-1]) >= 0.999*last {
			return best.values[0] // a longer window contradicts nothing: a much earlier call may explain a refusal
		}
		return best.median()
	}
	coarse := search(rough, geometric(from, to, coarseStep))
	return f.fitToAll(search(of(coarse), geometric(1/fineRange, fineRange, fineStep)))
}

// downsample leaves out refusals from the middle of long runs: those at the ends of a run show when the limiter changed its
// answer, the others all show the same.
func downsample(decisions []decision) []decision {
	var sample []decision
	for i, d := range decisions {
		informative := d.outcome != Refused
		for near := max(i-1, 0); near <= min(i+1, len(decisions)-1); near++ {
			informative = informative || decisions[near].outcome != Refused
		}
		if informative || i%16 == 0 {
			sample = append(sample, d)
		}
	}
	return sample
}

// argmin keeps all values with the fewest contradictions.
type argmin[T any] struct {
	contradictions int
	values         []T
}

func (a *argmin[T]) add(value T, contradictions int) {
	switch {
	case len(a.values) == 0 || contradictions < a.contradictions:
		a.contradictions, a.values = contradictions, []T{value}
	case contradictions == a.contradictions:
		a.values = append(a.values, value)
	}
}

// bound is up to how many contradictions are worth counting.
func (a *argmin[T]) bound() int {
	if len(a.values) == 0 {
		return math.MaxInt
	}
	return a.contradictions
}

// median returns the value in the middle: the true one is as likely to be on either side.
func (a *argmin[T]) median() T { return a.values[len(a.values)/2] }
