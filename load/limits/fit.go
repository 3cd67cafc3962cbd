package limits

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"
)

// fitting is a model with the number of answers that it cannot explain.
type fitting struct {
	Model

	wrong int
}

// fitter finds, for each kind, the numbers that leave the fewest answers unexplained. It searches for times alone: for
// each it computes the least limit that admits what was admitted, and counts the refusals below it.
type fitter struct {
	all  []decision
	few  []decision // enough of them to search by
	book ledger
	// pace is roughly how long the limiter takes to admit one call when it is asked without pause, around that times the
	// limit. The window is between shortest and longest times as long.
	pace, around time.Duration
	// seen are the numbers of calls that were admitted at once or in a row, after a rest. Of limits that explain the
	// answers equally well, one that was seen is the likely one.
	seen []int
}

const (
	shortest = 0.35
	longest  = 2.2
)

// fit returns the kinds that go by time, the best first.
func (f fitter) fit() []fitting {
	found := []fitting{
		f.fitBucket(), f.fitLength(Model{Kind: SlidingLog}), f.fitClocked(FixedWindow), f.fitClocked(SlidingCounter),
	}
	slices.SortStableFunc(found, func(a, b fitting) int { return cmp.Compare(a.wrong, b.wrong) })
	if found[0].wrong <= plausible {
		return found
	}
	// Windows without a clock explain nearly everything that others do. They are reckoned with when nothing else fits.
	if m := f.fitLength(Model{Kind: FixedWindow, Anchored: true}); m.wrong+plausible < found[0].wrong {
		found = slices.DeleteFunc(found, func(other fitting) bool { return other.Kind == FixedWindow })
		found = append([]fitting{m}, found...)
	}
	return found
}

// try gives a model its least limit, and counts what it cannot explain, up to a bound.
func (f fitter) try(m Model, bound int) (Model, int) {
	m.Limit = 1
	rule := newLimiter(m, f.few, f.book, 0)
	for _, d := range f.few {
		if d.outcome == Admitted {
			m.Limit = max(m.Limit, int(rule.used(d)+rounding)+1)
		}
	}
	if m.Kind == TokenBucket {
		m = bucket(m.Limit, m.Refill)
	}
	return m, contradicting(newLimiter(m, f.few, f.book, 0), f.few, bound).count()
}

// settled is a model with all answers asked.
func (f fitter) settled(m Model) fitting {
	return fitting{m, contradicting(newLimiter(m, f.all, f.book, 0), f.all, len(f.all)).count()}
}

// steps are values from a lowest to a highest one, each greater than the last by a ratio.
func steps(from, to, ratio float64) []float64 {
	var values []float64
	for v := from; v <= to; v *= ratio {
		values = append(values, v)
	}
	return values
}

// fitLength finds the length of windows without a phase, in steps of 0.5 %, then of 0.02 % around the best: a hundred
// calls that came within a tenth of a second are free again within a tenth of a second.
func (f fitter) fitLength(m Model) fitting {
	search := func(around time.Duration, ratios []float64) Model {
		var best tie[Model]
		for _, ratio := range ratios {
			m.Window = time.Duration(ratio * float64(around))
			best.add(f.try(m, best.bound()))
		}
		if m.Anchored {
			return best.all[0] // a longer window contradicts nothing: a refusal may be due to what came much earlier
		}
		return f.likely(best)
	}
	coarse := search(f.around, steps(shortest, longest, 1.005))
	return f.settled(search(coarse.Window, steps(1/1.006, 1.006, 1.0002)))
}

// fitBucket finds the refill in steps of 0.5 %, then of 0.02 % around the best: over a watch of a hundred tokens an
// error of 0.5 % is half a token.
func (f fitter) fitBucket() fitting {
	search := func(around float64, ratios []float64) Model {
		var best tie[Model]
		for _, ratio := range ratios {
			best.add(f.try(bucket(1, ratio*around), best.bound()))
		}
		return best.middle()
	}
	coarse := search(1/f.pace.Seconds(), steps(1/longest, 1/shortest, 1.005))
	return f.settled(search(coarse.Refill, steps(1/1.006, 1.006, 1.0002)))
}

