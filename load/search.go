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
//	phase 3   full    the same, every end decided by two of three trials, narrow to the precision asked for
//
// It knows nothing of engines: trial does whatever a trial is.
type bracket struct {
	least, most float64
	phases      []phase
	trial       func(ctx context.Context, rate float64, lasts time.Duration) (Trial, error)

	// lower is the highest rate known to meet the objective, upper the lowest known to miss it; 0 for none.
	lower, upper float64
	// ceiling says that upper is not the gateway's: from there on this machine was not fit.
	ceiling bool
	trials  []Trial
}

// phase is one pass over the bracket.
type phase struct {
	lasts time.Duration
	// width is the ratio of upper to lower at which the phase is over.
	width float64
	// votes is how many trials of one rate must agree.
	votes int
}

// phasesOf plans the phases: trial lengths from short to full, the last one to the precision asked for.
func phasesOf(short, full time.Duration, precision float64) []phase {
	between := time.Duration(math.Sqrt(float64(short) * float64(full)))
	return []phase{
		{short, max(1.5, 1+precision), 1},
		{between, max(1.25, 1+precision), 1},
		{full, 1 + precision, 2},
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
	return nil
}

// anchor makes sure that both ends hold in a phase: at first by looking for them, later by trying them again.
func (b *bracket) anchor(ctx context.Context, p phase) error {
	if rate := b.lower; rate > 0 {
		b.lower = 0
		if err := b.try(ctx, rate, p); err != nil {
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
	if rate := b.upper; rate > b.lower && b.lower > 0 {
		b.upper, b.ceiling = 0, false
		if err := b.try(ctx, rate, p); err != nil {
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

// retries is how often a trial for which this machine was not fit is made again.
const retries = 2

// try decides one rate and moves an end of the bracket there.
func (b *bracket) try(ctx context.Context, rate float64, p phase) error {
	met, missed, unfit := 0, 0, 0
	// A miss needs a second one in any phase: a stall of the machine looks like one, and nothing looks like a success.
	for met < p.votes && missed < 2 && unfit <= retries {
		t, err := b.trial(ctx, rate, p.lasts)
		if err != nil {
			return fmt.Errorf("trial of %.4g/s: %w", rate, err)
		}
		b.trials = append(b.trials, t)
		switch {
		case len(t.Unfit) > 0:
			unfit++
		case t.Met():
			met++
		default:
			missed++
		}
	}
	if met >= p.votes {
		b.lower = max(b.lower, rate)
		return nil
	}
	b.upper, b.ceiling = rate, missed < 2
	if b.lower >= rate {
		b.lower = 0 // held when trials were shorter
	}
	return nil
}
