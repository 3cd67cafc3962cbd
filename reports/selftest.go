package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// SelfTestSchema is the version of a self-test's JSON.
const SelfTestSchema = "gatecert.selftest/2"

// SelfTest contains the results of running the harness against gateways that are known to violate the contract (mutants), and against others that are
// known to conform to it.
type SelfTest struct {
	Schema         string    `json:"schema"`
	Tool           string    `json:"tool"`
	ContractDigest string    `json:"contract_digest"`
	Started        time.Time `json:"started"`
	// Took is the duration of the whole self-test, in nanoseconds.
	Took     time.Duration   `json:"took_ns"`
	Gateways []GatewayResult `json:"gateways"`
	// Load means that the self-test is about load cases. Rows are the rows that have load cases; without Load, it is empty, which means all rows.
	Load bool             `json:"load,omitempty"`
	Rows []contract.RowID `json:"rows,omitempty"`
	// Partial means that only selected gateways were tested. NeverFailed and NeverBroken are then empty.
	Partial bool `json:"partial,omitempty"`
	// NeverFailed are the rows that failed under no mutant.
	NeverFailed []contract.RowID `json:"rows_never_failed,omitempty"`
	// NeverBroken are the requirements that no case ever reported as violated.
	NeverBroken []contract.Requirement `json:"requirements_never_broken,omitempty"`
}

// GatewayResult contains the results for one gateway: a mutant, or a gateway with a permitted behaviour.
type GatewayResult struct {
	// Name is the name of the mutant or of the permitted behaviour.
	Name     string `json:"name"`
	Sentence string `json:"sentence"`
	// Theme is the theme of the mutant, or "" for a permitted behaviour.
	Theme string        `json:"theme,omitempty"`
	Took  time.Duration `json:"took_ns"`
	// Ran is the number of cases that ran.
	Ran int `json:"ran"`
	// Kills are the cases that detected the mutant as expected. The list is empty for a permitted behaviour.
	Kills []Kill `json:"kills"`
	// Mistakes are mistakes of the harness: cases that did not detect the mutant, and false alarms.
	Mistakes []Mistake `json:"mistakes"`
	// ParallelMistakes are the mistakes of a first attempt, during which other gateways were tested at the same time. Mistakes are then those of a
	// second attempt, in which the gateway was tested alone.
	ParallelMistakes []Mistake `json:"parallel_mistakes,omitempty"`
}

// Kill is a case that detected a mutant, with the expected verdict.
type Kill struct {
	Case    string           `json:"case"`
	Row     contract.RowID   `json:"row"`
	Verdict contract.Verdict `json:"verdict"`
	// Broken are the requirements that the case reported as violated.
	Broken []contract.Requirement `json:"broken,omitempty"`
	// Headline is the first finding or, if there is none, the reason for the verdict.
	Headline string `json:"headline"`
}

// Mistake is one mistake of the harness.
type Mistake struct {
	// Case is "" if the mistake concerns the gateway as a whole.
	Case string           `json:"case,omitempty"`
	Row  contract.RowID   `json:"row,omitempty"`
	Want contract.Verdict `json:"want,omitempty"`
	Got  contract.Verdict `json:"got,omitempty"`
	// Problem describes the mistake in a sentence.
	Problem string `json:"problem"`
}

// OK reports whether the harness made no mistakes about the gateway.
func (g GatewayResult) OK() bool { return len(g.Mistakes) == 0 }

func (g GatewayResult) mutant() bool { return g.Theme != "" }

// OK reports whether every mutant was detected in exactly the expected cases, no permitted behaviour raised a false alarm, and every row and
// requirement was violated by a mutant.
func (s SelfTest) OK() bool {
	return len(s.Gateways) > 0 && len(s.NeverFailed)+len(s.NeverBroken) == 0 &&
		!slices.ContainsFunc(s.Gateways, func(g GatewayResult) bool { return !g.OK() })
}

func (s SelfTest) verdict() contract.Verdict {
	if s.OK() {
		return contract.Pass
	}
	return contract.Fail
}