// The windows of the clock are found by length and phase together: first on a grid of 1.5 % by a thirty-second over the
// first few windows of the watch, where a wrong length has not yet led far astray, then three times as closely around
// the best of it and over twice as long, and so on to its end.
const (
	coarseRatio  = 1.015
	coarsePhases = 32
	firstWindows = 4
	kept         = 40
	closer       = 3
	fineGrids    = 4 // at least, after the first
)

// mesh is a place in a grid: the window as a multiple of f.around, and the phase as a part of the window.
type mesh struct {
	window, phase float64
	wrong         int
}

func (f fitter) fitClocked(kind Kind) fitting {
	end := firstWindows * f.around
	// An error in the length moves the phase least where it is counted from.
	origin := f.all[0].from + end/2
	model := func(at mesh) Model {
		w := time.Duration(at.window * float64(f.around))
		return Model{Kind: kind, Window: w, Phase: origin + time.Duration(at.phase*float64(w))}
	}
	ratio, phase := coarseRatio-1, 1.0/coarsePhases
	var places []mesh
	for _, w := range steps(shortest, longest, coarseRatio) {
		for p := range coarsePhases {
			places = append(places, mesh{w, float64(p) / coarsePhases, 0})
		}
	}
	last := f.all[len(f.all)-1].from
	for grid := 0; ; grid++ {
		part := f
		part.few = f.few[:sort.Search(len(f.few), func(i int) bool { return f.few[i].from > f.all[0].from+end })]
		places = part.best(places, model)
		if grid >= fineGrids && f.all[0].from+end >= last {
			break
		}
		places = around(places, ratio, phase)
		ratio, phase, end = ratio/closer, phase/closer, 2*end
	}
	var best tie[Model]
	for _, at := range places {
		best.add(f.try(model(at), len(f.few)))
	}
	return f.settled(f.likely(best))
}

// best are the places of a grid that leave the fewest answers unexplained.
func (f fitter) best(places []mesh, model func(mesh) Model) []mesh {
	bound := math.MaxInt
	best := make([]mesh, 0, 2*kept)
	for _, at := range places {
		if _, at.wrong = f.try(model(at), bound); at.wrong > bound {
			continue
		}
		if best = append(best, at); len(best) == 2*kept {
			best = bestOf(best)
			bound = best[kept-1].wrong
		}
	}
	return bestOf(best)
}

// likely is the one in the middle of the best whose limit was seen, or of all the best.
func (f fitter) likely(best tie[Model]) Model {
	var seen tie[Model]
	for _, m := range best.all {
		if slices.Contains(f.seen, m.Limit) {
			seen.add(m, best.wrong)
		}
	}
	if len(seen.all) > 0 {
		return seen.middle()
	}
	return best.middle()
}

func bestOf(places []mesh) []mesh {
	slices.SortStableFunc(places, func(a, b mesh) int { return cmp.Compare(a.wrong, b.wrong) })
	return places[:min(kept, len(places))]
}

// around are the places of the next grid near those of this one.
func around(places []mesh, ratio, phase float64) []mesh {
	var next []mesh
	for _, at := range places {
		for i := -1; i <= 1; i++ {
			for j := -1; j <= 1; j++ {
				next = append(next, mesh{at.window * (1 + ratio*float64(i)/closer), at.phase + phase*float64(j)/closer, 0})
			}
		}
	}
	return next
}

// tie keeps everything that is as good as the best.
type tie[T any] struct {
	wrong int
	all   []T
}

func (t *tie[T]) add(v T, wrong int) {
	switch {
	case len(t.all) == 0 || wrong < t.wrong:
		t.wrong, t.all = wrong, []T{v}
	case wrong == t.wrong:
		t.all = append(t.all, v)
	}
}

// bound is how many wrong answers are worth counting.
func (t *tie[T]) bound() int {
	if len(t.all) == 0 {
		return math.MaxInt
	}
	return t.wrong
}

// middle is the one in the middle of the best: the true one is as likely on either side.
func (t *tie[T]) middle() T { return t.all[len(t.all)/2] }

// thin leaves out refusals from the middle of long rows: those at the ends of a row say when the limiter changed its
// mind, and of the others each says the same.
func thin(all []decision) []decision {
	var few []decision
	for i, d := range all {
		telling := d.outcome != Refused
		for near := max(i-1, 0); near <= min(i+1, len(all)-1); near++ {
			telling = telling || all[near].outcome != Refused
		}
		if telling || i%16 == 0 {
			few = append(few, d)
		}
	}
	return few
}
