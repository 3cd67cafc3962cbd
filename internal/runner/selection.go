package runner

import (
	"fmt"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Choice selects a part of the contract, in the words of a command line.
type Choice struct {
	// Level leaves out the cases that need a higher level. "" selects all cases but the load cases.
	Level contract.Level
	// Rows are row ids or patterns, Cases ids of cases, Surfaces names of surfaces. An empty list selects all.
	Rows, Cases, Surfaces []string
}

// Select checks a choice. A load case that is named is selected at any level. It returns [ErrUsage] when a word names
// something that does not exist.
func Select(c Choice) (runlog.Selection, error) {
	s := runlog.Selection{Level: c.Level}
	if s.Level == "" {
		s.Level, s.WithoutLoad = contract.Full, len(c.Cases) == 0
	}
	if !s.Level.Valid() {
		return s, fmt.Errorf("%w: no level %q: want one of %s", ErrUsage, s.Level, plain.Joined(contract.Levels()))
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
			return s, fmt.Errorf("%w: no surface %q: want one of %s", ErrUsage, name, plain.Joined(dialect.Surfaces()))
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
		return nil, fmt.Errorf("%w: no row matches %q: gatecert list rows shows all 32", ErrUsage, pattern)
	}
	return rows, nil
}
