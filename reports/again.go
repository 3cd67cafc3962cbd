package reports

import (
	"bytes"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Again compares the verdicts of cases that ran again with those in an earlier log.
type Again struct {
	// Agreed counts the cases with the same verdict, and Differing those with another one. Open counts the cases that could not be judged this time,
	// so that they show nothing about the log.
	Agreed          int
	Differing, Open []Replay
}

// NewAgain compares some cases of an earlier run with the same cases of a later run. An expected failure counts as a failure.
func NewAgain(earlier, later runlog.Run, cases []string) Again {
	var a Again
	for _, id := range cases {
		before, _ := earlier.Case(id)
		after, ok := later.Case(id)
		if !ok {
			after.CaseKey, after.Verdict, after.Reason = before.CaseKey, contract.NotOffered, "the gateway does not serve the endpoint "+string(before.Surface)
		}
		if before.Verdict == contract.ExpectedFail {
			before.Verdict = contract.Fail
		}
		switch r := (Replay{Before: before, After: after}); after.Verdict.OrError() {
		case before.Verdict:
			a.Agreed++
		case contract.Pass, contract.Warn, contract.Fail:
			a.Differing = append(a.Differing, r)
		default:
			a.Open = append(a.Open, r)
		}
	}
	return a
}

// Write writes one line for each case whose verdict differs from the log, and one line with the numbers.
func (a Again) Write(w io.Writer) error {
	var out bytes.Buffer
	for _, list := range [][]Replay{a.Differing, a.Open} {
		for _, r := range list {
			fmt.Fprintf(&out, "%s: verdict %s in the log, %s now", r.Before.ID, r.Before.Verdict, r.After.Verdict.OrError())
			if headline := Headline(r.After); headline != "" {
				fmt.Fprintf(&out, ": %s", headline)
			}
			out.WriteByte('\n')
		}
	}
	fmt.Fprintf(&out, "rerun: %s with the same verdict as in the log, %d with a different verdict, %d not judged\n",
		plain.Count(a.Agreed, "case"), len(a.Differing), len(a.Open))
	_, err := w.Write(out.Bytes())
	return err
}
