package runlog

import "github.com/gatecert/gatecert/contract"

// Result says what a load found about one obligation.
type Result string

// The results.
const (
	Held     Result = "held"
	Violated Result = "broken"
	Untested Result = "untested"
)

// Check is what was done about one obligation, and what came of it.
type Check struct {
	Requirement contract.Requirement `json:"requirement"`
	Result      Result               `json:"result"`
	// Sentence tells it with its numbers: "20 calls admitted and 15 refused".
	Sentence string `json:"sentence"`
}
