package limits

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// fitting is a model with the number of answers that it cannot explain.
type fitting struct {
	Model

	wrong int
	// given says that the search was given up: wrong is the least number of unexplained answers, and there is no window.
	given bool
}

// fitter finds, for each kind, the numbers that leave the fewest answers unexplained.
type fitter struct {
	all  []decision
	few  []decision // enough of them to search by
	book ledger
	// pace is roughly how long the limiter takes to admit one call when it is asked without pause. Times the limit, that
	// is between two thirds of the window and the whole of it and two thirds.
	pace time.Duration
	// limits are the limits to try.
	limits []int
}

// The search goes over windows from shortest to longest times the pace and the limit.
const (
	shortest = 0.45
	longest  = 1.9
)

// hopeless is how many more answers than the best kind another may leave unexplained on the coarsest grid before its
// search is given up, as a part of all. The right kind leaves a few there, near its boundaries.
func (f fitter) hopeless() int { return 20 + len(f.few)/10 }

// fit returns the kinds that go by time, the best first.
func (f fitter) fit() []fitting {
	best := []fitting{f.fitBucket()}
	consider := func(m fitting) {
		i := slices.IndexFunc(best, func(b fitting) bool { return b.Kind == m.Kind })
		switch {
		case i < 0:
			best = append(best, m)
		case m.wrong < best[i].wrong:
			best[i] = m
		}
		slices.SortStableFunc(best, func(a, b fitting) int { return cmp.Compare(a.wrong, b.wrong) })
	}
	for _, limit := range f.limits {
		consider(f.fitLength(Model{Kind: SlidingLog, Limit: limit}))
		consider(f.fitClocked(FixedWindow, limit, best[0].wrong+f.hopeless()))
		consider(f.fitClocked(SlidingCounter, limit, best[0].wrong+f.hopeless()))
	}
	// Windows without a clock explain nearly everything that others do. They are reckoned with when nothing else fits.
	for _, limit := range f.limits {
		if best[0].wrong <= plausible {
			break
		}
		if m := f.fitLength(Model{Kind: FixedWindow, Limit: limit, Anchored: true}); m.wrong+plausible < best[0].wrong {
			consider(m)
		}
	}
	return best
}

func (f fitter) wrong(m Model, bound int) int {
	return contradicting(newLimiter(m, f.few, f.book, 0), f.few, bound).count()
}

// settled is a model with all answers asked.
func (f fitter) settled(m Model) fitting {
	return fitting{m, contradicting(newLimiter(m, f.all, f.book, 0), f.all, len(f.all)).count(), false}
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
	m.Window = time.Duration(float64(f.pace) * float64(m.Limit))
	coarse := f.bestLength(m, steps(shortest, longest, 1.005))
	return f.settled(f.bestLength(coarse, steps(1/1.006, 1.006, 1.0002)))
}

func (f fitter) bestLength(m Model, lengths []float64) Model {
	var best tie[Model]
	around := float64(m.Window)
	for _, w := range lengths {
		m.Window = time.Duration(w * around)
		best.add(m, f.wrong(m, best.bound()))
	}
	if m.Anchored {
		return best.all[0] // a longer window contradicts nothing: a refusal may be due to what came much earlier
	}
	return best.middle()
}

// The windows of the clock are found by length and phase together: first on a grid of 2 % by a thirty-second, then
// more closely around the best of it. The phase is counted from the middle of the watch, where an error in the length
// has moved it least.
const (
	coarseRatio  = 1.02
	coarsePhases = 32
	kept         = 12
	closer       = 3 // steps to each side
)

func (f fitter) fitClocked(kind Kind, limit, bound int) fitting {
	middle := f.all[len(f.all)/2].from
	model := func(window, phase float64) Model {
		w := time.Duration(window * float64(f.pace) * float64(limit))
		return Model{Kind: kind, Limit: limit, Window: w, Phase: middle + time.Duration(phase*float64(w))}
	}
	type place struct {
		window, phase float64
		wrong         int
	}
	var places []place
	try := func(window, phase float64) {
		wrong := f.wrong(model(window, phase), bound)
		if wrong > bound {
			return
		}
		places = append(places, place{window, phase, wrong})
		if len(places) >= 4*kept {
			slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.wrong, b.wrong) })
			places = places[:kept]
			bound = places[kept-1].wrong
		}
	}
	for _, w := range steps(shortest, longest, coarseRatio) {
		for p := range coarsePhases {
			try(w, float64(p)/coarsePhases)
		}
	}
	if len(places) == 0 {
		return fitting{Model{Kind: kind, Limit: limit}, bound + 1, true}
	}
	var best tie[Model]
	ratio, phase := coarseRatio-1, 1.0/coarsePhases
	for range 3 {
		slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.wrong, b.wrong) })
		around := slices.Clone(places[:min(kept, len(places))])
		places, best = nil, tie[Model]{}
		for _, at := range around {
			for i := -closer; i <= closer; i++ {
				for j := -closer; j <= closer; j++ {
					try(at.window*(1+ratio*float64(i)/closer), at.phase+phase*float64(j)/closer)
				}
			}
		}
		for _, at := range places {
			best.add(model(at.window, at.phase), at.wrong)
		}
		ratio, phase = ratio/closer, phase/closer
	}
	return f.settled(best.middle())
}

// fitBucket goes over the refill in steps of 0.5 %, then of 0.02 % around the best: over a watch of a hundred tokens an
// error of 0.5 % is half a token. For each it computes the capacity: the least one that admits what was admitted.
func (f fitter) fitBucket() fitting {
	rate := 1 / f.pace.Seconds()
	best := f.bestBucket(steps(rate/longest, rate/shortest, 1.005))
	return f.settled(f.bestBucket(steps(best.Refill/1.006, best.Refill*1.006, 1.0002)))
}

func (f fitter) bestBucket(refills []float64) Model {
	var best tie[Model]
	for _, r := range refills {
		m := bucket(f.capacity(r), r)
		best.add(m, f.wrong(m, best.bound()))
	}
	return best.middle()
}

// capacity is the smallest bucket that can have admitted every admitted call.
func (f fitter) capacity(refill float64) int {
	t := newTokens(Model{Refill: refill}, nil, f.book, 0)
	least := 1.0
	for _, to := range f.book.certain.to {
		least = max(least, t.needed(to))
	}
	return int(math.Ceil(least - rounding))
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
		for near := max(i-2, 0); near <= min(i+2, len(all)-1); near++ {
			telling = telling || all[near].outcome != Refused
		}
		if telling || i%8 == 0 {
			few = append(few, d)
		}
	}
	return few
}
