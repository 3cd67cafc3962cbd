package contract

import "fmt"

// RequirementLevel is the weight of a requirement (RFC 2119 words as CONTRACT.md uses them).
type RequirementLevel string

// The levels. A violated MUST fails the row, a violated SHOULD warns, a NOTE never changes a verdict.
const (
	Must   RequirementLevel = "MUST"
	Should RequirementLevel = "SHOULD"
	Note   RequirementLevel = "NOTE"
)

// Finding is one requirement that did not hold.
type Finding struct {
	Requirement Requirement      `json:"requirement"`
	Level       RequirementLevel `json:"level"`
	Want        string           `json:"want"`
	Got         string           `json:"got"`
}

// Result is what was found about one requirement.
type Result string

// The results.
const (
	Held     Result = "held"
	Violated Result = "violated"
	Untested Result = "untested" // required, but nothing that was observed could show it
)

// Judgement is what one observation shows about the requirements of its case.
type Judgement struct {
	// Findings are the requirements that did not hold, all of them, in a stable order.
	Findings []Finding
	// Results holds every requirement of the case. Those that the answer does not call for, such as a stream's end where
	// no stream came, are absent. A requirement is Violated exactly when there is a finding of it.
	Results map[Requirement]Result
}

// String writes the finding in the one grammar of all reports.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: got %s, want %s", f.Level, f.Requirement, f.Got, f.Want)
}
