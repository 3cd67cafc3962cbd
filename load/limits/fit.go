package limits

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// fitting is a model with the number of answers that it cannot explain.
type fitting struct {
	Model

	wrong int
}

// fitter finds, for each kind, the numbers that leave the fewest answers unexplained.
type fitter struct {
	all  []decision
	few  []decision // enough of them to search by
	book ledger
	// pace is roughly how long the limiter takes to admit one call when it is asked without pause. Times the limit, that
	// is the window, between shortest and longest times.
	pace time.Duration
	// limits are the numbers of calls that were admitted at once or in a row, the likeliest first.
	limits []int
}

const (
	shortest = 0.35
	longest  = 2.2
)

// fit returns the kinds that go by time, the best first.
func (f fitter) fit() []fitting {
	found := []fitting{f.fitBucket()}
	consider := func(m fitting) {
		i := slices.IndexFunc(found, func(known fitting) bool { return known.Kind == m.Kind })
		switch {
		case i < 0:
			found = append(found, m)
		case m.wrong < found[i].wrong, m.wrong == found[i].wrong && m.lessOf(found[i].Model):
			found[i] = m
		}
		slices.SortStableFunc(found, func(a, b fitting) int { return cmp.Compare(a.wrong, b.wrong) })
	}
	for _, limit := range f.limits {
		consider(f.fitLength(Model{Kind: contract.SlidingLog, Limit: limit}))
		consider(f.fitClocked(Model{Kind: contract.FixedWindow, Limit: limit}, found[0].wrong))
		consider(f.fitClocked(Model{Kind: contract.SlidingCounter, Limit: limit}, found[0].wrong))
	}
	// Windows without a clock, and limits that were never seen whole, explain nearly everything that others do. They are
	// reckoned with when nothing else fits.
	var strange []func() fitting
	for _, limit := range f.limits {
		strange = append(strange, func() fitting { return f.fitLength(Model{Kind: contract.FixedWindow, Limit: limit, Anchored: true}) })
	}
	strange = append(strange,
		func() fitting { return f.fitClocked(Model{Kind: contract.FixedWindow}, found[0].wrong) },
		func() fitting { return f.fitClocked(Model{Kind: contract.SlidingCounter}, found[0].wrong) },
		func() fitting { return f.fitLength(Model{Kind: contract.SlidingLog}) },
	)
	for _, fit := range strange {
		if found[0].wrong <= plausible {
			break
		}
		if m := fit(); m.wrong+plausible < found[0].wrong {
			consider(m)
		}
	}
	return found
}

// alike is by how much the windows of two models may differ that are taken for the same.
const alike = 0.03

// lessOf reports whether a model has less of a limit in the same window. A drain that takes its time gains calls, so of
// two that explain as much it is the likelier.
func (m Model) lessOf(other Model) bool {
	return m.Limit < other.Limit && math.Abs(m.Window.Seconds()/other.Window.Seconds()-1) < alike
}

// try counts what a model cannot explain, up to a bound. A model without a limit is given one: the least that admits
// what was admitted.
func (f fitter) try(m Model, bound int) (Model, int) {
	if m.Limit == 0 {
		rule := newLimiter(m, f.few, f.book, 0)
		for _, d := range f.few {
			if d.outcome == Admitted {
				m.Limit = max(m.Limit, int(rule.used(d)+rounding)+1)
			}
		}
		if m.Kind == contract.TokenBucket {
			m = bucket(m.Limit, m.Refill)
		}
	}
	return m, contradicting(newLimiter(m, f.few, f.book, 0), f.few, bound).count()
}

// around is roughly the window.
func (f fitter) around(m Model) time.Duration {
	return f.pace * time.Duration(cmp.Or(m.Limit, f.limits[0]))
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
			m := m
			m.Window = time.Duration(ratio * float64(around))
			best.add(f.try(m, best.bound()))
		}
		if m.Anchored {
			return best.all[0] // a longer window contradicts nothing: a refusal may be due to what came much earlier
		}
		return best.middle()
	}
	coarse := search(f.around(m), steps(shortest, longest, 1.005))
	return f.settled(search(coarse.Window, steps(1/1.006, 1.006, 1.0002)))
}

