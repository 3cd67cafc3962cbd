package load

import (
	"context"
	"fmt"
	"math"
	"time"
)

// bounds narrows down the highest rate that meets an SLO, in passes: short probes find out where to look, and only then do
// full-length probes decide. The idea is MLRsearch's (FD.io): a plain binary search spends most of its time in long
// probes far from the answer.
//
//	pass 1    short   double the lowest rate until a probe misses
//	aim       full    on either side of the throughput of the probe that missed: overloaded, most gateways answer as many
//	                  requests as they can. Where both sides hold, the other passes are not needed
//	pass 1    short   bisect to a ratio of 1.5
//	pass 2    longer  probe both bounds again, move one that does not hold, bisect to 1.25
//	pass 3    full    the same, bisect to the precision asked for
//	confirm   full    probe both bounds in turn until each has held repeats times; move them apart when one does not
//
// The confirmation is for gateways whose throughput varies: the reference gateway in this process served 1,550 to
// 2,700 requests/s in phases of 4 s, a minute apart, on an evenly loaded machine. Of five searches without a
// confirmation hardly two had bounds that overlapped.
//
// It knows nothing of engines: probe may be anything.
type bounds struct {
	minRate, maxRate float64 // requests/s
	passes           []pass
	// repeats is how many probes in a row have to agree at each bound in the confirmation.
	repeats int
	probe   func(ctx context.Context, rate float64, d time.Duration) (Probe, error)

	// lower is the highest rate known to meet the SLO, upper the lowest rate known to miss it; 0 when there is none.
	lower, upper float64
	// generatorLimited says that upper is where this machine could not keep up, not the gateway.
	generatorLimited bool
	probes           []Probe
}

type pass struct {
	duration time.Duration // of a probe
	ratio    float64       // of upper to lower at which the pass ends
	misses   int           // how many probes of a rate have to miss before the rate counts as missed
}

// newPasses plans the passes. As long as no confirmation follows for a rate, it takes two misses: a stall of this machine
// looks like a miss, but nothing looks like a success.
func newPasses(short, full time.Duration, precision float64) []pass {
	between := time.Duration(math.Sqrt(float64(short) * float64(full)))
	return []pass{
		{short, max(1.5, 1+precision), 2},
		{between, max(1.25, 1+precision), 2},
		{full, 1 + precision, 1},
	}
}

func (b *bounds) run(ctx context.Context) error {
	for i, p := range b.passes {
		if err := b.establish(ctx, p); err != nil {
			return err
		}
		if i == 0 {
			found, err := b.aim(ctx)
			if err != nil {
				return err
			}
			if found {
				break
			}
		}
		for b.lower > 0 && b.upper > 0 && b.upper/b.lower > p.ratio {
			if err := b.narrow(ctx, math.Sqrt(b.lower*b.upper), p); err != nil {
				return err
			}
		}
	}
	lower, upper := b.held()
	return b.confirm(ctx, lower, upper)
}

// establish makes sure that both bounds hold in a pass: it looks for them in the first pass, and probes them again in the
// others. On an error both bounds stay as they were known.
func (b *bounds) establish(ctx context.Context, p pass) error {
	if rate := b.lower; rate > 0 {
		b.lower = 0
		if err := b.narrow(ctx, rate, p); err != nil {
			b.lower = rate
			return err
		}
	}
	// Down, in growing steps, until a rate holds or the lowest does not.
	for step := p.ratio; b.lower == 0 && b.upper > b.minRate; step *= step {
		if err := b.narrow(ctx, max(b.upper/step, b.minRate), p); err != nil {
			return err
		}
	}
	if b.lower == 0 && b.upper == 0 {
		if err := b.narrow(ctx, b.minRate, p); err != nil {
			return err
		}
	}
	if rate, limited := b.upper, b.generatorLimited; rate > b.lower && b.lower > 0 {
		b.upper, b.generatorLimited = 0, false
		if err := b.narrow(ctx, rate, p); err != nil {
			b.upper, b.generatorLimited = rate, limited
			return err
		}
	}
	// Up, until a rate misses or the highest holds.
	for b.lower > 0 && b.upper == 0 && b.lower < b.maxRate {
		if err := b.narrow(ctx, min(b.lower*2, b.maxRate), p); err != nil {
			return err
		}
	}
	return nil
}

// aims is how often a search aims at a throughput.
const aims = 4

// aim looks for the bounds on either side of the throughput of the last probe that missed, with full-length probes. found
// says that both hold, as close together as the last pass wants them.
func (b *bounds) aim(ctx context.Context) (found bool, err error) {
	last := b.passes[len(b.passes)-1]
	side := math.Sqrt(last.ratio)
	throughput := b.throughput()
	for range aims {
		above := throughput * side
		if throughput <= 0 || b.lower <= 0 || b.upper <= 0 || b.generatorLimited || above > b.maxRate || above/last.ratio < b.minRate {
			return false, nil
		}
		// What is above the throughput of an overloaded gateway, and yet held, has to hold twice.
		held := false
		for range 2 {
			d, err := b.decide(ctx, above, last)
			if err != nil || d == undecided {
				return false, err
			}
			if held = d == met; !held {
				break
			}
		}
		if held {
			b.lower = max(b.lower, above)
			throughput = above * side
			continue
		}
		b.upper = above
		// A full-length probe knows the throughput better than a short one, and the more so the more it is overloaded.
		if better := b.bestThroughput(last.duration); better > 0 && better*side*aimedWell < above {
			throughput = better
			continue
		}
		below := above / last.ratio
		b.lower = min(b.lower, below)
		if err := b.narrow(ctx, below, last); err != nil {
			return false, err
		}
		if b.lower == below {
			return true, nil
		}
		throughput = b.throughput()
	}
	return false, nil
}

