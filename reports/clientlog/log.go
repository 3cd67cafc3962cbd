package clientlog

import (
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Schema is the version of the JSON format.
const Schema = "gatecert-clients/1"

// Log is the record of everything that was observed.
type Log struct {
	Schema string `json:"schema"`
	// Tool is the build that wrote the log, and ContractDigest is the digest of the contract in that build.
	Tool           string `json:"tool"`
	ContractDigest string `json:"contract_digest"`
	// Target is the name of the gateway, from its profile.
	Target string `json:"target"`
	// RunID is the id of the run that included the clients, or "" if there was none.
	RunID   string   `json:"run_id,omitempty"`
	Clients []Client `json:"clients"`
	Calls   []Call   `json:"calls"`
	Skipped []Skip   `json:"skipped,omitempty"`
	// Interrupted means that not everything ran.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Client is one version of a client library, with its adapter.
type Client struct {
	// Name is the name of the adapter, such as "openai-node".
	Name string `json:"name"`
	// Package and Version identify the library, and Runtime is what it runs on, for example "openai", "6.49.0", "node 20.20.2".
	Package string `json:"package"`
	Version string `json:"version"`
	Runtime string `json:"runtime,omitempty"`
	// Surfaces are the surfaces that the adapter can call.
	Surfaces []dialect.Surface `json:"surfaces"`
	// Fault describes what the adapter itself did wrong, or is "".
	Fault string `json:"fault,omitempty"`
}

// Call is one call of a client, with its complete outcome.
type Call struct {
	Client  string          `json:"client"`
	Surface dialect.Surface `json:"surface"`
	// Row and Case are ids of the contract. Both are empty for a probe.
	Row  contract.RowID `json:"row,omitempty"`
	Case string         `json:"case,omitempty"`
	// Probe names the response that gatecert itself sent to the client. It is "" if the gateway responded.
	Probe string `json:"probe,omitempty"`
	// Edited means that the recorder sent the case's request instead of the client's own, because no client would send such a request.
	Edited bool `json:"edited,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Class is the client's name for the error, Status is the status that it reports, Message is the error's text, and Text is the part of a response
	// that the client delivered before the call ended.
	Class   string `json:"class,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	Text    string `json:"text,omitempty"`
	// Code is the business code that was expected or that the gateway sent. CodeAt is where it was found.
	Code   string    `json:"code,omitempty"`
	CodeAt string    `json:"code_at,omitempty"`
	Shown  Placement `json:"code_shown,omitempty"`
	// Attempts are the client's requests, in order.
	Attempts []Attempt `json:"attempts"`
	// Milliseconds is how long the call took.
	Milliseconds int64 `json:"ms"`
	// Doubts are contradictions between the adapter's report and the recorder's observations.
	Doubts []string `json:"doubts,omitempty"`
}

// Outcome states how a call of a client ended.
type Outcome string

// The outcomes.
const (
	// Answered means that the gateway eventually sent an ordinary response, and the client delivered it.
	Answered Outcome = "answered"
	// Typed means that the client raised an error of one of its own classes.
	Typed Outcome = "typed-error"
	// Untyped means that the client raised an error that is not of one of its own classes.
	Untyped Outcome = "untyped-error"
	// Accepted means that the client raised no error although the response was not complete.
	Accepted Outcome = "silently-accepted"
	// Hung means that the call had not ended when its time limit was reached.
	Hung Outcome = "not-ended"
	// Crashed means that the adapter exited or violated the protocol.
	Crashed Outcome = "adapter-fault"
)

// Placement states where a client exposes the business code.
type Placement string

// The placements, best first.
const (
	InField   Placement = "field"   // in a field of the error
	InRaw     Placement = "raw"     // in the raw body that the error contains
	InMessage Placement = "message" // only in the human-readable text
	Nowhere   Placement = "nowhere"
)

// Attempt is one request of a client, as the recorder observed it.
type Attempt struct {
	// At is when the request arrived, and Gap is the time since the end of the previous attempt, both in milliseconds.
	At  int64 `json:"at_ms"`
	Gap int64 `json:"gap_ms"`
	// Status is the status of the response, or 0 if there was none.
	Status     int    `json:"status"`
	RetryAfter string `json:"retry_after,omitempty"`
	// APIVersion is the API version in the client's request, from Anthropic's header field.
	APIVersion string `json:"api_version,omitempty"`
	Sent       int64  `json:"sent_bytes"`
	Received   int64  `json:"received_bytes"`
	// Cancelled means that the client disconnected before the end of the response, and Broken that the response was cut off.
	Cancelled bool `json:"cancelled,omitempty"`
	Broken    bool `json:"broken,omitempty"`
	// Success means that the response was an ordinary one.
	Success bool `json:"success,omitempty"`
}

// Skip states what did not run, and why.
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

// Probes returns the names of the probes in the log, in order.
func (l Log) Probes() []string {
	var names []string
	for _, c := range l.Calls {
		if c.Probe != "" && !slices.Contains(names, c.Probe) {
			names = append(names, c.Probe)
		}
	}
	return names
}

// Last returns the last attempt. ok is false if there were no attempts.
func (c Call) Last() (a Attempt, ok bool) {
	if len(c.Attempts) == 0 {
		return Attempt{}, false
	}
	return c.Attempts[len(c.Attempts)-1], true
}
