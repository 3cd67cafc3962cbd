package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// plan is the set of cases that must run, computed before anything runs, and those the target does not offer.
type plan struct {
	// together run at once, alone one after the other when those are done, and loads one after the other in the end: what
	// they leave behind on a gateway that bears them badly must not fall on the others.
	together, alone, loads []contract.Case
	notOffered             []absence
}

// absence is a case that the target does not offer, and why.
type absence struct {
	c      contract.Case
	reason string
}

// newPlan asks the stage for every selected case on the surfaces that the target has. A surface it does not have takes
// no part: a gateway that speaks one dialect can be conformant in it.
func newPlan(s runlog.Selection, stage *targets.Session, surfaces []dialect.Surface) (plan, error) {
	var p plan
	for _, c := range contract.Cases() {
		if !s.Asks(c) || !slices.Contains(surfaces, c.Surface) {
			continue
		}
		err := stage.Offers(c)
		switch {
		case errors.Is(err, profile.ErrNotOffered):
			reason := strings.TrimPrefix(err.Error(), profile.ErrNotOffered.Error()+": ")
			p.notOffered = append(p.notOffered, absence{c, reason})
		case err != nil:
			return p, fmt.Errorf("%w: plan %s: %w", ErrHarness, c.ID(), err)
		case c.IsLoad():
			p.loads = append(p.loads, c)
		case stage.Exclusive(c):
			p.alone = append(p.alone, c)
		default:
			p.together = append(p.together, c)
		}
	}
	if len(p.all()) == 0 {
		return p, fmt.Errorf("%w: of the %d cases selected (level %s) the target offers none%s", ErrNothingToRun, len(p.notOffered), s.Scope(), p.reasons())
	}
	return p, nil
}

// reasons says why nothing is offered, where that is not a long story.
func (p plan) reasons() string {
	var distinct []string
	for _, a := range p.notOffered {
		if !slices.Contains(distinct, a.reason) {
			distinct = append(distinct, a.reason)
		}
	}
	const few = 3
	if len(distinct) == 0 || len(distinct) > few {
		return ""
	}
	return ": " + strings.Join(distinct, "; ")
}

// all are the cases that must run, in the order of their phases.
func (p plan) all() []contract.Case { return slices.Concat(p.together, p.alone, p.loads) }

// expected are the ids of all cases that must run.
func (p plan) expected() []string {
	var ids []string
	for _, c := range p.all() {
		ids = append(ids, c.ID())
	}
	return ids
}

func idSet(cases []contract.Case) map[string]bool {
	set := make(map[string]bool, len(cases))
	for _, c := range cases {
		set[c.ID()] = true
	}
	return set
}