// Matrix returns the self-test as a matrix of gateways and rows of the contract. A cell passes if cases detected the mutant, fails if the harness
// made a mistake, and is not-run if nothing changed. A red cell therefore stands for a mutant that was not detected as expected, or for a
// false alarm.
func (s SelfTest) Matrix() Matrix {
	m := Matrix{Totals: make(runlog.Counts)}
	rows := s.rows()
	for i, r := range rows {
		number := fmt.Sprintf("%02d", i+1)
		m.Columns = append(m.Columns, Column{Name: string(r.ID), Short: number[:1] + "\n" + number[1:]})
	}
	for _, g := range s.Gateways {
		row := MatrixRow{
			Row:   contract.Row{ID: contract.RowID(g.Name), Key: g.Name, Meaning: g.Sentence},
			Group: "Permitted behaviours", Counts: make(runlog.Counts), Verdict: contract.Pass,
		}
		if g.mutant() {
			row.Group = "Mutants: " + g.Theme
		}
		for _, r := range rows {
			cell := g.cell(r.ID)
			row.Cells = append(row.Cells, cell)
			row.Counts[cell.Verdict]++
			m.Totals[cell.Verdict]++
		}
		if !g.OK() {
			row.Verdict = contract.Fail
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (s SelfTest) rows() []contract.Row {
	return slices.DeleteFunc(contract.Rows(), func(r contract.Row) bool { return len(s.Rows) > 0 && !slices.Contains(s.Rows, r.ID) })
}

func (g GatewayResult) cell(row contract.RowID) Cell {
	cell := Cell{Column: string(row), Verdict: NotRun, Counts: make(runlog.Counts)}
	for _, k := range g.Kills {
		if k.Row == row {
			cell.Verdict = contract.Pass
			cell.Counts[contract.Pass]++
			cell.Cases = append(cell.Cases, k.Case)
		}
	}
	for _, m := range g.Mistakes {
		if m.Row == row {
			cell.Verdict = contract.Fail
			cell.Counts[contract.Fail]++
			cell.Cases = append(cell.Cases, m.Case)
		}
	}
	return cell
}

// Sentence returns the closing sentence of a self-test's reports.
//
//	self-test passed: 96 mutants killed in exactly the expected cases; 20 permitted behaviours raised no false alarm
//	self-test FAILED: 2 of 96 mutants were not killed in exactly the expected cases: a, b; no mutant makes code:bad_response fail
func (s SelfTest) Sentence() string {
	if s.OK() {
		return "self-test passed: " + s.passed()
	}
	return "self-test FAILED: " + strings.Join(s.failures(), "; ")
}

func (s SelfTest) names(holds func(GatewayResult) bool) []string {
	var names []string
	for _, g := range s.Gateways {
		if holds(g) {
			names = append(names, g.Name)
		}
	}
	return names
}

func (s SelfTest) passed() string {
	mutants := s.names(GatewayResult.mutant)
	text := fmt.Sprintf("%s killed in exactly the expected cases; %s raised no false alarm",
		plain.Count(len(mutants), "mutant"), plain.Count(len(s.Gateways)-len(mutants), "permitted behaviour"))
	if !s.Partial {
		text += fmt.Sprintf("; each of the %d rows was broken by at least one mutant", len(s.rows()))
		if s.Load {
			text += " in load cases"
		}
	}
	if alone := s.names(func(g GatewayResult) bool { return len(g.ParallelMistakes) > 0 }); len(alone) > 0 {
		text += fmt.Sprintf("; %s passed only when tested alone: %s", plain.Count(len(alone), "gateway"), strings.Join(alone, ", "))
	}
	return text
}

func (s SelfTest) failures() []string {
	var parts []string
	add := func(names []string, of int, noun, what string) {
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%d of %s %s: %s", len(names), plain.Count(of, noun), what, strings.Join(names, ", ")))
		}
	}
	mutants := len(s.names(GatewayResult.mutant))
	add(s.names(func(g GatewayResult) bool { return g.mutant() && !g.OK() }), mutants, "mutant", "were not killed in exactly the expected cases")
	add(s.names(func(g GatewayResult) bool { return !g.mutant() && !g.OK() }), len(s.Gateways)-mutants, "permitted behaviour", "raised a false alarm")
	if len(s.NeverFailed) > 0 {
		parts = append(parts, "no mutant makes "+plain.Joined(s.NeverFailed)+" fail")
	}
	if len(s.NeverBroken) > 0 {
		parts = append(parts, "no case reports a violation of "+plain.Joined(s.NeverBroken))
	}
	if len(s.Gateways) == 0 {
		parts = append(parts, "no gateway was tested")
	}
	return parts
}
