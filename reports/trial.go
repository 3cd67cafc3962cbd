package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// SelfTestSchema names the version of a self-test's JSON.
const SelfTestSchema = "gatecert.selftest/1"

// SelfTest is what a harness made of gateways that are known to break the contract, and of others that are known to
// keep it.
type SelfTest struct {
	Schema         string    `json:"schema"`
	Tool           string    `json:"tool"`
	ContractDigest string    `json:"contract_digest"`
	Started        time.Time `json:"started"`
	// Took is the time of the whole, in nanoseconds.
	Took   time.Duration `json:"took_ns"`
	Trials []Trial       `json:"trials"`
	// UnderLoad says that it is about what only many calls show. Rows are the rows that it is about, all of them at rest.
	UnderLoad bool             `json:"under_load,omitempty"`
	Rows      []contract.RowID `json:"rows,omitempty"`
	// Partial says that only some of the trials were asked for: nothing is missing then that none of them turned.
	Partial bool `json:"partial,omitempty"`
	// Unturned are the rows that no deviation made fail.
	Unturned []contract.RowID `json:"unturned,omitempty"`
	// Unbroken are the obligations that no deviation was found to break.
	Unbroken []contract.Requirement `json:"unbroken,omitempty"`
}

// Trial is one gateway that is known to be other than the reference, and whether that was noticed as it should be.
type Trial struct {
	// Name is that of the deviation or the variation.
	Name     string `json:"name"`
	Sentence string `json:"sentence"`
	// Theme is that of a deviation, "" for a permitted variation.
	Theme string        `json:"theme,omitempty"`
	Took  time.Duration `json:"took_ns"`
	// Ran counts the cases that ran.
	Ran int `json:"ran"`
	// Turned are the cases that turned out other than they should, as far as the trial is concerned: none for a variation.
	Turned []TurnedCase `json:"turned"`
	// Faults are what was not noticed, or noticed where nothing is.
	Faults []TrialFault `json:"faults"`
	// Together are the faults that there were while others were tried at the same time. Faults are then those of a second try,
	// alone.
	Together []TrialFault `json:"together,omitempty"`
}

// TurnedCase is a case that a deviation turned, as it should.
type TurnedCase struct {
	Case    string           `json:"case"`
	Row     contract.RowID   `json:"row"`
	Verdict contract.Verdict `json:"verdict"`
	// Broken are the obligations that were found broken.
	Broken []contract.Requirement `json:"broken,omitempty"`
	// Account is the shortest account of it.
	Account string `json:"account"`
}

// TrialFault is one thing that the harness got wrong.
type TrialFault struct {
	// Case is "" when the fault is in the trial as a whole.
	Case string           `json:"case,omitempty"`
	Row  contract.RowID   `json:"row,omitempty"`
	Want contract.Verdict `json:"want,omitempty"`
	Got  contract.Verdict `json:"got,omitempty"`
	// Problem says it in words.
	Problem string `json:"problem"`
}

// OK reports whether the trial came out exactly as it should.
func (t Trial) OK() bool { return len(t.Faults) == 0 }

// OK reports whether every deviation was caught in exactly its cases, no variation raised an alarm, and nothing of the
// contract is left unproven.
func (s SelfTest) OK() bool {
	return len(s.Trials) > 0 && len(s.Unturned)+len(s.Unbroken) == 0 &&
		!slices.ContainsFunc(s.Trials, func(t Trial) bool { return !t.OK() })
}

// Matrix is the self-test as trials x rows of the contract. A cell is the worst that a trial turned a row into, or an
// error where the harness got it wrong.
func (s SelfTest) Matrix() Matrix {
	m := Matrix{Totals: make(runlog.Counts)}
	rows := s.rows()
	for i, r := range rows {
		number := fmt.Sprintf("%02d", i+1)
		m.Columns = append(m.Columns, Column{Name: string(r.ID), Short: number[:1] + "\n" + number[1:]})
	}
	for _, t := range s.Trials {
		row := MatrixRow{
			Row:   contract.Row{ID: contract.RowID(t.Name), Key: t.Name, Meaning: t.Sentence},
			Group: "Permitted variations", Counts: make(runlog.Counts), Verdict: contract.Pass,
		}
		if t.Theme != "" {
			row.Group = "Deviations: " + t.Theme
		}
		for _, r := range rows {
			cell := t.cell(r.ID)
			row.Cells = append(row.Cells, cell)
			row.Counts[cell.Verdict]++
			m.Totals[cell.Verdict]++
		}
		if !t.OK() {
			row.Verdict = contract.Error
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (s SelfTest) rows() []contract.Row {
	return slices.DeleteFunc(contract.Rows(), func(r contract.Row) bool { return len(s.Rows) > 0 && !slices.Contains(s.Rows, r.ID) })
}

func (t Trial) cell(row contract.RowID) Cell {
	cell := Cell{Column: string(row), Verdict: contract.Pass, Counts: make(runlog.Counts)}
	for _, c := range t.Turned {
		if c.Row == row {
			cell.Verdict, _ = contract.Worst(cell.Verdict, c.Verdict)
			cell.Counts[c.Verdict]++
			cell.Cases = append(cell.Cases, c.Case)
		}
	}
	for _, f := range t.Faults {
		if f.Row == row {
			cell.Verdict = contract.Error
			cell.Counts[contract.Error]++
			cell.Cases = append(cell.Cases, f.Case)
		}
	}
	return cell
}

// Sentence closes the reports of a self-test.
//
//	the harness catches what it claims to: 96 deviations in exactly their cases, 20 variations without an alarm, 32 of 32 rows fail
//	the harness CANNOT be trusted: 2 of 96 deviations not caught as they should be: a, b; no deviation fails code:bad_response
func (s SelfTest) Sentence() string {
	deviations, variations := 0, 0
	var missed, alarms []string
	for _, t := range s.Trials {
		list := &missed
		if t.Theme == "" {
			variations++
			list = &alarms
		} else {
			deviations++
		}
		if !t.OK() {
			*list = append(*list, t.Name)
		}
	}
	var alone []string
	for _, t := range s.Trials {
		if t.OK() && len(t.Together) > 0 {
			alone = append(alone, t.Name)
		}
	}
	if s.OK() {
		text := fmt.Sprintf("the harness catches what it claims to: %s in exactly their cases, %s without an alarm",
			Count(deviations, "deviation"), Count(variations, "variation"))
		if !s.Partial {
			text += fmt.Sprintf(", all %d rows made to fail", len(s.rows()))
			if s.UnderLoad {
				text += " under load"
			}
		}
		if len(alone) > 0 {
			text += fmt.Sprintf("; %d only when tried alone: %s", len(alone), strings.Join(alone, ", "))
		}
		return text
	}
	var parts []string
	add := func(n, of int, noun, what string, names []string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d of %s %s: %s", n, Count(of, noun), what, strings.Join(names, ", ")))
		}
	}
	add(len(missed), deviations, "deviation", "not caught as they should be", missed)
	add(len(alarms), variations, "variation", "raised an alarm", alarms)
	if len(s.Unturned) > 0 {
		parts = append(parts, "no deviation fails "+joined(s.Unturned))
	}
	if len(s.Unbroken) > 0 {
		parts = append(parts, "no deviation is found to break "+joined(s.Unbroken))
	}
	if len(s.Trials) == 0 {
		parts = append(parts, "nothing was tried")
	}
	return "the harness CANNOT be trusted: " + strings.Join(parts, "; ")
}

// Headline is the shortest account of a case: its reason or its first finding. It is safe to show.
func Headline(c runlog.Case) string { return accountOf(c).headline() }
