package reports

import (
	"fmt"
	"io"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// badge is what shields.io's endpoint badge reads: https://shields.io/badges/endpoint-badge.
type badge struct {
	SchemaVersion int    `json:"schemaVersion"` // always 1
	Label         string `json:"label"`
	Message       string `json:"message"` // never empty
	Color         string `json:"color"`
	// IsError prevents a page from overriding the colour.
	IsError bool `json:"isError,omitempty"`
}

// Badge writes badge.json, with a message such as "gatecert relay | 15 of 15 rows". Rows that did not run or are not offered do not count. The badge
// of a run that is not conformant is never green. Badge returns only errors of w.
func Badge(w io.Writer, run runlog.Run) error { return encodeJSON(w, newBadge(run)) }

func newBadge(run runlog.Run) badge {
	scope := run.Selection.Scope()
	if !run.Selection.Level.Valid() {
		scope = "level unknown"
	}
	b := badge{SchemaVersion: 1, Label: "gatecert " + scope}
	switch claims := run.Target.Claims; {
	case claims.None():
		b.Label += ", table 1"
	case claims.Codes != nil:
		b.Label += ", own codes"
	}
	rows := NewMatrix(run).RowCounts()
	passed := rows[contract.Pass] + rows[contract.Warn]
	ran := rows.Total() - rows[NotRun] - rows[contract.NotOffered]
	switch v := run.Verdict(); {
	case !run.Complete():
		b.Message, b.Color, b.IsError = "incomplete", "lightgrey", true
	case v == contract.Error:
		b.Message, b.Color, b.IsError = "error", "lightgrey", true
	case !v.Conformant():
		b.Message, b.Color, b.IsError = fmt.Sprintf("%d of %s", passed, plain.Count(ran, "row")), "red", true
	case v == contract.ExpectedFail:
		b.Message, b.Color = fmt.Sprintf("%d of %s", passed, plain.Count(ran, "row")), "yellow"
	default:
		b.Message, b.Color = fmt.Sprintf("%d of %s", passed, plain.Count(ran, "row")), "brightgreen"
	}
	return b
}