// aimedWell is how far off the upper bound may be from where a better throughput would have it.
const aimedWell = 1.04

// bestThroughput returns the highest throughput of the probes of a length that missed.
func (b *bounds) bestThroughput(d time.Duration) (best float64) {
	for _, p := range b.probes {
		if p.Duration == d && p.missed() {
			best = max(best, p.Throughput)
		}
	}
	return best
}

// throughput returns that of the last probe if it missed.
func (b *bounds) throughput() float64 {
	if len(b.probes) == 0 || !b.probes[len(b.probes)-1].missed() {
		return 0
	}
	return b.probes[len(b.probes)-1].Throughput
}

// confirm probes both bounds in turn, so that a change over time affects both, until each has held repeats times in a row
// since it last moved, of which lower and upper times are known already. A bound that does not hold moves outwards: by a third of
// the precision, and by twice as much each time that it does not hold again. In the end the gateway met the SLO every time
// at lower and missed it every time at upper.
func (b *bounds) confirm(ctx context.Context, lower, upper int) error {
	last := b.passes[len(b.passes)-1]
	down, up := last, last
	down.ratio = math.Cbrt(last.ratio)
	up.ratio = down.ratio
	for b.lower > 0 && lower < b.repeats || b.upperIsGateways() && upper < b.repeats {
		if b.lower > 0 && lower < b.repeats {
			held, err := b.confirmLower(ctx, down)
			if err != nil {
				return err
			}
			if lower = countInARow(lower, held); !held {
				down.ratio = min(down.ratio*down.ratio, 2)
			}
		}
		if b.upperIsGateways() && upper < b.repeats {
			held, err := b.confirmUpper(ctx, up)
			if err != nil {
				return err
			}
			if upper = countInARow(upper, held); !held {
				up.ratio = min(up.ratio*up.ratio, 2)
			}
		}
	}
	return nil
}

// held returns how many full-length probes in a row have agreed at each bound, most recently.
func (b *bounds) held() (lower, upper int) {
	for _, p := range b.probes {
		if p.Duration != b.passes[len(b.passes)-1].duration || len(p.Inconclusive) > 0 {
			continue
		}
		switch p.Rate {
		case b.lower:
			lower = countInARow(lower, p.Met())
		case b.upper:
			upper = countInARow(upper, p.missed())
		}
	}
	return lower, upper
}

func (b *bounds) upperIsGateways() bool { return b.upper > 0 && !b.generatorLimited }

func countInARow(n int, held bool) int {
	if held {
		return n + 1
	}
	return 0
}

// confirmLower probes the lower bound once, and moves it down when it does not hold.
func (b *bounds) confirmLower(ctx context.Context, p pass) (held bool, err error) {
	d, err := b.decide(ctx, b.lower, p)
	if err != nil || d == met {
		return err == nil, err
	}
	if d == undecided {
		b.upper, b.generatorLimited = b.lower, true
	}
	if b.lower <= b.minRate {
		b.lower = 0
	} else {
		b.lower = max(b.lower/p.ratio, b.minRate)
	}
	return false, nil
}

// confirmUpper probes the upper bound once, and moves it up when it does not hold.
func (b *bounds) confirmUpper(ctx context.Context, p pass) (held bool, err error) {
	d, err := b.decide(ctx, b.upper, p)
	if err != nil || d == missed {
		return err == nil, err
	}
	if d == undecided {
		b.generatorLimited = true
		return true, nil
	}
	if b.upper <= b.minRate { // the gateway was slow at first
		b.lower = b.upper
	}
	if b.upper >= b.maxRate {
		b.upper = 0
	} else {
		b.upper = min(b.upper*p.ratio, b.maxRate)
	}
	return false, nil
}

// decision is what the probes of a rate came to.
type decision int

const (
	met decision = iota
	missed
	undecided // this machine could not keep up
)

// retries is how often an inconclusive probe is repeated.
const retries = 2

// decide probes a rate until one probe meets the SLO, p.misses of them miss it, or too many are inconclusive.
func (b *bounds) decide(ctx context.Context, rate float64, p pass) (decision, error) {
	for misses, inconclusive := 0, 0; ; {
		probe, err := b.probe(ctx, rate, p.duration)
		if err != nil {
			return undecided, fmt.Errorf("probe at %.4g/s: %w", rate, err)
		}
		b.probes = append(b.probes, probe)
		switch {
		case len(probe.Inconclusive) > 0:
			if inconclusive++; inconclusive > retries {
				return undecided, nil
			}
		case probe.Met():
			return met, nil
		default:
			if misses++; misses >= p.misses {
				return missed, nil
			}
		}
	}
}

// narrow decides one rate and moves a bound there.
func (b *bounds) narrow(ctx context.Context, rate float64, p pass) error {
	d, err := b.decide(ctx, rate, p)
	if err != nil {
		return err
	}
	if d == met {
		b.lower = max(b.lower, rate)
		return nil
	}
	b.upper, b.generatorLimited = rate, d == undecided
	if b.lower >= rate {
		b.lower = 0 // it held only as long as probes were shorter
	}
	return nil
}
