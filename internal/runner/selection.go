package runner

import (
	"fmt"
	"path"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Choice is what of the contract is asked for, in the words of a command line.
type Choice struct {
	// Level bounds what is tried. "" is everything but the load cases.
	Level contract.Level
	// Rows are row ids or patterns, Cases ids of cases, Surfaces names of surfaces. None of one kind: all.
	Rows, Cases, Surfaces []string
}

// Select checks a choice. Cases that are named are asked for whether they are load cases or not. It returns [ErrUsage]
// when one of the words names something that does not exist.
func Select(c Choice) (runlog.Selection, error) {
	s := runlog.Selection{Level: c.Level}
	if s.Level == "" {
		s.Level, s.WithoutLoad = contract.Full, len(c.Cases) == 0
	}
	if !s.Level.Valid() {
		return s, fmt.Errorf("%w: no level %q: want one of %s", ErrUsage, s.Level, list(contract.Levels()))
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
			return s, fmt.Errorf("%w: no surface %q: want one of %s", ErrUsage, name, list(dialect.Surfaces()))
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

func list[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
