package targets

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// ErrConsent is returned when a driver has to change a gateway and nobody agreed to it. Its text lists the changes.
var ErrConsent = errors.New("consent required")

// ErrCredential is returned when the gateway does not accept the profile's administrator, or grants too little.
var ErrCredential = errors.New("the administrator's credential cannot be used")

// ErrCannotPrepare is returned when a gateway lacks something that its driver needs. Its text says what.
var ErrCannotPrepare = errors.New("the gateway cannot be prepared")

// Change is something that a driver would do to a gateway that somebody runs.
type Change struct {
	// What is changed: "option RetryTimes", "user gatecert-3f9a1c-main".
	What string
	// How it is changed, and for how long: "true -> false, during the run".
	How string
	// Why the run needs it.
	Why string
}

// String is the change on one line.
func (c Change) String() string { return c.What + ": " + c.How + " (" + c.Why + ")" }

// Driver prepares a kind of gateway for a run.
type Driver interface {
	// Prepare brings the gateway into the state that the run needs. What was prepared is taken down again by
	// Prepared.Close, which is safe to call once whatever happened in between.
	Prepare(ctx context.Context, p profile.Profile) (Prepared, error)
}

// Upstream is the mock upstream, as a run uses it.
type Upstream interface {
	// Seen waits until the attempts of a token have ended, or ctx is done, and says what they were.
	Seen(ctx context.Context, token string) (contract.Seen, error)
}

// Prepared is a gateway that is ready for a run.
type Prepared struct {
	// Profile is complete: base URL, keys, models and recipes.
	Profile profile.Profile
	// Upstream is the mock upstream, nil when the gateway has another one.
	Upstream Upstream
	// Roots are the authorities that vouch for the gateway's certificate, nil for the system's.
	Roots *x509.CertPool
	// Caller makes the calls of a rate limit's verification in this process's place; nil is this process.
	Caller exchange.Caller
	// OpenStore opens the gateway's database, where the driver knows how to. nil leaves that to the run.
	OpenStore OpenStore
	// Actions are what recipes can name with do:. They bound their own time.
	Actions map[string]func(ctx context.Context) error
	// ReadUsageLog, when not nil, adds to the observation of a call what the gateway's own log has of it: errors, and what was
	// charged. It is used for calls that reach the upstream, because only those may be charged.
	ReadUsageLog func(ctx context.Context, o *contract.Observation) error
	// Notes are things about the preparation that people should know; they end up in the run's notes.
	Notes []string
	// Close takes down what was prepared.
	Close func(ctx context.Context) error
}
