package contract

import "fmt"

// RequirementLevel is the weight of an obligation (RFC 2119 words as CONTRACT.md uses them).
type RequirementLevel string

// The severities. A broken MUST fails the row, a broken SHOULD warns, a NOTE never changes a verdict.
const (
	Must   RequirementLevel = "MUST"
	Should RequirementLevel = "SHOULD"
	Note   RequirementLevel = "NOTE"
)

// Finding is one obligation that did not hold.
type Finding struct {
	Requirement Requirement      `json:"requirement"`
	Level       RequirementLevel `json:"level"`
	Want        string           `json:"want"`
	Got         string           `json:"got"`
}

// String writes the finding in the one grammar of all reports.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: got %s, want %s", f.Level, f.Requirement, f.Got, f.Want)
}
