package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// plan is the set of cases that must run, computed before anything runs, and the set of those that the target does not
// offer.
type plan struct {
	// concurrent cases run at once, billed cases, whose cost is checked, one after the other. The exclusive cases run one after
	// the other when those have ended, and the load cases one after the other at the end: what they leave behind on a gateway
	// that copes badly must not affect the others.
	concurrent, billed, exclusive, load []contract.Case
	// witnesses are those of all but the load cases after which a healthy call is made, by id.
	witnesses  map[string]bool
	notOffered []runlog.Case
}

// newPlan asks the session for every selected case on the surfaces that the target has. A surface that it does not have
// has no part in the run: a gateway that speaks one API format can be conformant in it. It returns [ErrNothingToRun] when
// no case is left.
func newPlan(s runlog.Selection, session *targets.Session, surfaces []dialect.Surface) (plan, error) {
	var p plan
	for _, c := range contract.Cases() {
		if !s.Asks(c) || !slices.Contains(surfaces, c.Surface) {
			continue
		}
		err := session.Offers(c)
		switch {
		case errors.Is(err, profile.ErrNotOffered):
			reason := strings.TrimPrefix(err.Error(), profile.ErrNotOffered.Error()+": ")
			p.notOffered = append(p.notOffered, notRun(c, contract.NotOffered, reason))
		case err != nil:
			return p, fmt.Errorf("%w: plan %s: %w", ErrHarness, c.ID(), err)
		case c.IsLoad():
			p.load = append(p.load, c)
		case session.Exclusive(c):
			p.exclusive = append(p.exclusive, c)
		case session.ReadsBalance(c):
			p.billed = append(p.billed, c)
		default:
			p.concurrent = append(p.concurrent, c)
		}
	}
	p.witnesses = witnesses(slices.Concat(p.concurrent, p.billed, p.exclusive), session.Profile.Upstream.Present())
	switch {
	case len(p.all()) > 0:
		return p, nil
	case len(p.notOffered) == 1:
		return p, fmt.Errorf("%w: the target does not offer the selected case%s", ErrNothingToRun, p.reasons())
	case len(p.notOffered) > 0:
		return p, fmt.Errorf("%w: the target offers none of the %d selected cases%s", ErrNothingToRun, len(p.notOffered), p.reasons())
	default:
		return p, fmt.Errorf("%w: %s", ErrNothingToRun, emptySelection(s, surfaces))
	}
}

// witnesses are the first case of each circumstance, or of each of its variants. The healthy call after it costs tokens where
// the upstream is a real one. Cases of a slow upstream are left out: the load case of an outage tells what becomes of others.
func witnesses(cases []contract.Case, eachVariant bool) map[string]bool {
	seen, ids := make(map[contract.Case]bool), make(map[string]bool)
	for _, c := range cases {
		kind := contract.Case{Circumstance: c.Circumstance}
		if eachVariant {
			kind.Variant = c.Variant
		}
		if c.Circumstance == contract.SlowUpstream || seen[kind] {
			continue
		}
		seen[kind], ids[c.ID()] = true, true
	}
	return ids
}

// emptySelection says why a selection has no case on the surfaces: most often its level is too low.
func emptySelection(s runlog.Selection, surfaces []dialect.Surface) string {
	whole := s
	whole.Level, whole.WithoutLoad, whole.LoadSurfaces = contract.Full, false, nil
	least := contract.Level("")
	for _, c := range contract.Cases() {
		if whole.Asks(c) && slices.Contains(surfaces, c.Surface) && (least == "" || least.Includes(c.Level())) {
			least = c.Level()
		}
	}
	if least == "" || s.Level.Includes(least) {
		return fmt.Sprintf("the selection contains no cases for %s", plain.Joined(surfaces))
	}
	return fmt.Sprintf("the selected cases need level %s, but this run is at level %s: add --level %s and a profile with %s", least, s.Level, least, least.Needs())
}

const maxReasons = 3

