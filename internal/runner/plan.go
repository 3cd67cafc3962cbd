package runner

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// newSelection checks what the configuration asks for. Cases that are named are asked for whether they take a load or not.
func newSelection(cfg Config) (runlog.Selection, error) {
	s := runlog.Selection{Level: cfg.Level}
	if s.Level == "" {
		s.Level, s.AtRest = contract.Full, len(cfg.Cases) == 0
	}
	if !s.Level.Valid() {
		return s, fmt.Errorf("%w: no level %q: want one of %s", ErrUsage, s.Level, list(contract.Levels()))
	}
	for _, pattern := range cfg.Rows {
		rows, err := matchRows(pattern)
		if err != nil {
			return s, err
		}
		s.Rows = append(s.Rows, rows...)
	}
	for _, name := range cfg.Surfaces {
		surface := dialect.Surface(name)
		if !surface.Valid() {
			return s, fmt.Errorf("%w: no surface %q: want one of %s", ErrUsage, name, list(dialect.Surfaces()))
		}
		s.Surfaces = append(s.Surfaces, surface)
	}
	for _, id := range cfg.Cases {
		if _, err := contract.ParseCase(id); err != nil {
			return s, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		s.Cases = append(s.Cases, id)
	}
	return s, nil
}

// matchRows finds the rows of one pattern. A pattern that matches nothing is an error: a selection that is silently
// ignored turns a typo into a green run.
func matchRows(pattern string) ([]contract.RowID, error) {
	var rows []contract.RowID
	for _, row := range contract.Rows() {
		ok, err := path.Match(pattern, string(row.ID))
		if err != nil {
			return nil, fmt.Errorf("%w: row pattern %q: %w", ErrUsage, pattern, err)
		}
		if ok || pattern == row.Key {
			rows = append(rows, row.ID)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: no row matches %q: gatecert list rows shows all 32", ErrUsage, pattern)
	}
	return rows, nil
}

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

func list[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}

// Select returns the cases that a configuration's level, rows, surfaces and cases ask for, whatever a target offers.
// It returns [ErrUsage] when one of them names something that does not exist.
func Select(cfg Config) ([]contract.Case, error) {
	s, err := newSelection(cfg)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(contract.Cases(), func(c contract.Case) bool { return !s.Asks(c) }), nil
}
