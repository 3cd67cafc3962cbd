package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/dialect"
)

// Observation is the complete record of one call: what was sent, what was received, and what the upstream saw. It is redacted when it is captured and
// limited in size, so that it can be logged and judged again without changes.
type Observation struct {
	Sent Sent `json:"sent"`
	// Status is the HTTP status, or 0 if no response head arrived. In that case, Failure gives the reason.
	Status int    `json:"status"`
	Proto  string `json:"proto,omitempty"`
	// Header contains the response's header fields under canonical names.
	Header map[string][]string `json:"header,omitempty"`
	// Body is the received body, up to the capture limit. For an event stream, it contains the raw bytes of the stream.
	Body Bytes `json:"body,omitempty"`
	// BodyDigest is the SHA-256, in hexadecimal, of a body that is not text, such as audio. It replaces Body.
	BodyDigest string `json:"body_sha256,omitempty"`
	// BodySize is the number of bytes read before the capture stopped.
	BodySize int64 `json:"body_size"`
	// Cut is the reason why the reader stopped before the end of the response: a limit on size, time or events. It is "" if the reader did not stop
	// early.
	Cut string `json:"cut,omitempty"`
	// TransferError is the error that ended the transfer after the head had arrived, such as "unexpected EOF". It is "" if the transfer was complete.
	TransferError string `json:"transfer_error,omitempty"`
	// Stream is the decoded event stream. It is nil if the response is not text/event-stream.
	Stream *Stream `json:"stream,omitempty"`
	Timing Timing  `json:"timing"`
	// Failure is set if no response head arrived.
	Failure *Failure `json:"failure,omitempty"`
	// Leaks lists the known secrets that the response contained. They have been replaced in Header and Body.
	Leaks []Leak `json:"leaks,omitempty"`
	// Upstream is what the mock upstream saw of this call. It is nil if the gateway has another upstream.
	Upstream *Seen `json:"upstream,omitempty"`
	// Declared contains the values in the profile by which the response is judged. It is nil if the profile declares none.
	Declared *Declared `json:"declared,omitempty"`
	// GatewayLog is the gateway's own log entry for the call, if a driver can read it.
	GatewayLog string `json:"gateway_log,omitempty"`
	// Balance is the balance of the key's owner before and after the call, if a driver can read it.
	Balance *Balance `json:"balance,omitempty"`
	// Aftermath states whether the gateway served healthy calls after this call. It is nil if this was not tested.
	Aftermath *Aftermath `json:"aftermath,omitempty"`
}

// Declared contains the values in a profile by which a response is judged.
type Declared struct {
	// TimeLimit is how long the gateway waits for the upstream. It is 0 if the profile does not declare it.
	TimeLimit time.Duration `json:"time_limit_ns,omitempty"`
	// Attempts is the maximum number of upstream calls for one call. 0 means [DefaultAttempts].
	Attempts int `json:"attempts,omitempty"`
	// ServiceTime is the duration of a healthy call on the same surface before the case.
	ServiceTime time.Duration `json:"service_time_ns,omitempty"`
	// Window is the window of the key's rate limit. It is 0 if the profile does not declare a limit.
	Window time.Duration `json:"window_ns,omitempty"`
	// Codes describes the codes that the gateway publishes. nil means the codes of table 2, unchanged.
	Codes *CodeClaim `json:"codes,omitempty"`
	// Means names the part of the profile that creates the circumstance, such as "the recipe" or "keys.revoked". It is "" if gatecert itself creates
	// the circumstance. It does not affect verdicts.
	Means string `json:"means,omitempty"`
	// UnknownKey is set if, before the cases, the gateway responded to the key in Means as it does to a key that was never issued.
	UnknownKey bool `json:"unknown_key,omitempty"`
}

// answerLimit is the time within which a call has to be answered that the upstream does not answer (CONTRACT.md, "Time").
func (d Declared) answerLimit() time.Duration {
	attempts := d.Attempts
	if attempts <= 0 {
		attempts = DefaultAttempts
	}
	return 2*time.Duration(attempts)*d.TimeLimit + time.Second + d.ServiceTime
}

// Balance is the caller's quota before and after one call, in the gateway's own unit.
type Balance struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// Aftermath describes what happened to a healthy call that was made after the case's call, with no other calls in between.
type Aftermath struct {
	// Served is set if a healthy call succeeded, at once or after some time.
	Served bool `json:"served"`
	// After is the time until a healthy call succeeded, or the time within which none succeeded.
	After time.Duration `json:"after_ns,omitempty"`
	// Detail describes how the last healthy call failed.
	Detail string `json:"detail,omitempty"`
}

// Sent is the request as it was sent, redacted.
type Sent struct {
	Surface dialect.Surface     `json:"surface"`
	Method  string              `json:"method"`
	URL     string              `json:"url"`
	Header  map[string][]string `json:"header,omitempty"`
	// Body is the body as sent, up to the capture limit. BodySize is its full size.
	Body     Bytes `json:"body,omitempty"`
	BodySize int64 `json:"body_size"`
	// Fault names the deliberate wire-level fault in the request, such as "short-body", or is "".
	Fault string `json:"fault,omitempty"`
	// Kept is set if the connection had carried another request before.
	Kept bool `json:"kept_connection,omitempty"`
	// Curl is the command line that sends the same request. It shows keys as shell variables.
	Curl string `json:"curl,omitempty"`
	// At is the time at which the request was sent, by the clock of gatecert's machine.
	At time.Time `json:"at,omitzero"`
}