// reasons says why nothing is offered: the most frequent reasons.
func (p plan) reasons() string {
	var distinct []string
	count := make(map[string]int)
	for _, c := range p.notOffered {
		if count[c.Reason]++; count[c.Reason] == 1 {
			distinct = append(distinct, c.Reason)
		}
	}
	slices.SortStableFunc(distinct, func(a, b string) int { return count[b] - count[a] })
	text := ": " + strings.Join(distinct[:min(len(distinct), maxReasons)], "; ")
	if more := len(distinct) - maxReasons; more > 0 {
		text += "; and " + plain.Count(more, "more reason")
	}
	return text
}

// all are the cases that must run, in the order of their phases.
func (p plan) all() []contract.Case {
	return slices.Concat(p.concurrent, p.billed, p.exclusive, p.load)
}

func (p plan) expected() []string {
	var ids []string
	for _, c := range p.all() {
		ids = append(ids, c.ID())
	}
	return ids
}

// Choice selects a part of the contract, as written on a command line.
type Choice struct {
	// Level excludes the cases that need a higher level. "" selects all cases except the load cases.
	Level contract.Level
	// Rows are row ids or patterns, Cases are ids of cases, and Surfaces are names of surfaces. An empty list selects all.
	Rows, Cases, Surfaces []string
}

// Select checks a choice. A load case that the choice names is selected at any level. Select returns [ErrUsage] if the choice names something that
// does not exist.
func Select(c Choice) (runlog.Selection, error) {
	s := runlog.Selection{Level: contract.LevelOf(string(c.Level))}
	if s.Level == "" {
		s.Level, s.WithoutLoad = contract.Full, len(c.Cases) == 0
	}
	if !s.Level.Valid() {
		return s, fmt.Errorf("%w: there is no level %q: %s", ErrUsage, s.Level, didYouMean(string(s.Level), contract.Levels()))
	}
	for _, pattern := range c.Rows {
		rows, err := matchRows(pattern)
		if err != nil {
			return s, err
		}
		s.Rows = append(s.Rows, rows...)
	}
	for _, name := range c.Surfaces {
		surface := dialect.Surface(name)
		if !surface.Valid() {
			return s, fmt.Errorf("%w: there is no endpoint %q: %s", ErrUsage, name, didYouMean(name, dialect.Surfaces()))
		}
		s.Surfaces = append(s.Surfaces, surface)
	}
	for _, id := range c.Cases {
		if _, err := contract.ParseCase(id); err != nil {
			return s, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		s.Cases = append(s.Cases, id)
	}
	return s, nil
}

// didYouMean names the word that a typo is close to, or all that there are.
func didYouMean[T ~string](typo string, known []T) string {
	return yamlfile.DidYouMean(typo, known, "use one of "+plain.Joined(known))
}

// RowHint suggests how to correct a name that matches no row. It never suggests a row with another status, because http:418, for example, is one
// digit away from two rows.
func RowHint(name string) string {
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s)
	}
	var known []string
	for _, row := range contract.Rows() {
		for _, word := range []string{string(row.ID), row.Key} {
			if digits(word) == digits(name) {
				known = append(known, word)
			}
		}
	}
	return yamlfile.DidYouMean(name, known, "to see all 32 rows, run gatecert list rows")
}

// matchRows returns the rows that match a pattern. A pattern that matches none is an error: a selection that is ignored
// turns a typo into a passing run.
func matchRows(pattern string) ([]contract.RowID, error) {
	parsed, err := contract.ParsePattern(pattern)
	if err != nil {
		return nil, fmt.Errorf("%w: rows: %w", ErrUsage, err)
	}
	var rows []contract.RowID
	for _, row := range contract.Rows() {
		if parsed.Matches(string(row.ID)) || pattern == row.Key {
			rows = append(rows, row.ID)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: no row matches %q: %s", ErrUsage, pattern, RowHint(pattern))
	}
	return rows, nil
}
