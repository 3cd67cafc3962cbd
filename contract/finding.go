package contract

import "fmt"

// Severity is the weight of an obligation (RFC 2119 words as CONTRACT.md uses them).
type Severity string

// The severities. A broken MUST fails the row, a broken SHOULD warns, a NOTE never changes a verdict.
const (
	Must   Severity = "MUST"
	Should Severity = "SHOULD"
	Note   Severity = "NOTE"
)

// Finding is one obligation that did not hold.
type Finding struct {
	Obligation Obligation `json:"obligation"`
	Severity   Severity   `json:"severity"`
	Want       string     `json:"want"`
	Got        string     `json:"got"`
}

// String writes the finding in the one grammar of all reports.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: got %s, want %s", f.Severity, f.Obligation, f.Got, f.Want)
}
