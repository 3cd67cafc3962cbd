package limits

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Declared is a limit as the target declares it.
type Declared struct {
	// Kind is how calls are counted; "" when it is not declared. Then the kind is assumed that explains most.
	Kind contract.LimiterKind
	// Limit is the number of calls in a window, or of those under way at once.
	Limit  int
	Window time.Duration
	// Burst is the capacity of a token bucket. 0 means Limit.
	Burst int
	// RefusedCount says that refused calls use up the limit too.
	RefusedCount bool
	// Shared says whether streaming calls use up the same limit. nil: not declared.
	Shared *bool
	// Attempts is how often one call may be tried at the upstream. 0 means contract.DefaultAttempts.
	Attempts int
	// UpstreamRetryAfter is the Retry-After, in seconds, of the upstream behind [Probers.Throttled].
	UpstreamRetryAfter int
	// Slack is by how much the gateway's own clock may be wrong at any decision. 0 means 25ms.
	Slack time.Duration
}

const defaultSlack = 25 * time.Millisecond

// ErrDeclared is returned when a declared limit makes no sense.
var ErrDeclared = errors.New("declared limit")

func (d Declared) check() error {
	switch {
	case d.Kind != "" && !d.Kind.Valid():
		return fmt.Errorf("%w: unknown kind %q", ErrDeclared, d.Kind)
	case d.Limit < 1:
		return fmt.Errorf("%w: want at least one call, not %d", ErrDeclared, d.Limit)
	case d.Kind != contract.Concurrency && d.Window <= 0:
		return fmt.Errorf("%w: want a window, not %s", ErrDeclared, d.Window)
	}
	return nil
}

// model is the limit as one kind.
func (d Declared) model(kind contract.LimiterKind) Model {
	if kind == contract.TokenBucket {
		return bucket(d.most(), float64(d.Limit)/d.Window.Seconds())
	}
	return Model{Kind: kind, Limit: d.Limit, Window: d.Window}
}

// most is how many calls a rested limiter admits at once.
func (d Declared) most() int {
	if d.Burst > 0 {
		return d.Burst
	}
	return d.Limit
}

// full is the longest that a limiter of the declared kind, or of any kind, takes until it is as good as unused.
func (d Declared) full() time.Duration {
	if d.Kind != "" {
		return d.model(d.Kind).full()
	}
	return d.model(contract.SlidingCounter).full()
}

// kinds are those that the limiter may be of.
func (d Declared) kinds() []contract.LimiterKind {
	if d.Kind != "" {
		return []contract.LimiterKind{d.Kind}
	}
	return []contract.LimiterKind{contract.SlidingLog, contract.FixedWindow, contract.TokenBucket, contract.SlidingCounter}
}

// settled is how long after an instant at which a limit is free the calls begin that are counted: so much later that it
// is certain to which side of that instant they belong.
func (d Declared) settled() time.Duration { return 6 * d.Slack }

// Probers are the ways to call one gateway. Only Limited is needed; what the others would show is not verified without
// them, and the evidence says so.
type Probers struct {
	// Limited calls with the limited key.
	Limited Prober
	// Stream calls with the same key on a streaming surface.
	Stream Prober
	// Other calls with another key, whose own limit is not reached by twenty calls.
	Other Prober
	// Throttled calls with a key that has no limit, and the upstream refuses each call with 429 and a Retry-After of
	// [Declared.UpstreamRetryAfter].
	Throttled Prober
	// Balance reads what the limited key's owner has left.
	Balance func(ctx context.Context) (float64, error)
}

// Evidence is what a verification rests on.
type Evidence struct {
	// Model is the limiter that the calls were judged by.
	Model  Model          `json:"model"`
	Checks []runlog.Check `json:"checks"`
	// The limited key's calls. Foreign are those that the upstream refused.
	Calls    int `json:"calls"`
	Admitted int `json:"admitted"`
	Refused  int `json:"refused"`
	Failed   int `json:"failed"`
	Foreign  int `json:"foreign"`
	// LimitRecovery is the time from the end of the storm to the first admitted call, at most; 0 when none was admitted.
	Recovery time.Duration `json:"recovery_ns"`
	Took     time.Duration `json:"took_ns"`
	// Phases are the stages in their order, Spans the course of all calls, by key, and Times those of the other key.
	Phases []runlog.Phase `json:"phases"`
	Spans  []runlog.Span  `json:"spans"`
	Times  []runlog.Times `json:"times"`
}
