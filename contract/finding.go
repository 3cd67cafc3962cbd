package contract

import "fmt"

// RequirementLevel is the weight of a requirement, expressed with the RFC 2119 keywords as CONTRACT.md uses them.
type RequirementLevel string

// The requirement levels. A violated MUST fails the row, a violated SHOULD causes a warning, and a NOTE never changes a verdict.
const (
	Must   RequirementLevel = "MUST"
	Should RequirementLevel = "SHOULD"
	Note   RequirementLevel = "NOTE"
)

// Finding is a violated requirement.
type Finding struct {
	Requirement Requirement      `json:"requirement"`
	Level       RequirementLevel `json:"level"`
	Want        string           `json:"want"`
	Got         string           `json:"got"`
}

// Result is the outcome of checking one requirement.
type Result string

// The results.
const (
	Held     Result = "held"
	Violated Result = "violated"
	Untested Result = "untested" // required, but the observation contains nothing that could show it
)

// Judgement contains the results of checking one observation against the requirements of its case.
type Judgement struct {
	// Findings lists all violated requirements, in a stable order.
	Findings []Finding
	// Results contains a result for every requirement that applies to the response. A requirement that does not apply is absent: for example, the end
	// of a stream if the response is not a stream. A requirement is Violated if and only if Findings contains it.
	Results map[Requirement]Result
}

// String formats the finding in the notation that all reports share.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: got %s, want %s", f.Level, f.Requirement, f.Got, f.Want)
}
