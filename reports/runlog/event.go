package runlog

import (
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Schema is the version of the event log. [Read] rejects a log with any other version.
const Schema = "gatecert.run/2"

// Header is the first line of a log. It contains everything that is known before the first case runs.
type Header struct {
	Type    string    `json:"type"` // "header"
	Schema  string    `json:"schema"`
	RunID   string    `json:"run_id"`
	Tool    string    `json:"tool"` // "gatecert 0.1.0"
	Started time.Time `json:"started"`
	// ContractDigest is the SHA-256 of the contract that judged the run.
	ContractDigest string     `json:"contract_digest"`
	Target         TargetInfo `json:"target"`
	Selection      Selection  `json:"selection"`
	// Command is the command line with its secrets redacted.
	Command []string `json:"command,omitempty"`
	// TraceURL is the URL of a page that shows a trace, with {trace_id} in place of the trace id. It is "" if none was specified.
	TraceURL string `json:"trace_url,omitempty"`
	// Expected are the ids of the cases that must run, in log order.
	Expected []string `json:"expected"`
}

// Link ties an event to the run and to the previous event, so that an event cannot be changed, removed or copied from another run without rewriting
// every later event. The [Writer] sets it.
type Link struct {
	RunID string `json:"run,omitempty"`
	// Prev is the SHA-256 of the previous line, without its newline, in hexadecimal.
	Prev string `json:"prev,omitempty"`
}

// TargetInfo describes the gateway under test.
type TargetInfo struct {
	Name    string `json:"name"`
	BaseURL string `json:"base_url"`
	Driver  string `json:"driver"`
	Version string `json:"version,omitempty"`
	// Claims is the part of the contract that the gateway publishes.
	Claims contract.Claims `json:"claims,omitzero"`
	// UpstreamProtocols are the protocols that the profile declares for calls to the mock upstream, by surface.
	UpstreamProtocols map[dialect.Surface]string `json:"upstream_protocols,omitempty"`
	// Recipes lists the parts of requests that the profile's recipes determine, one per line. Reports show them.
	Recipes []string `json:"recipes,omitempty"`
	// Profile is the effective profile as YAML with its secrets redacted.
	Profile string `json:"profile,omitempty"`
}

// Selection is the part of the contract that was selected for the run.
type Selection struct {
	Level    contract.Level    `json:"level"`
	Rows     []contract.RowID  `json:"rows,omitempty"`     // empty: all
	Surfaces []dialect.Surface `json:"surfaces,omitempty"` // those that the target offers, or the selected part of them
	Cases    []string          `json:"cases,omitempty"`    // ids; empty: all of these rows and surfaces
	// WithoutLoad excludes the load cases at any level.
	WithoutLoad bool `json:"without_load,omitempty"`
	// LoadSurfaces are the surfaces whose load cases were selected. Empty: all of Surfaces.
	LoadSurfaces []dialect.Surface `json:"load_surfaces,omitempty"`
}

// Asks reports whether the selection includes a case.
func (s Selection) Asks(c contract.Case) bool {
	if c.IsLoad() && (s.WithoutLoad || len(s.LoadSurfaces) > 0 && !slices.Contains(s.LoadSurfaces, c.Surface)) {
		return false
	}
	return s.Level.Includes(c.Level()) &&
		(len(s.Rows) == 0 || slices.Contains(s.Rows, c.Row)) &&
		(len(s.Surfaces) == 0 || slices.Contains(s.Surfaces, c.Surface)) &&
		(len(s.Cases) == 0 || slices.Contains(s.Cases, c.ID()))
}

// Scope returns the level in the form that reports show: "relay", "full without load cases", or "unknown".
func (s Selection) Scope() string {
	switch {
	case !s.Level.Valid():
		return "unknown"
	case s.WithoutLoad && s.Level.Includes(contract.Full):
		return string(s.Level) + " without load cases"
	default:
		return string(s.Level)
	}
}

// Control is a call that shows whether a surface can be judged. A healthy control call must succeed, and one with a nonexistent model must fail.
type Control struct {
	Type string `json:"type"` // "control"
	Link
	Surface dialect.Surface `json:"surface"`
	// Kind is [ControlHealthy] or [ControlNonsense].
	Kind string `json:"kind"`
	// Phase is [BeforeCases], "between" or [AfterCases].
	Phase       string                `json:"phase"`
	OK          bool                  `json:"ok"`
	Detail      string                `json:"detail,omitempty"`
	At          time.Time             `json:"at"`
	Observation *contract.Observation `json:"observation,omitempty"`
}

// ControlName is what reports call a kind of control call.
func ControlName(kind string) string {
	if kind == ControlNonsense {
		return "unknown-model"
	}
	return kind
}

// The values of a control event that readers of a log compare.
const (
	ControlHealthy  = "healthy"
	ControlNonsense = "nonsense"
	BeforeCases     = "before"
	AfterCases      = "after"
)

// CaseKey contains the fields that identify a case.
type CaseKey struct {
	ID           string          `json:"id"`
	Row          contract.RowID  `json:"row"`
	Circumstance string          `json:"circumstance"`
	Surface      dialect.Surface `json:"surface"`
	Variant      string          `json:"variant,omitempty"`
	Level        contract.Level  `json:"level"`
}

// KeyOf returns the key of a case of the contract.
func KeyOf(c contract.Case) CaseKey {
	return CaseKey{ID: c.ID(), Row: c.Row, Circumstance: c.Circumstance, Surface: c.Surface, Variant: c.Variant, Level: c.Level()}
}

// Case is the outcome of one case.
type Case struct {
	Type string `json:"type"` // "case"
	Link
	CaseKey
	Verdict  contract.Verdict   `json:"verdict"`
	Findings []contract.Finding `json:"findings,omitempty"`
	// Aspects summarises the requirements of a single response by aspect. It is nil if none was judged.
	Aspects map[contract.Aspect]contract.Result `json:"aspects,omitempty"`
	// Reason explains a verdict that does not follow from findings: not-offered, untestable, error or expected-fail.
	Reason      string                `json:"reason,omitempty"`
	Scenario    *Scenario             `json:"scenario,omitempty"`
	Observation *contract.Observation `json:"observation,omitempty"`
	// Load summarises the requests of a load case. Observation is then one of many responses, one that violated a requirement, or nil.
	Load *LoadSummary `json:"load,omitempty"`
	// Tries is above 1 if the case ran again because the gateway was not healthy (an open breaker, an unrelated 429).
	Tries int `json:"tries,omitempty"`
	// Revised is the reason why this event replaces an earlier event of the same case. It is "" if this event is the first.
	Revised  string        `json:"revised,omitempty"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns"`
}

// NewCase returns the event of a case that has no outcome yet.
func NewCase(c contract.Case) Case {
	return Case{CaseKey: KeyOf(c)}
}

// Scenario states where the case is in the features, and the results of its steps.
type Scenario struct {
	URI   string `json:"uri"`
	Line  int    `json:"line"` // of the Examples row
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// Step is one Gherkin step of a scenario.
type Step struct {
	Text   string     `json:"text"` // with its keyword: "Then the status is 404"
	Status StepStatus `json:"status"`
}

// StepStatus is the result of a scenario's step. The steps agree with the findings of their case: for every violated MUST a step failed, for every
// violated SHOULD a step warned or failed, and no other Then step did.
type StepStatus string

// The statuses of a step.
const (
	StepPassed StepStatus = "passed" // every requirement that the step states was checked and held
	StepWarned StepStatus = "warned" // a SHOULD among them is violated
	StepFailed StepStatus = "failed" // a MUST among them is violated, or the step itself could not be carried out
	// StepUntested means that the response did not allow a requirement to be checked. For example, a stream that has begun has no status to judge.
	StepUntested StepStatus = "untested"
)

// Footer is the last line of a log.
type Footer struct {
	Type string `json:"type"` // "footer"
	Link
	Ended time.Time `json:"ended"`
	// Verdict is the worst verdict of all cases, or [contract.Error] if cases are missing.
	Verdict     contract.Verdict         `json:"verdict"`
	Counts      map[contract.Verdict]int `json:"counts"`
	Executed    int                      `json:"executed"`
	Interrupted bool                     `json:"interrupted,omitempty"`
	// Missing lists expected cases that never ran. Surplus lists cases that ran without being expected.
	Missing []string `json:"missing,omitempty"`
	Surplus []string `json:"surplus,omitempty"`
	// Stale lists the baseline entries that are no longer valid, each with its position in the file and the problem.
	Stale []string `json:"stale,omitempty"`
	// Notes are facts about the run as a whole, such as a breaker that opened or a clean-up that failed.
	Notes []string `json:"notes,omitempty"`
}