// Timing contains instants, as durations since the first byte of the request was written. Zero means that the event did not happen.
type Timing struct {
	FirstByte  time.Duration `json:"first_byte_ns,omitempty"`
	FirstEvent time.Duration `json:"first_event_ns,omitempty"`
	End        time.Duration `json:"end_ns"`
}

// FailureKind states why no response was received.
type FailureKind string

// The reasons why no response was received.
const (
	Unreachable FailureKind = "unreachable" // the connection could not be established
	Closed      FailureKind = "closed"      // the gateway closed the connection without a response
	Reset       FailureKind = "reset"       // the gateway reset the connection
	TimedOut    FailureKind = "timed-out"   // no response head within the declared patience
	Protocol    FailureKind = "protocol"    // the received data was not HTTP
)

// Failure describes why there is no response.
type Failure struct {
	Kind   FailureKind `json:"kind"`
	Detail string      `json:"detail"`
}

// Leak is a known secret that was found in a response.
type Leak struct {
	// What names the secret, such as "caller key", "upstream key" or "upstream address".
	What string `json:"what"`
	// Where names the location, such as "body", "header X-Debug" or "event 3".
	Where string `json:"where"`
}

// Stream is a decoded event stream.
type Stream struct {
	Events []Event `json:"events"`
	// Violations lists violations of the event-stream format (WHATWG HTML 9.2.6) that a lenient reader would not notice.
	Violations []string `json:"violations,omitempty"`
	// Partial is the data after the last complete event when the stream ended.
	Partial Bytes `json:"partial,omitempty"`
}

// Event is one server-sent event.
type Event struct {
	// At is the time since the request was written.
	At time.Duration `json:"at_ns"`
	// Name is the value of the event field, or "" if there is none.
	Name string `json:"name,omitempty"`
	Data Bytes  `json:"data"`
}

// Seen is the upstream's record of one call, identified by the token in its prompt.
type Seen struct {
	Attempts []Attempt `json:"attempts"`
	// Bound is the number of upstream attempts that a call may make, as the profile declares it. 0 means [DefaultAttempts].
	Bound int `json:"bound,omitempty"`
}

// DefaultAttempts is the maximum number of attempts for one call if the profile does not declare one: a first attempt and two retries, as in every
// SDK that retries by itself. A gateway that makes more attempts multiplies the load.
const DefaultAttempts = 3

func (s Seen) bound() int {
	if s.Bound > 0 {
		return s.Bound
	}
	return DefaultAttempts
}

// Attempt is one request that reached the upstream.
type Attempt struct {
	// At is the time since the upstream started. Use it only to order attempts.
	At time.Duration `json:"at_ns"`
	// Arrived is when the request arrived, by the clock of the upstream's machine.
	Arrived  time.Time `json:"arrived,omitzero"`
	Protocol string    `json:"protocol"` // "openai", "anthropic" or "gemini"
	Path     string    `json:"path"`
	Model    string    `json:"model,omitempty"`
	Stream   bool      `json:"stream,omitempty"`
	// Credential is a short fingerprint of the key in the request, never the key itself.
	Credential string `json:"credential,omitempty"`
	// TraceParent is the value of the traceparent field in the request: either the caller's value or one that the gateway created for its own part of
	// the trace. It is empty if the field is missing or invalid.
	TraceParent string `json:"traceparent,omitempty"`
	// Redirected is set if the attempt reached another host, to which the upstream had redirected the call.
	Redirected bool `json:"redirected,omitempty"`
	// Status is the status of the upstream's response, or 0 if there was none.
	Status int `json:"status"`
	// Error is the error in the upstream's response: the body, or the data of the error event. It is empty if there was no error or if the error is
	// longer than [MaxUpstreamError].
	Error string `json:"error,omitempty"`
	// Cancelled is set if the gateway closed the connection before the upstream had finished.
	Cancelled bool `json:"cancelled,omitempty"`
	// Open is set if the attempt was still in progress when the observation was closed.
	Open bool `json:"open,omitempty"`
	// Late is set if the attempt arrived after the observation was closed and was found at the end of the run.
	Late bool `json:"late,omitempty"`
	// Duration is the time from the arrival of the request to the end of the response or to the cancellation.
	Duration time.Duration `json:"duration_ns"`
}

// Bytes is raw content that survives JSON encoding: valid UTF-8 is encoded as a string, anything else as {"base64": "…"}.
type Bytes []byte

// MarshalJSON implements [json.Marshaler].
func (b Bytes) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON implements [json.Unmarshaler]. It returns an error for anything but a string or {"base64": "…"}.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*b = Bytes(s)
		return nil
	}
	var wrapped struct {
		Base64 *string `json:"base64"`
	}
	if err := json.Unmarshal(data, &wrapped); err != nil || wrapped.Base64 == nil {
		return fmt.Errorf("the content is neither a string nor {\"base64\": …}: %.40s", data)
	}
	raw, err := base64.StdEncoding.DecodeString(*wrapped.Base64)
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	*b = raw
	return nil
}
