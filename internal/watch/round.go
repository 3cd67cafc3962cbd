package watch

import (
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Outcome states how a round ended.
type Outcome string

// The outcomes of rounds.
const (
	Conformant    Outcome = "conformant"
	NotConformant Outcome = "not-conformant"
	// Inconclusive is a round in which some cases could not be judged and no failure was found.
	Inconclusive Outcome = "inconclusive"
	// Unreachable is a round that never began because nothing is listening at the gateway's URL.
	Unreachable Outcome = "unreachable"
	// Incomplete is a round that ended before all its cases had run.
	Incomplete Outcome = "incomplete"
	// Fault is a round that gatecert could not run, for example because the profile is no longer valid or the
	// disk is full.
	Fault Outcome = "fault"
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Conformant, NotConformant, Inconclusive, Unreachable, Incomplete, Fault}
}

// Round is one run of the target, as [Config].Play returns it.
type Round struct {
	// Run is the run, nil when it never began.
	Run *runlog.Run
	// Outcome is set for a round without a run: Unreachable, Inconclusive or Fault.
	Outcome Outcome
	// Reason is the reason why there is no run, or why the run was not complete. It contains no secrets.
	Reason string
}

// outcome is how the round ended.
func (r Round) outcome() Outcome {
	switch {
	case r.Run == nil:
		return r.Outcome
	case !r.Run.Complete():
		return Incomplete
	}
	switch verdict := r.Run.Verdict(); {
	case verdict == contract.Fail:
		return NotConformant
	case verdict.Conformant():
		return Conformant
	default:
		return Inconclusive
	}
}

// sentence sums the round up in a line that is safe to show.
func (r Round) sentence() string {
	if r.Run == nil {
		return plain.Text(r.Reason, maxSentence)
	}
	return plain.Text(reports.Sentence(*r.Run), maxSentence)
}

// maxSentence bounds a sentence, in characters: a gateway's answer may be in it.
const maxSentence = 600

// Entry is a round in the history.
type Entry struct {
	// ID is the name of the round and of its folder: the start time in UTC.
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Outcome  Outcome   `json:"outcome"`
	Sentence string    `json:"sentence"`
	// Report is set when the round has a folder with a report.
	Report bool `json:"report"`
	// Cases counts the cases by verdict. It is empty for a round without a run.
	Cases runlog.Counts `json:"cases,omitempty"`
	// Changes are the differences from earlier rounds. Each is reported once.
	Changes []Change `json:"changes,omitempty"`
}
