package fleet

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/load"
)

// Intervals of the protocol. Shorter intervals would make tests faster, but would not test the protocol
// better.
const (
	// helloEvery is how often a worker says that it is there, leaseEvery how often the coordinator extends the leases, by leaseFor.
	helloEvery = 500 * time.Millisecond
	leaseEvery = 500 * time.Millisecond
	leaseFor   = 2 * time.Second
	// lostAfter is how long nothing is heard of a worker before it is lost. On a machine with all cores busy three hellos may be late.
	lostAfter = 3 * time.Second
)

// subjects are the NATS subjects of a fleet. Nothing secret is in them.
type subjects struct{ name string }

var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,31}$`)

// checkName returns [ErrConfig] for the name of a fleet that no subject of the server can contain.
func checkName(fleet string) error {
	if validName.MatchString(fleet) {
		return nil
	}
	return fmt.Errorf("%w: the name %.40q must consist of 1 to 32 letters, digits, - and _, and must start with a letter or a digit", ErrConfig, fleet)
}

func (s subjects) hello() string { return "gatecert." + s.name + ".hello" }
func (s subjects) to(worker, what string) string {
	return "gatecert." + s.name + ".worker." + worker + "." + what
}
func (s subjects) of(session, what string) string {
	return "gatecert." + s.name + ".session." + session + "." + what
}

// stream and bucket are the names of a session's stream and of its store of large messages.
func (s subjects) stream(session string) string { return "gatecert-" + s.name + "-" + session }
func (s subjects) bucket(session string) string { return "gatecert-" + s.name + "-" + session }

// The requests that a worker answers. Each is the last word of the request's subject.
const (
	offerRequest = "offer"
	clockRequest = "clock"
	startRequest = "start"
	stopRequest  = "stop"
	callRequest  = "call"
)

// hello says that a worker is there.
type hello struct {
	Worker string
	// Sent is the time of sending, by the worker's clock. It reveals a message that somebody else has replayed, because such a message is older than
	// the last one.
	Sent  int64
	Build build
	// Host is the name of the machine. Machine is an id that all workers on the same machine share.
	Host, Machine string
	Source        string
	Cores         int
	// Session is the session that the worker works for, or "" if there is none.
	Session string
	// Shard is the shard that the worker prepares or runs, or "" if there is none.
	Shard string
}

// build is what a coordinator and its workers have to agree on.
type build struct{ Version, Contract string }

func thisBuild() build { return build{version.Tool(), contract.Digest()} }

// differs says how a build differs from another, "" when it does not.
func (b build) differs(other build) string {
	switch {
	case b.Version != other.Version:
		return fmt.Sprintf("it runs %s instead of %s", b.Version, other.Version)
	case b.Contract != other.Contract:
		return fmt.Sprintf("it uses a different version of the contract (digest %s instead of %s)", b.Contract, other.Contract)
	default:
		return ""
	}
}

// offer asks a worker to work for a session.
type offer struct {
	Session string
	Build   build
	// Ahead is how far the worker's clock is ahead of the coordinator's.
	Ahead time.Duration
	// Lease is the first lease.
	Lease lease
	// Targets are the URLs that receive the load.
	Targets []string
	// Release ends the worker's participation in the session.
	Release bool
}

// answer is a worker's to an offer, a start or a stop. Refused says why not, "" for yes.
type answer struct{ Refused string }

// reading is a worker's clock, in nanoseconds since 1970 by its monotonic clock from when it was started.
type reading struct{ Now int64 }

// asked is a request with what its reply is sealed for: nobody can repeat an earlier reply, or return the request as its own.
type asked struct {
	Nonce string
	Body  json.RawMessage
}

// replyTo is the subject that the reply to a request is sealed for.
func replyTo(subject, nonce string) string { return subject + " reply " + nonce }

// lease permits a session's workers to send, until an instant of the coordinator's clock.
type lease struct {
	Made, Until int64
	// Attempt is the attempt that is running, or "" if there is none. A worker that runs a shard of another attempt has missed the order to stop.
	Attempt string
}

// shard is a share of a phase for one worker.
type shard struct {
	// ID identifies the shard and its portion: the phase, the attempt and the share.
	ID, Attempt string
	// Made is when the shard was made, by the coordinator's clock. Ahead is how far the worker's
	// clock is ahead of that clock.
	Made  int64
	Ahead time.Duration
	Share load.Share
	// Order is the sealed order of the attempt. If the order is large, Blob is the name under which it is stored instead.
	Order []byte
	Blob  string
	// Deadline is the instant, by the worker's clock, after which the worker must not begin the shard.
	Deadline int64
}

// order is what the shards of an attempt have in common.
type order struct {
	Phase load.Phase
	Setup Setup
}

// start names the instant, by the worker's clock, at which a shard begins.
type start struct {
	Shard string
	At    int64
}

// stop ends a shard.
type stop struct{ Shard string }

// ready says that a worker could begin. Refused says why it cannot, "" when it can; Invalid that no other worker could either.
type ready struct {
	Worker, Shard, Refused string
	Invalid                bool
}

// news is how far a shard has come.
type news struct {
	Worker, Shard string
	Progress      load.Progress
	// SoFar contains the results so far, if the phase asks for them.
	SoFar *load.Portion
	// Blob is the name of a larger message that replaces this one.
	Blob string
}

// portion is what a shard came to.
type portion struct {
	Worker, Shard string
	// Blob is the name of a larger message that replaces the following fields.
	Blob    string
	Portion load.Portion
	// Ended is the reason why the shard was not sent completely, or "" if it was.
	Ended string
	// Stopped means that the coordinator stopped the shard, and Refused that the worker cannot run such a shard.
	Stopped, Refused bool
}

// Setup is what the workers need to know about a target in addition to the requests.
type Setup struct {
	// Secrets are redacted in everything that is kept of a response.
	Secrets []redact.Secret
	// Roots are the certificates, in PEM, of the authorities that sign the gateway's certificate. Empty means the authorities of each worker's
	// system.
	Roots []byte
	// Codes are the codes that the gateway publishes. nil stands for table 2 unchanged.
	Codes *contract.CodeClaim
	// CountTokens means that workers count the tokens of responses that do not report them.
	CountTokens bool
	// Limits are the limits for single calls.
	Limits exchange.Limits
}

// call asks for a single call to the gateway.
type call struct {
	// ID identifies the call: a message that arrives twice causes only one call.
	ID    string
	Call  exchange.Call
	Setup Setup
}

// called is what came of a single call, with its instants by the worker's clock.
type called struct {
	Began, Ended int64
	Observation  contract.Observation
	Refused      string
}
