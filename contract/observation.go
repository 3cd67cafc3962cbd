package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/dialect"
)

// Observation is everything that came of one call: what was sent, what came back, and what the upstream saw of it.
// It is redacted where it was captured and bounded in size, so that it can be logged and judged again as it stands.
type Observation struct {
	Sent Sent `json:"sent"`
	// Status is the HTTP status, or 0 when no answer's head arrived; Failure then says why.
	Status int    `json:"status"`
	Proto  string `json:"proto,omitempty"`
	// Header holds the answer's header fields under canonical names.
	Header map[string][]string `json:"header,omitempty"`
	// Body is what arrived, at most the capture limit. For an event stream it is the raw bytes of the stream.
	Body Bytes `json:"body,omitempty"`
	// BodyDigest is the SHA-256, in hexadecimal, of a body that is not text, such as audio. It stands in place of Body.
	BodyDigest string `json:"body_sha256,omitempty"`
	// BodySize counts the bytes read before the capture stopped.
	BodySize int64 `json:"body_size"`
	// Cut says why the reader stopped before the end of its own accord: a size, time or event limit. "" means it did not.
	Cut string `json:"cut,omitempty"`
	// TransferError says how the transfer broke off after the head arrived ("unexpected EOF"). "" means it ended whole.
	TransferError string `json:"transfer_error,omitempty"`
	// Stream is the decoded event stream when the answer is text/event-stream, else nil.
	Stream *Stream `json:"stream,omitempty"`
	Timing Timing  `json:"timing"`
	// Failure is set when no answer's head arrived.
	Failure *Failure `json:"failure,omitempty"`
	// Leaks lists known secrets that the answer contained; they were replaced in Header and Body.
	Leaks []Leak `json:"leaks,omitempty"`
	// Upstream is what the mock upstream saw of this call; nil when the gateway has another upstream.
	Upstream *Seen `json:"upstream,omitempty"`
	// Declared is what the profile declares of the gateway that the answer is judged by; nil when it declares nothing.
	Declared *Declared `json:"declared,omitempty"`
	// GatewayLog is what the gateway's own log says of the call, where a driver can read it.
	GatewayLog string `json:"gateway_log,omitempty"`
	// Balance is what the key's owner had before and after, where a driver can read it.
	Balance *Balance `json:"balance,omitempty"`
	// Aftermath is whether others were served after the call, where that was tried.
	Aftermath *Aftermath `json:"aftermath,omitempty"`
}

