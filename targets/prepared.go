package targets

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// ErrConsent is returned if a driver has to change a gateway and the user did not consent. Its text lists the changes.
var ErrConsent = errors.New("consent required")

// ErrCredential is returned if the gateway does not accept the administrator's credential in the profile, or if the credential lacks permissions.
var ErrCredential = errors.New("the administrator's credential cannot be used")

// ErrCannotPrepare is returned if a gateway lacks something that its driver needs. Its text states what is missing.
var ErrCannotPrepare = errors.New("the gateway cannot be prepared")

// Change is a change that a driver would make to a running gateway.
type Change struct {
	// What names what is changed, such as "option RetryTimes" or "user gatecert-3f9a1c-main".
	What string
	// How describes the change and its duration, such as "true -> false, during the run".
	How string
	// Why is the reason why the run needs the change.
	Why string
}

// String returns the change in one line.
func (c Change) String() string { return c.What + ": " + c.How + " (" + c.Why + ")" }

// Driver prepares one kind of gateway for a run.
type Driver interface {
	// Prepare brings the gateway into the state that the run needs. Prepared.Close undoes the preparation. It may be called once, regardless of what
	// happened in between.
	Prepare(ctx context.Context, p profile.Profile) (Prepared, error)
}

// Upstream is the mock upstream as used by a run.
type Upstream interface {
	// Seen waits until the attempts with a token have ended or ctx is done, and returns these attempts.
	Seen(ctx context.Context, token string) (contract.Seen, error)
}

// Prepared is a gateway that is ready for a run.
type Prepared struct {
	// Profile is complete: it contains the base URL, keys, models and recipes.
	Profile profile.Profile
	// Upstream is the mock upstream. It is nil if the gateway has another upstream.
	Upstream Upstream
	// Roots are the authorities that sign the gateway's certificate. nil means the authorities of the system.
	Roots *x509.CertPool
	// Caller makes the calls that verify a rate limit. nil means that this process makes them.
	Caller exchange.Caller
	// OpenStore opens the gateway's database, if the driver knows how. If it is nil, the run decides how to open the database.
	OpenStore OpenStore
	// Actions are the actions that recipes can refer to with do:. They must limit their own duration.
	Actions map[string]func(ctx context.Context) error
	// ReadUsageLog, if not nil, adds the entries of the gateway's own log to the observation of a call: errors and charges. It is used for calls that
	// reach the upstream, because only these may be charged.
	ReadUsageLog func(ctx context.Context, o *contract.Observation) error
	// Notes are remarks about the preparation for the user. They are included in the run's notes.
	Notes []string
	// Close undoes the preparation.
	Close func(ctx context.Context) error
}
