package watch

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Change is a difference between two rounds.
type Change struct {
	// Row and Surface name a cell of the matrix. Both are "" for a change of the outcome.
	Row     string `json:"row,omitempty"`
	Surface string `json:"surface,omitempty"`
	// From and To are verdicts of the cell, or outcomes.
	From string `json:"from"`
	To   string `json:"to"`
}

// String describes the change, for example "code:model_not_found/chat: pass -> fail" or "conformant -> unreachable".
func (c Change) String() string {
	text := c.From + " -> " + c.To
	if c.Row != "" {
		text = c.Row + "/" + c.Surface + ": " + text
	}
	return text
}

// state is what was last known of the target.
type state struct {
	// Last is the id of the round that the state describes.
	Last    string  `json:"last"`
	Outcome Outcome `json:"outcome"`
	// Cells are the last verdicts about the gateway by row and surface ("http:404/chat"). A round that could not judge a cell keeps
	// its last verdict, so that the same verdict is not reported again when the cell can be judged again.
	Cells map[string]contract.Verdict `json:"cells"`
}

// maxCells bounds a state: 32 rows on 17 surfaces are 544.
const maxCells = 10_000

// judged are the verdicts that say something about the gateway.
func judged(v contract.Verdict) bool {
	return v != contract.Untestable && v != contract.Error && v != reports.NotRun
}

// next is the state after a round, and what changed. Nothing has changed after the first round.
func (s state) next(id string, r Round) (state, []Change) {
	after := state{Last: id, Outcome: r.outcome(), Cells: s.Cells}
	var changes []Change
	if s.Last != "" && s.Outcome != after.Outcome {
		changes = append(changes, Change{From: string(s.Outcome), To: string(after.Outcome)})
	}
	if r.Run == nil || !r.Run.Complete() {
		return after, changes
	}
	after.Cells = s.copyOfCells()
	for _, row := range reports.NewMatrix(*r.Run).Rows {
		for _, cell := range row.Cells {
			name := plain.Text(string(row.ID), 100) + "/" + plain.Text(cell.Column, 100)
			if !judged(cell.Verdict) || len(after.Cells) >= maxCells {
				continue
			}
			before, known := after.Cells[name]
			after.Cells[name] = cell.Verdict
			if known && before != cell.Verdict {
				row, surface, _ := strings.Cut(name, "/")
				changes = append(changes, Change{Row: row, Surface: surface, From: string(before), To: string(cell.Verdict)})
			}
		}
	}
	return after, changes
}

func (s state) copyOfCells() map[string]contract.Verdict {
	cells := make(map[string]contract.Verdict, len(s.Cells))
	maps.Copy(cells, s.Cells)
	return cells
}

// replay is the state after a round of which only the history is left.
func (s state) replay(e Entry) state {
	after := state{Last: e.ID, Outcome: e.Outcome, Cells: s.copyOfCells()}
	for _, c := range e.Changes {
		if c.Row != "" {
			after.Cells[c.Row+"/"+c.Surface] = contract.Verdict(c.To)
		}
	}
	return after
}

// worstFirst orders changes: outcomes first, then what became worse.
func worstFirst(changes []Change) []Change {
	rank := func(c Change) int {
		switch {
		case c.Row == "":
			return 0
		case contract.Verdict(c.To).Worse(contract.Verdict(c.From)):
			return 1
		default:
			return 2
		}
	}
	return slices.SortedStableFunc(slices.Values(changes), func(a, b Change) int { return cmp.Compare(rank(a), rank(b)) })
}

// counts are the cases of a round by verdict.
func counts(r Round) runlog.Counts {
	if r.Run == nil {
		return nil
	}
	return reports.NewMatrix(*r.Run).Totals
}
