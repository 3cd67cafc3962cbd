package clientlog

import (
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Schema names the form of the JSON.
const Schema = "gatecert-clients/1"

// Log is everything that was seen.
type Log struct {
	Schema string `json:"schema"`
	// Tool is the build that made the log, ContractDigest the contract that it knew.
	Tool           string `json:"tool"`
	ContractDigest string `json:"contract_digest"`
	// Target is the name of the gateway, from its profile.
	Target string `json:"target"`
	// RunID is that of the run that the clients were a part of, "" for none.
	RunID   string   `json:"run_id,omitempty"`
	Clients []Client `json:"clients"`
	Calls   []Call   `json:"calls"`
	Skipped []Skip   `json:"skipped,omitempty"`
	// Interrupted says that not everything was played.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Client is a client library in one version, behind its adapter.
type Client struct {
	// Name is the adapter's, such as "openai-node".
	Name string `json:"name"`
	// Package and Version name the library, Runtime what it runs on: "openai", "6.49.0", "node 20.20.2".
	Package string `json:"package"`
	Version string `json:"version"`
	Runtime string `json:"runtime,omitempty"`
	// Surfaces are those that the adapter can call.
	Surfaces []dialect.Surface `json:"surfaces"`
	// Fault says what the adapter itself did wrong, "" for nothing.
	Fault string `json:"fault,omitempty"`
}

// Call is one call of a client, with everything that came of it.
type Call struct {
	Client  string          `json:"client"`
	Surface dialect.Surface `json:"surface"`
	// Row and Case are those of the contract; both are empty for a probe.
	Row  contract.RowID `json:"row,omitempty"`
	Case string         `json:"case,omitempty"`
	// Probe names an answer that gatecert itself gave to the client, "" where the gateway answered.
	Probe string `json:"probe,omitempty"`
	// Edited says that the recorder sent the request of the case in place of the client's own, which no client would make.
	Edited bool `json:"edited,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Class is the client's name for the error, Status the status that it reports, Message its text, Text what it delivered of
	// an answer before it ended.
	Class   string `json:"class,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	Text    string `json:"text,omitempty"`
	// Code is the business code that was asked for or that the gateway sent, CodeAt where it was found.
	Code   string    `json:"code,omitempty"`
	CodeAt string    `json:"code_at,omitempty"`
	Shown  Placement `json:"code_shown,omitempty"`
	// Attempts are the requests that came from the client, in their order.
	Attempts []Attempt `json:"attempts"`
	// Milliseconds is how long the call took.
	Milliseconds int64 `json:"ms"`
	// Doubts are contradictions between what the adapter said and what the recorder saw.
	Doubts []string `json:"doubts,omitempty"`
}

// Outcome is how a call of a client ended.
type Outcome string

// The outcomes.
const (
	// Answered: the gateway gave an ordinary answer, at last, and the client delivered it.
	Answered Outcome = "answered"
	// Typed: the client raised an error of a class of its own.
	Typed Outcome = "typed-error"
	// Untyped: the client raised an error, but none of its own classes.
	Untyped Outcome = "untyped-error"
	// Accepted: the client raised nothing, although the answer was not complete.
	Accepted Outcome = "silently-accepted"
	// Hung: the client had not ended when the time for the call was over.
	Hung Outcome = "not-ended"
	// Crashed: the adapter ended, or broke the protocol.
	Crashed Outcome = "adapter-fault"
)

// Placement is how a client shows the business code.
type Placement string

// The placements, from the best.
const (
	InField   Placement = "field"   // in a field of the error's own
	InRaw     Placement = "raw"     // in the raw body that the error carries
	InMessage Placement = "message" // in the text for people only
	Nowhere   Placement = "nowhere"
)

// Attempt is one request of a client, as the recorder saw it.
type Attempt struct {
	// At is when it came, and Gap how long after the end of the attempt before, both in milliseconds.
	At  int64 `json:"at_ms"`
	Gap int64 `json:"gap_ms"`
	// Status is that of the answer, 0 for none.
	Status     int    `json:"status"`
	RetryAfter string `json:"retry_after,omitempty"`
	// APIVersion is the version of the API that the client asked for, in Anthropic's header field.
	APIVersion string `json:"api_version,omitempty"`
	Sent       int64  `json:"sent_bytes"`
	Received   int64  `json:"received_bytes"`
	// Cancelled says that the client went away before the end of the answer, Broken that the answer broke off.
	Cancelled bool `json:"cancelled,omitempty"`
	Broken    bool `json:"broken,omitempty"`
	// Success says that the answer was an ordinary one.
	Success bool `json:"success,omitempty"`
}

// Skip says what was not played, and why.
type Skip struct {
	Client string         `json:"client,omitempty"`
	Row    contract.RowID `json:"row,omitempty"`
	Probe  string         `json:"probe,omitempty"`
	Reason string         `json:"reason"`
}

// OfRow returns the calls of a row, in the order of the log.
func (l Log) OfRow(row contract.RowID) []Call {
	return slices.DeleteFunc(slices.Clone(l.Calls), func(c Call) bool { return c.Row != row || c.Probe != "" })
}

// OfProbe returns the calls of a probe, in the order of the log.
func (l Log) OfProbe(name string) []Call {
	return slices.DeleteFunc(slices.Clone(l.Calls), func(c Call) bool { return c.Probe != name })
}

// Probes are the names of the probes of the log, in its order.
func (l Log) Probes() []string {
	var names []string
	for _, c := range l.Calls {
		if c.Probe != "" && !slices.Contains(names, c.Probe) {
			names = append(names, c.Probe)
		}
	}
	return names
}

// Last is the last attempt; ok is false where there was none.
func (c Call) Last() (a Attempt, ok bool) {
	if len(c.Attempts) == 0 {
		return Attempt{}, false
	}
	return c.Attempts[len(c.Attempts)-1], true
}