// Declared is what a profile declares of a gateway, as far as an answer is judged by it.
type Declared struct {
	// TimeLimit is how long the gateway waits for the upstream, 0 when it is not declared.
	TimeLimit time.Duration `json:"time_limit_ns,omitempty"`
	// Attempts bounds the calls to the upstream for one call; 0 stands for [DefaultAttempts].
	Attempts int `json:"attempts,omitempty"`
	// ServiceTime is what a healthy call on the same surface took before the case.
	ServiceTime time.Duration `json:"service_time_ns,omitempty"`
	// Window is that of the rate limit of the key, 0 when it is not declared.
	Window time.Duration `json:"window_ns,omitempty"`
	// Codes are the codes that the gateway publishes, nil for table 2 as it is.
	Codes *CodeClaim `json:"codes,omitempty"`
	// Means is what of the profile brings the circumstance about, "the recipe" or "keys.revoked", where that is not
	// gatecert's own doing. It changes no verdict.
	Means string `json:"means,omitempty"`
	// UnknownKey says that before the cases the gateway answered the key of Means like one that was never issued.
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

// Balance is the quota of the caller around one call, in the gateway's own unit.
type Balance struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// Aftermath is what became of a healthy call after the call, when nothing else was sent in between.
type Aftermath struct {
	// Served says that a healthy call succeeded, at once or after a while.
	Served bool `json:"served"`
	// After is how long that took, or the time within which none succeeded.
	After time.Duration `json:"after_ns,omitempty"`
	// Detail says how the last healthy call failed.
	Detail string `json:"detail,omitempty"`
}

// Sent is the request as it was sent, redacted.
type Sent struct {
	Surface dialect.Surface     `json:"surface"`
	Method  string              `json:"method"`
	URL     string              `json:"url"`
	Header  map[string][]string `json:"header,omitempty"`
	// Body is the body as sent, at most the capture limit; BodySize is its full size.
	Body     Bytes `json:"body,omitempty"`
	BodySize int64 `json:"body_size"`
	// Fault names what was wrong with the request on the wire ("short-body"), or "".
	Fault string `json:"fault,omitempty"`
	// Kept says that the connection had carried another request before.
	Kept bool `json:"kept_connection,omitempty"`
	// Curl is the command line that sends the same request; keys appear as shell variables.
	Curl string `json:"curl,omitempty"`
	// At is when it was sent, by the clock of gatecert's machine.
	At time.Time `json:"at,omitzero"`
}

// Timing holds instants as durations since the first byte of the request was written. Zero means it never came.
type Timing struct {
	FirstByte  time.Duration `json:"first_byte_ns,omitempty"`
	FirstEvent time.Duration `json:"first_event_ns,omitempty"`
	End        time.Duration `json:"end_ns"`
}

// FailureKind says in what way no answer came.
type FailureKind string

// The ways in which no answer comes.
const (
	Unreachable FailureKind = "unreachable" // the connection could not be made
	Closed      FailureKind = "closed"      // the gateway closed the connection without a word
	Reset       FailureKind = "reset"       // the gateway reset the connection
	TimedOut    FailureKind = "timed-out"   // no head within the named patience
	Protocol    FailureKind = "protocol"    // what came was not HTTP
)

// Failure is the absence of an answer.
type Failure struct {
	Kind   FailureKind `json:"kind"`
	Detail string      `json:"detail"`
}

// Leak is a known secret found in an answer.
type Leak struct {
	// What names the secret: "caller key", "upstream key", "upstream address".
	What string `json:"what"`
	// Where names the place: "body", "header X-Debug", "event 3".
	Where string `json:"where"`
}

// Stream is a decoded event stream.
type Stream struct {
	Events []Event `json:"events"`
	// Violations lists breaches of the event-stream format (WHATWG HTML 9.2.6) that a lenient reader hides.
	Violations []string `json:"violations,omitempty"`
	// Partial is what stood after the last complete event when the stream ended.
	Partial Bytes `json:"partial,omitempty"`
}

// Event is one server-sent event.
type Event struct {
	// At is the time since the request was written.
	At time.Duration `json:"at_ns"`
	// Name is the event field, "" for none.
	Name string `json:"name,omitempty"`
	Data Bytes  `json:"data"`
}

// Seen is what the upstream saw of one call, found by the token in its prompt.
type Seen struct {
	Attempts []Attempt `json:"attempts"`
	// Bound is the number of attempts a call may make, as the profile declares it; 0 stands for [DefaultAttempts].
	Bound int `json:"bound,omitempty"`
}

// DefaultAttempts bounds the attempts of one call where the profile declares nothing: a first try and two more is what
// every SDK that retries does by itself, so a gateway that does more multiplies.
const DefaultAttempts = 3

func (s Seen) bound() int {
	if s.Bound > 0 {
		return s.Bound
	}
	return DefaultAttempts
}

// Attempt is one request that reached the upstream.
type Attempt struct {
	// At is the time since the upstream started, for order only.
	At time.Duration `json:"at_ns"`
	// Arrived is when it arrived, by the clock of the upstream's machine.
	Arrived  time.Time `json:"arrived,omitzero"`
	Protocol string    `json:"protocol"` // "openai", "anthropic" or "gemini"
	Path     string    `json:"path"`
	Model    string    `json:"model,omitempty"`
	Stream   bool      `json:"stream,omitempty"`
	// Credential is a short fingerprint of the key presented, never the key.
	Credential string `json:"credential,omitempty"`
	// TraceParent is the field traceparent with which it came: that of the caller, or of the gateway's own part of the trace. Empty for
	// none, and for one that is invalid.
	TraceParent string `json:"traceparent,omitempty"`
	// Redirected says that the attempt came to another host, to which the upstream had redirected the call.
	Redirected bool `json:"redirected,omitempty"`
	// Status is what the upstream answered, 0 for none.
	Status int `json:"status"`
	// Error is the error that it answered with: the body, or the data of the error event. Empty for none, and for one that is
	// longer than [MaxUpstreamError].
	Error string `json:"error,omitempty"`
	// Cancelled says the gateway closed the connection before the upstream was done.
	Cancelled bool `json:"cancelled,omitempty"`
	// Open says the attempt was still going on when the observation was closed.
	Open bool `json:"open,omitempty"`
	// Late says the attempt came after the observation was closed, and was found at the end of the run.
	Late bool `json:"late,omitempty"`
	// Duration is from the request's arrival to the end of the answer or its cancellation.
	Duration time.Duration `json:"duration_ns"`
}

// Bytes is raw content that survives JSON: valid UTF-8 as a string, anything else as {"base64": "…"}.
type Bytes []byte

// MarshalJSON implements [json.Marshaler].
func (b Bytes) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON implements [json.Unmarshaler]. It fails on anything but a string or {"base64": "…"}.
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
