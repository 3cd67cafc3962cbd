package runlog

import (
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Schema names the version of the event log. A reader refuses a log of another schema.
const Schema = "gatecert.run/2"

// Header is the first line of a log: everything that is known before the first case runs.
type Header struct {
	Type    string    `json:"type"` // "header"
	Schema  string    `json:"schema"`
	RunID   string    `json:"run_id"`
	Tool    string    `json:"tool"` // "gatecert 0.1.0"
	Started time.Time `json:"started"`
	// ContractDigest is the SHA-256 of the contract the run was judged by.
	ContractDigest string     `json:"contract_digest"`
	Target         TargetInfo `json:"target"`
	Selection      Selection  `json:"selection"`
	// Command is the command line, secrets redacted.
	Command []string `json:"command,omitempty"`
	// Expected are the ids of the cases that must run, in log order.
	Expected []string `json:"expected"`
}

// TargetInfo says what was tested.
type TargetInfo struct {
	Name    string `json:"name"`
	BaseURL string `json:"base_url"`
	Driver  string `json:"driver"`
	Version string `json:"version,omitempty"`
	// Profile is the effective profile as YAML, secrets redacted.
	Profile string `json:"profile,omitempty"`
}

// Selection says what of the contract was asked for.
type Selection struct {
	Level    contract.Level    `json:"level"`
	Rows     []contract.RowID  `json:"rows,omitempty"`     // empty: all
	Surfaces []dialect.Surface `json:"surfaces,omitempty"` // those the target offers, or the part asked for
	Cases    []string          `json:"cases,omitempty"`    // empty: all of these rows and surfaces
	// AtRest leaves out the cases under load, of whatever level.
	AtRest bool `json:"at_rest,omitempty"`
	// Loaded are the surfaces whose cases under load were asked for. Empty: all of Surfaces.
	Loaded []dialect.Surface `json:"loaded,omitempty"`
}

// Asks reports whether a case was asked for.
func (s Selection) Asks(c contract.Case) bool {
	if c.IsLoad() && (s.AtRest || len(s.Loaded) > 0 && !slices.Contains(s.Loaded, c.Surface)) {
		return false
	}
	return s.Level.Includes(c.Level()) &&
		(len(s.Rows) == 0 || slices.Contains(s.Rows, c.Row)) &&
		(len(s.Surfaces) == 0 || slices.Contains(s.Surfaces, c.Surface)) &&
		(len(s.Cases) == 0 || slices.Contains(s.Cases, c.ID()))
}

// Scope is the level as reports name it: "relay", "full at rest".
func (s Selection) Scope() string {
	switch {
	case !s.Level.Valid():
		return "unknown"
	case s.AtRest && s.Level.Includes(contract.Load):
		return string(s.Level) + " at rest"
	default:
		return string(s.Level)
	}
}

// Control is a healthy or a nonsense call that shows whether a surface can be judged at all.
type Control struct {
	Type    string          `json:"type"` // "control"
	Surface dialect.Surface `json:"surface"`
	// Kind is "healthy" (must succeed) or "nonsense" (must not).
	Kind string `json:"kind"`
	// Phase is "before", "between" or "after" the cases.
	Phase       string                `json:"phase"`
	OK          bool                  `json:"ok"`
	Detail      string                `json:"detail,omitempty"`
	At          time.Time             `json:"at"`
	Observation *contract.Observation `json:"observation,omitempty"`
}

// Case is the outcome of one case.
type Case struct {
	Type         string             `json:"type"` // "case"
	ID           string             `json:"id"`
	Row          contract.RowID     `json:"row"`
	Circumstance string             `json:"circumstance"`
	Surface      dialect.Surface    `json:"surface"`
	Variant      string             `json:"variant,omitempty"`
	Level        contract.Level     `json:"level"`
	Verdict      contract.Verdict   `json:"verdict"`
	Findings     []contract.Finding `json:"findings,omitempty"`
	// Reason explains a verdict that does not come from findings: not-offered, untestable, error.
	Reason      string                `json:"reason,omitempty"`
	Scenario    *Scenario             `json:"scenario,omitempty"`
	Observation *contract.Observation `json:"observation,omitempty"`
	// Load is what was sent and what came of it, in a case under load. Its Observation is then one of many answers, one that
	// broke an obligation, or absent.
	Load *LoadSummary `json:"load,omitempty"`
	// Tries is above 1 when the case was run again because the gateway was not well (a breaker, a foreign 429).
	Tries    int           `json:"tries,omitempty"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns"`
}

// Scenario is where the case stands in the features, and how its steps went.
type Scenario struct {
	URI   string `json:"uri"`
	Line  int    `json:"line"` // of the Examples row
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// Step is one Gherkin step of a scenario.
type Step struct {
	Text string `json:"text"` // with its keyword: "Then the status is 404"
	// Status is "passed", "failed" or "skipped".
	Status string `json:"status"`
}

// Footer is the last line of a log. A log without one is incomplete, never a short success.
type Footer struct {
	Type  string    `json:"type"` // "footer"
	Ended time.Time `json:"ended"`
	// Verdict is the worst of all cases; "error" when cases are missing.
	Verdict     contract.Verdict         `json:"verdict"`
	Counts      map[contract.Verdict]int `json:"counts"`
	Executed    int                      `json:"executed"`
	Interrupted bool                     `json:"interrupted,omitempty"`
	// Missing are expected cases that never ran, Surplus those that ran without being expected.
	Missing []string `json:"missing,omitempty"`
	Surplus []string `json:"surplus,omitempty"`
	// Stale are the entries of the baseline that do not hold any more, each with its place and what is wrong.
	Stale []string `json:"stale,omitempty"`
	// Notes are things about the run as a whole that people should know (a breaker was noticed, a clean-up failed).
	Notes []string `json:"notes,omitempty"`
}
