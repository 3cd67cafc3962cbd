package outage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrUnfit is returned when this machine did not do its part: it sent less than it was told to, or it was too busy for
// what it found about times to be held against anybody.
var ErrUnfit = errors.New("this machine was not fit for the experiment")

// ErrUnwell is returned when healthy calls fail, or pile up, before anything goes wrong: there is nothing to compare an
// outage with.
var ErrUnwell = errors.New("the gateway is not well to begin with")

// ErrUnreached is returned when less than a quarter of the sick calls got as far as the provider: what went wrong was not what
// was meant to.
var ErrUnreached = errors.New("too few sick calls reached the provider")

// rounds bounds the times that an outage is played: a second round decides about what a hiccup could have brought about.
const rounds = 2

// Verify plays an outage and returns a finding for each obligation that does not hold. It assumes that nobody else uses the
// provider meanwhile. A gateway with a limit of 1.5 s takes 9 s where its provider hangs, 6 s where it fails, and twice that
// when there is something to be looked at again; a limit that is longer adds its own length.
//
// It returns [ErrExperiment], [ErrUnfit], [ErrUnwell] and [ErrUnreached], those of [load.Engine.Run] and those of the
// provider. The findings are then those that are certain all the same, and the evidence what was known until then.
func Verify(ctx context.Context, engine *load.Engine, e Experiment) ([]contract.Finding, Evidence, error) {
	e, err := e.withDefaults()
	if err != nil {
		return nil, Evidence{}, err
	}
	evidence := newEvidence(e)
	first, err := e.play(ctx, engine, &evidence, "")
	if err != nil {
		return nil, evidence, err
	}
	told, unfit := first.judge(), first.unfit
	if told.doubtful() && first.well {
		again, err := e.play(ctx, engine, &evidence, "again: ")
		if err != nil {
			evidence.Checks = told.checks()
			return told.certain(), evidence, err
		}
		told = told.confirmedBy(again.judge())
		// One round on a machine that was fit is enough, when the other one agrees with it.
		if unfit = append(unfit, again.unfit...); len(first.unfit) == 0 || len(again.unfit) == 0 {
			unfit = nil
		}
	}
	evidence.Checks = told.checks()
	found, err := told.conclude(unfit)
	return found, evidence, err
}

// play plays one round and takes it into the evidence, however far it came.
func (e Experiment) play(ctx context.Context, engine *load.Engine, into *Evidence, prefix string) (*round, error) {
	r := &round{Experiment: e, engine: engine, prefix: prefix, began: into.began}
	err := r.play(ctx)
	into.add(r)
	return r, err
}

// statement is what a round says about one obligation.
type statement struct {
	runlog.Check

	// finding is what was found, where the obligation is broken.
	finding contract.Finding
	// doubtful says that a hiccup of this machine could have brought it about.
	doubtful bool
}

// report is what a round, or both, say about all obligations.
type report []statement

func (r report) doubtful() bool {
	for _, s := range r {
		if s.Result == runlog.Violated && s.doubtful {
			return true
		}
	}
	return false
}

func (r report) checks() []runlog.Check {
	checks := make([]runlog.Check, len(r))
	for i, s := range r {
		checks[i] = s.Check
	}
	return checks
}

func (r report) findings() (found []contract.Finding) {
	for _, s := range r {
		if s.Result == runlog.Violated {
			found = append(found, s.finding)
		}
	}
	return found
}

func (r report) certain() (found []contract.Finding) {
	for _, s := range r {
		if s.Result == runlog.Violated && !s.doubtful {
			found = append(found, s.finding)
		}
	}
	return found
}

// conclude says what is held against the gateway by a machine that was unfit for some reasons, or for none.
func (r report) conclude(unfit []string) ([]contract.Finding, error) {
	if r.doubtful() && len(unfit) > 0 {
		return r.certain(), fmt.Errorf("%w: %s", ErrUnfit, strings.Join(unfit, "; "))
	}
	return r.findings(), nil
}

// confirmedBy is what both rounds say: what is doubtful has to be broken in both, what is certain in either.
func (r report) confirmedBy(again report) report {
	var both report
	for _, s := range r {
		if s.Result == runlog.Violated && s.doubtful && !again.breaks(s.Requirement) {
			s.Result = runlog.Held
			s.Sentence += "; not so in a second round"
		}
		both = append(both, s)
	}
	for _, s := range again {
		if s.Result == runlog.Violated && !s.doubtful && !r.breaks(s.Requirement) {
			both = append(both, s)
		}
	}
	return both
}

func (r report) breaks(o contract.Requirement) bool {
	for _, s := range r {
		if s.Requirement == o && s.Result == runlog.Violated {
			return true
		}
	}
	return false
}

// held, broken and untested say what became of an obligation.
func (r *report) held(o contract.Requirement, format string, args ...any) {
	*r = append(*r, statement{Check: runlog.Check{Requirement: o, Result: runlog.Held, Sentence: fmt.Sprintf(format, args...)}})
}

func (r *report) untested(o contract.Requirement, format string, args ...any) {
	*r = append(*r, statement{Check: runlog.Check{Requirement: o, Result: runlog.Untested, Sentence: fmt.Sprintf(format, args...)}})
}

func (r *report) broken(doubtful bool, f contract.Finding) {
	sentence := "got " + f.Got + ", want " + f.Want
	*r = append(*r, statement{
		Check: runlog.Check{Requirement: f.Requirement, Result: runlog.Violated, Sentence: sentence}, finding: f, doubtful: doubtful,
	})
}

// took writes a duration with as many digits as matter.
func took(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}
