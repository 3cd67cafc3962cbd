package load

import (
	"context"
	"fmt"
	"math"
	"time"
)

// bracket narrows down the highest rate that meets an objective, in phases: short trials find out where to look, and
// only then full-length trials say what holds. The idea is that of MLRsearch (FD.io): most of the time of a plain
// binary search goes into long trials far from the answer.
//
//	phase 1   short   double from the least rate until a trial misses, then halve the gap, to a factor of 2 … 1.5
//	phase 2   longer  try both ends again, move them if they do not hold, narrow to 1.25
//	phase 3   full    the same, narrow to the precision asked for
//	proof     full    try both ends by turns, until each came out the same way so many times; move them apart if not
//
// The proof is for gateways that are not steady: the reference gateway in this process served 1,550 to 2,700 calls a
// second in stretches of 4 s, a minute apart, on a machine that computed evenly. Of five brackets that were narrowed and
// not proved hardly two overlapped.
//
// It knows nothing of engines: trial does whatever a trial is.
type bracket struct {
	least, most float64
	phases      []phase
	// repeats is how many trials each end has to hold in the proof.
	repeats int
	trial   func(ctx context.Context, rate float64, lasts time.Duration) (Probe, error)

	// lower is the highest rate known to meet the objective, upper the lowest known to miss it; 0 for none.
	lower, upper float64
	// ceiling says that upper is not the gateway's: from there on this machine was not fit.
	ceiling bool
	trials  []Probe
}

// phase is one pass over the bracket.
type phase struct {
	lasts time.Duration
	// width is the ratio of upper to lower at which the phase is over.
	width float64
	// misses is how many trials of one rate must miss before it is believed.
	misses int
}

// phasesOf plans the phases: trial lengths from short to full, the last one to the precision asked for. While no proof
// follows for a rate, a miss needs a second one: a stall of the machine looks like one, and nothing looks like a success.
func phasesOf(short, full time.Duration, precision float64) []phase {
	between := time.Duration(math.Sqrt(float64(short) * float64(full)))
	return []phase{
		{short, max(1.5, 1+precision), 2},
		{between, max(1.25, 1+precision), 2},
		{full, 1 + precision, 1},
	}
}

func (b *bracket) run(ctx context.Context) error {
	for _, p := range b.phases {
		if err := b.anchor(ctx, p); err != nil {
			return err
		}
		for b.lower > 0 && b.upper > 0 && b.upper/b.lower > p.width {
			if err := b.try(ctx, math.Sqrt(b.lower*b.upper), p); err != nil {
				return err
			}
		}
	}
	return b.prove(ctx)
}

// anchor makes sure that both ends hold in a phase: at first by looking for them, later by trying them again.
func (b *bracket) anchor(ctx context.Context, p phase) error {
	if rate := b.lower; rate > 0 {
		b.lower = 0
		if err := b.try(ctx, rate, p); err != nil {
			b.lower = rate // as far as is known
			return err
		}
	}
	// Down, in growing steps, until a rate holds or the least does not.
	for step := p.width; b.lower == 0 && b.upper > b.least; step *= step {
		if err := b.try(ctx, max(b.upper/step, b.least), p); err != nil {
			return err
		}
	}
	if b.lower == 0 && b.upper == 0 {
		if err := b.try(ctx, b.least, p); err != nil {
			return err
		}
	}
	if rate, ceiling := b.upper, b.ceiling; rate > b.lower && b.lower > 0 {
		b.upper, b.ceiling = 0, false
		if err := b.try(ctx, rate, p); err != nil {
			b.upper, b.ceiling = rate, ceiling
			return err
		}
	}
	// Up until a rate does not hold or the highest does.
	for b.lower > 0 && b.upper == 0 && b.lower < b.most {
		if err := b.try(ctx, min(b.lower*2, b.most), p); err != nil {
			return err
		}
	}
	return nil
}

// prove tries both ends by turns, so that what changes with time meets both, until each has held so many trials since it
// was last moved. An end that does not hold moves outwards, by the precision asked for: in the end the gateway met the
// objective every time at lower and missed it every time at upper, and in between it depended.
func (b *bracket) prove(ctx context.Context) error {
	final := b.phases[len(b.phases)-1]
	for low, high := 0, 0; b.lower > 0 && low < b.repeats || b.upper > 0 && !b.ceiling && high < b.repeats; {
		if b.lower > 0 && low < b.repeats {
			o, err := b.decide(ctx, b.lower, final)
			if err != nil {
				return err
			}
			if o == undecided {
				b.upper, b.ceiling = b.lower, true
			}
			if low++; o != holds {
				low = 0
				b.lower = below(b.lower, final.width, b.least)
			}
		}
		if b.upper > 0 && !b.ceiling && high < b.repeats {
			o, err := b.decide(ctx, b.upper, final)
			if err != nil {
				return err
			}
			switch high++; o {
			case holds:
				high = 0
				if b.upper <= b.least { // a gateway that was slow to begin
					b.lower, low = b.upper, 0
				}
				b.upper = above(b.upper, final.width, b.most)
			case undecided:
				b.ceiling = true
			case fails: // it holds
			}
		}
	}
	return nil
}

// below is the next rate to try when one does not hold; 0 when that was the least.
func below(rate, width, least float64) float64 {
	if rate <= least {
		return 0
	}
	return max(rate/width, least)
}

// above is the next rate to try when one holds after all; 0 when that was the highest.
func above(rate, width, most float64) float64 {
	if rate >= most {
		return 0
	}
	return min(rate*width, most)
}

// decision is what came of trying a rate.
type decision int

const (
	holds decision = iota
	fails
	undecided // this machine was not fit
)

// retries is how often a trial for which this machine was not fit is made again.
const retries = 2

// decide tries a rate until a trial meets the objective, so many miss it as must, or this machine was not fit too often.
func (b *bracket) decide(ctx context.Context, rate float64, p phase) (decision, error) {
	for misses, unfits := 0, 0; ; {
		t, err := b.trial(ctx, rate, p.lasts)
		if err != nil {
			return undecided, fmt.Errorf("trial of %.4g/s: %w", rate, err)
		}
		b.trials = append(b.trials, t)
		switch {
		case len(t.Inconclusive) > 0:
			if unfits++; unfits > retries {
				return undecided, nil
			}
		case t.Met():
			return holds, nil
		default:
			if misses++; misses >= p.misses {
				return fails, nil
			}
		}
	}
}

// try decides one rate and moves an end of the bracket there.
func (b *bracket) try(ctx context.Context, rate float64, p phase) error {
	o, err := b.decide(ctx, rate, p)
	if err != nil {
		return err
	}
	if o == holds {
		b.lower = max(b.lower, rate)
		return nil
	}
	b.upper, b.ceiling = rate, o == undecided
	if b.lower >= rate {
		b.lower = 0 // held when trials were shorter
	}
	return nil
}
