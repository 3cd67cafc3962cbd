package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// clearlyOther is the share by which a limit or a rate differs that is clearly not the declared one. A limit differs by at least one call.
const clearlyOther = 0.15

// checkResolution says how well the calls tell the declared limit from others. It is for calls that nothing contradicts. It takes back that the limit
// holds if the calls were slow and a limit that is clearly another one explains all responses too: on a busy machine, or with a slow gateway, a call may
// take as long as the limiter takes to free several. Each decision was then made at some time in a long interval, which few limits contradict: a bucket of
// one call refilled at 10/s passed as one refilled at 20/s.
//
// If refused calls count against the limit, a verification does not show when the limit recovers, so only limits of other sizes are tried. If no kind
// is declared, [assessment.recordSustained] says whether the calls were too slow.
func (a *assessment) checkResolution() {
	if a.others != nil || a.declared.Kind == "" || a.declared.Kind == contract.Concurrency {
		return
	}
	f := a.causeFinder()
	if a.slow() {
		others := f.otherSizes()
		if !a.declared.RefusedCount {
			others = append(others, f.otherRates()...)
		}
		if d, ok := f.first(others); ok {
			a.doubt(d, fmt.Sprintf("the calls were too slow (half of them took more than %s) to tell the declared limit from %s, which would also explain all responses", round(medianOf(a.decisions)), d))
			return
		}
	}
	if d, ok := f.first(f.nextLimits()); ok {
		text := fmt.Sprintf("; %s would also explain all responses", d)
		if !a.remark(contract.LimitExact, text) {
			a.remark(contract.LimitBurst, text)
		}
	}
}

// first returns the first of the limits that explains all responses.
func (f causeFinder) first(limits []DeclaredLimit) (DeclaredLimit, bool) {
	for _, d := range limits {
		if _, ok := f.explains(d); ok {
			return d, true
		}
	}
	return DeclaredLimit{}, false
}

// remark appends to the sentence of a requirement, and reports whether it holds.
func (a *assessment) remark(r contract.Requirement, text string) bool {
	for i, c := range a.checks {
		if c.Requirement == r && c.Result == contract.Held {
			a.checks[i].Sentence += text
			return true
		}
	}
	return false
}

// doubt records that the calls do not tell the declared limit from another one. How many calls are admitted at once may be certain all the same.
func (a *assessment) doubt(other DeclaredLimit, reason string) {
	a.indistinct = reason
	for i, c := range a.checks {
		if c.Requirement == contract.LimitExact || c.Requirement == contract.LimitBurst && other.capacity() != a.declared.capacity() {
			a.checks[i].Result, a.checks[i].Sentence = contract.Untested, reason
		}
	}
}

// slow reports whether the decision on a call may have been made at any time in an interval that is long for the limit: a quarter of the time in which the
// limiter frees a call, or more.
func (a *assessment) slow() bool {
	return slowFor(a.decisions, a.declared.Limit, a.declared.Window)
}

func slowFor(decisions []decision, limit int, window time.Duration) bool {
	const quarter = 4
	return quarter*medianOf(decisions)*time.Duration(limit) > window
}

// medianOf is the median of how long the gateway had to decide on a call: from its sending to the first byte of the response.
func medianOf(decisions []decision) time.Duration {
	took := make([]time.Duration, len(decisions))
	for i, d := range decisions {
		took[i] = d.to - d.from
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// nextLimits are the limits that differ from the declared one by one call, in what is admitted at once or in a window.
func (f causeFinder) nextLimits() (all []DeclaredLimit) {
	for _, step := range []int{-1, 1} {
		if n := f.declared.capacity() + step; n > 0 {
			all = append(all, f.withLimit(n))
		}
		if d := f.declared; d.Kind == contract.TokenBucket && d.Limit+step > 0 {
			d.Burst, d.Limit = d.capacity(), d.Limit+step
			all = append(all, d)
		}
	}
	return all
}

// otherSizes are limits that are clearly not the declared one, by one, two or three times the share that is clear.
func (f causeFinder) otherSizes() (all []DeclaredLimit) {
	n := f.declared.capacity()
	step := max(int(clearlyOther*float64(n)), 1)
	for _, steps := range []int{-1, 1, -2, 2, -3, 3} {
		if limit := n + steps*step; limit > 0 {
			all = append(all, f.withLimit(limit))
		}
	}
	return all
}

// otherRates are limits that clearly free calls more quickly or slowly than the declared one.
func (f causeFinder) otherRates() (all []DeclaredLimit) {
	ratios := []float64{2, 0.5}
	if f.declared.Kind == contract.TokenBucket {
		ratios = append([]float64{1 + clearlyOther, 1 / (1 + clearlyOther)}, ratios...)
	}
	for _, ratio := range ratios {
		all = append(all, f.inWindow(ratio*float64(f.declared.Window)))
	}
	return all
}
