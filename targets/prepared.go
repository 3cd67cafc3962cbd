package targets

import (
	"context"

	"github.com/gatecert/gatecert/contract"
)

// Driver prepares a kind of gateway for a run.
type Driver interface {
	// Prepare brings the gateway into the state that the run needs. What was prepared is taken down again by
	// Prepared.Close, which is safe to call once whatever happened in between.
	Prepare(ctx context.Context, p Profile) (Prepared, error)
}

// Provider is the upstream we play, as a run sees it.
type Provider interface {
	// Seen waits until the attempts of a token have ended, or ctx is done, and says what they were.
	Seen(ctx context.Context, token string) (contract.Seen, error)
}

// Prepared is a gateway that is ready for a run.
type Prepared struct {
	// Profile is complete: base URL, keys, models and recipes.
	Profile Profile
	// Provider is nil when the gateway's provider is not ours.
	Provider Provider
	// Close takes down what was prepared.
	Close func(ctx context.Context) error
}