// fitBucket finds the refill in steps of 0.5 %, then of 0.02 % around the best: over a watch of a hundred tokens an
// error of 0.5 % is half a token.
func (f fitter) fitBucket() fitting {
	search := func(around float64, ratios []float64) Model {
		var best tie[Model]
		for _, ratio := range ratios {
			best.add(f.try(Model{Kind: contract.TokenBucket, Refill: ratio * around}, best.bound()))
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
	keptTies     = 400
	closer       = 3
	fineGrids    = 4 // at least, after the first
)

// mesh is a place in a grid: the window as a multiple of what it roughly is, and the phase as a part of the window.
type mesh struct {
	window, phase float64
	wrong         int
}

// hopeless is how many more answers than another kind a place may leave unexplained before it is given up, besides a
// tenth of all: the right one leaves a few while the grid is coarse, near its boundaries.
const hopeless = 20

// fitClocked need not find what is much worse than another kind, which leaves so many answers unexplained.
func (f fitter) fitClocked(m Model, other int) fitting {
	period := f.around(m)
	end := firstWindows * period
	// An error in the length moves the phase least where it is counted from.
	origin := f.all[0].from + end/2
	model := func(at mesh) Model {
		m := m
		m.Window = time.Duration(at.window * float64(period))
		m.Phase = origin + time.Duration(at.phase*float64(m.Window))
		return m
	}
	ratio, phase := coarseRatio-1, 1.0/coarsePhases
	var places []mesh
	for _, w := range steps(shortest, longest, coarseRatio) {
		for p := range coarsePhases {
			places = append(places, mesh{w, float64(p) / coarsePhases, 0})
		}
	}
	last := f.all[len(f.all)-1].from
	for grid := 0; ; {
		part := f
		part.few = f.few[:sort.Search(len(f.few), func(i int) bool { return f.few[i].from > f.all[0].from+end })]
		best := part.best(places, model, other+hopeless+len(part.few)/10)
		whole := f.all[0].from+end >= last
		switch {
		case len(best) == 0:
			return f.settled(model(mesh{window: 1}))
		case len(best) >= keptTies && !whole:
			end *= 2 // too little came so far to tell the places apart
			continue
		case grid >= fineGrids && whole:
			return f.finest(best, model)
		}
		grid++
		places = around(best, ratio, phase)
		ratio, phase, end = ratio/closer, phase/closer, 2*end
	}
}

// finest is the model in the middle of the best places.
func (f fitter) finest(places []mesh, model func(mesh) Model) fitting {
	var best tie[Model]
	for _, at := range places {
		best.add(f.try(model(at), len(f.few)))
	}
	return f.settled(best.middle())
}

// best are the places of a grid that leave the fewest answers unexplained.
func (f fitter) best(places []mesh, model func(mesh) Model, bound int) []mesh {
	best := make([]mesh, 0, 2*keptTies)
	for _, at := range places {
		if _, at.wrong = f.try(model(at), bound); at.wrong > bound {
			continue
		}
		if best = append(best, at); len(best) >= 2*keptTies {
			best = bestOf(best)
			bound = min(bound, best[kept-1].wrong)
		}
	}
	return bestOf(best)
}

// bestOf keeps what is as good as the last of the best: on a slow machine few answers come in the first few windows, and
// many places explain them equally.
func bestOf(places []mesh) []mesh {
	slices.SortStableFunc(places, func(a, b mesh) int { return cmp.Compare(a.wrong, b.wrong) })
	n := min(kept, len(places))
	for n > 0 && n < min(keptTies, len(places)) && places[n].wrong == places[n-1].wrong {
		n++
	}
	return places[:n]
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
