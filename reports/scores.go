package reports

import (
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// scores is the second view of a matrix: its columns by the aspects of an answer. A gateway that answers everything with the right
// status and codes of its own is one red column in the matrix; here it is not.
type scores struct {
	// Of is what a line is about: "Endpoint" or "Target".
	Of      string
	Aspects []contract.Aspect
	Lines   []scoreLine
}

type scoreLine struct {
	Name string
	// Whole is set for the line of all cases.
	Whole bool
	// Totals are in the order of the aspects.
	Totals []aspectTotal
}

// newScores sums up cases by column and aspect. Several endpoints get a line of all cases, several targets none.
func newScores(of string, columns []Column, entries []pageEntry, whole bool) scores {
	s := scores{Of: of, Aspects: contract.Aspects()}
	byColumn := make(map[string][]runlog.Case)
	var all []runlog.Case
	for _, e := range entries {
		byColumn[e.Column] = append(byColumn[e.Column], e.Case)
		all = append(all, e.Case)
	}
	if whole {
		s.Lines = append(s.Lines, scoreLine{Name: "all", Whole: true, Totals: allAspects(all)})
	}
	if whole && len(columns) < 2 {
		return s
	}
	for _, c := range columns {
		s.Lines = append(s.Lines, scoreLine{Name: c.Name, Totals: allAspects(byColumn[c.Name])})
	}
	return s
}

// Tested reports whether any case tested any aspect.
func (s scores) Tested() bool {
	for _, l := range s.Lines {
		for _, t := range l.Totals {
			if t.Of > 0 {
				return true
			}
		}
	}
	return false
}

// aspectsText is a line for readers of text: "status 128 of 227, envelope 61 of 227", "" where no case tested any.
func aspectsText(totals []aspectTotal, l Language) string {
	var parts []string
	for _, t := range totals {
		parts = append(parts, l.text(t.String()))
	}
	return strings.Join(parts, ", ")
}
