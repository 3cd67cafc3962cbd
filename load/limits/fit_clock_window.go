package limits

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// The length and the phase of clock-aligned windows are fitted together, by a beam search over grids. The first grid has steps of 1.5 % of the length
// and of 1/32 of the phase. It is scored only on the first four windows, because the error of a wrong length has hardly accumulated by then. Each
// further grid is three times as fine, surrounds the best points of the previous grid, and is scored on twice as much time, up to the whole time.
const (
	gridRatio     = 1.015
	gridPhases    = 32
	firstWindows  = 4
	beamWidth     = 40
	maxBeamWidth  = 400
	refinement    = 3
	minFinerGrids = 4
)

// pruneMargin is how many more contradictions than another kind a point may have and be kept, besides a tenth of all
// responses: while the grid is coarse, the right point has a few near its boundaries.
const pruneMargin = 20

// gridPoint is a window as a multiple of its rough length, and a phase as a share of the window.
type gridPoint struct {
	window, phase  float64
	contradictions int
}

type clockWindowSearch struct {
	fitter

	// base has the kind and, where it is known, the limit.
	base LimiterModel
	// period is the rough length of the window.
	period time.Duration
	// origin is the instant from which phases are counted. An error of the length moves the phase least where it is in the
	// middle of the first windows.
	origin time.Duration
}

// fitClockWindow finds length and phase of a fixed window or a sliding counter.
func (f fitter) fitClockWindow(m LimiterModel, best int) fit {
	first, last := f.decisions[0].from, f.decisions[len(f.decisions)-1].from
	period := f.roughWindow(m)
	scored := firstWindows * period
	s := clockWindowSearch{fitter: f, base: m, period: period, origin: first + scored/2}
	ratio, phase := gridRatio-1, 1.0/gridPhases
	points := firstGrid()
	for finer := 0; ; {
		part := s
		part.sample = f.sample[:sort.Search(len(f.sample), func(i int) bool { return f.sample[i].from > first+scored })]
		beam := part.beam(points, best+pruneMargin+len(part.sample)/10)
		whole := first+scored >= last
		switch {
		case len(beam) == 0:
			return f.fitToAll(s.model(gridPoint{window: 1}))
		case len(beam) >= maxBeamWidth && !whole:
			scored *= 2 // too few responses to tell the points apart
			continue
		case finer >= minFinerGrids && whole:
			return s.middle(beam)
		}
		finer++
		points = neighbours(beam, ratio, phase)
		ratio, phase, scored = ratio/refinement, phase/refinement, 2*scored
	}
}

func firstGrid() []gridPoint {
	var points []gridPoint
	for _, w := range geometric(minWindow, maxWindow, gridRatio) {
		for p := range gridPhases {
			points = append(points, gridPoint{w, float64(p) / gridPhases, 0})
		}
	}
	return points
}

// neighbours returns the points of the next grid: those next to the points of this one.
func neighbours(points []gridPoint, ratio, phase float64) []gridPoint {
	var next []gridPoint
	for _, p := range points {
		for i := -1; i <= 1; i++ {
			for j := -1; j <= 1; j++ {
				next = append(next, gridPoint{p.window * (1 + ratio*float64(i)/refinement), p.phase + phase*float64(j)/refinement, 0})
			}
		}
	}
	return next
}

func (s clockWindowSearch) model(p gridPoint) LimiterModel {
	m := s.base
	m.Window = time.Duration(p.window * float64(s.period))
	m.Phase = s.origin + time.Duration(p.phase*float64(m.Window))
	return m
}

// middle is the model in the middle of those with the fewest contradictions.
func (s clockWindowSearch) middle(points []gridPoint) fit {
	var best argmin[LimiterModel]
	for _, p := range points {
		best.add(s.score(s.model(p), len(s.sample)))
	}
	return s.fitToAll(best.median())
}

// beam returns the points with the fewest contradictions, without those above the bound.
func (s clockWindowSearch) beam(points []gridPoint, bound int) []gridPoint {
	var beam []gridPoint
	full := 2 * beamWidth
	for _, p := range points {
		if _, p.contradictions = s.score(s.model(p), bound); p.contradictions > bound {
			continue
		}
		if beam = append(beam, p); len(beam) >= full {
			beam = prune(beam)
			bound = min(bound, beam[beamWidth-1].contradictions) // a worse point cannot be among the best any more
			full = 2 * len(beam)
		}
	}
	return prune(beam)
}

// prune keeps the best points, and those that are as good as the last of them: on a slow machine few responses come in the
// first windows, and many points explain them equally well.
func prune(points []gridPoint) []gridPoint {
	slices.SortStableFunc(points, func(a, b gridPoint) int { return cmp.Compare(a.contradictions, b.contradictions) })
	n := min(beamWidth, len(points))
	for n > 0 && n < min(maxBeamWidth, len(points)) && points[n].contradictions == points[n-1].contradictions {
		n++
	}
	return points[:n]
}
