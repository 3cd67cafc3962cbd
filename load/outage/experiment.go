package outage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
)

// ErrExperiment is returned for an experiment without healthy or without faulty requests, or with negative bounds.
var ErrExperiment = errors.New("invalid outage experiment")

// Experiment describes an outage. Fields that are 0 take their defaults.
type Experiment struct {
	// Healthy are the kinds of requests that must succeed at all times: the plain one and its streaming twin.
	Healthy []load.Request
	// Faulty are the kinds of requests that fail at the upstream, in equal shares.
	Faulty []Fault
	// Disconnecting are requests to a hanging upstream whose clients disconnect. If the list is empty, disconnects are not tested.
	Disconnecting []load.Request
	// Held are healthy requests that the upstream answers after [Hold]. The experiment compares how many of them the gateway serves at once before
	// and after the outage. If the list is empty, this is not tested.
	Held []load.Request
	// Direct is a request that bypasses the gateway and goes to the upstream. It is sent in every phase; if it is slow, this machine is busy. If
	// Direct is nil, no such request is sent.
	Direct *load.Request
	// TimeLimit is how long the gateway waits for the upstream according to its profile. It is 0 if the profile does not declare it.
	TimeLimit time.Duration
	// Attempts is the number of times that one request may be tried at the upstream. Default
	// [contract.DefaultAttempts].
	Attempts int
	// RecoveryLimit is how long after an outage healthy requests may fail. Default 75 s, which covers the cool-downs that
	// gateways ship with (30 s and 60 s are common).
	RecoveryLimit time.Duration
	// ClientTimeout is how long the client waits for a response. Default 45 s, and at least three times TimeLimit.
	ClientTimeout time.Duration
	// Upstream is nil when the upstream is not the mock upstream, so that gatecert cannot see what arrived
	// there.
	Upstream Upstream
	// Rate is the number of healthy requests sent per second during the outage. Before and after the outage, additional
	// healthy requests replace the faulty ones, so that the load is the same. Default 30: enough in three seconds for a 99th
	// percentile that is not the maximum, and few enough for a gateway on half a core.
	Rate float64
	// SlowCalls is the number of calls that a hanging upstream holds at once. If a pool in the gateway has fewer slots, healthy requests that share
	// the pool have to wait. This is detected if the pool has at most two thirds as many slots, because the queue must have time to grow. If
	// SlowCalls is 0, one request in five is faulty, and the upstream holds about eleven calls if the time limit is 1.5 s. SlowCalls cannot exceed
	// the engine's connections.
	SlowCalls int
	// Before, Outage and After are the lengths of the phases. The defaults are 1.5 s for Before and After (56 requests), and
	// 3 s for Outage (about 22 faulty requests), or 3.5 s (about 26) where the upstream hangs, because hanging requests need
	// time to pile up.
	Before, Outage, After time.Duration
	// Embedded means that the gateway runs in this process.
	Embedded bool
	// Progress, when not nil, is called with the progress of each phase.
	Progress func(load.Progress)
}

// Fault is a kind of request that fails at the upstream.
type Fault struct {
	// Request is what is sent. Its Expect is the case whose error every response must be; its Weight is ignored.
	load.Request
	// Hangs means that the upstream sends nothing at all, so that only the gateway's time limit ends the request.
	Hangs bool
}

// Upstream reports which requests arrived at the upstream.
type Upstream interface {
	// Seen waits until the attempts of a token have ended, or ctx is done, and returns them.
	Seen(ctx context.Context, token string) (contract.Seen, error)
}

// Engine is the part of a [load.Engine] that an experiment needs.
type Engine interface {
	Caps() load.Caps
	Plan(p load.Phase) (load.Plan, error)
	Run(ctx context.Context, p load.Phase) (load.Measurement, error)
}

var _ Engine = (*load.Engine)(nil)

// openCounter is an [Upstream] that also counts the calls that are open there, with and without a token.
type openCounter interface {
	OpenAttempts(ctx context.Context) (int, error)
}

const (
	defaultRate          = 30
	defaultBaseline      = 1500 * time.Millisecond
	defaultOutage        = 3 * time.Second
	defaultHangingOutage = 3500 * time.Millisecond
	defaultRecovery      = 75 * time.Second
	defaultTimeout       = 45 * time.Second
)

func (e Experiment) withDefaults() (Experiment, error) {
	outage := defaultOutage
	if e.hangs() {
		outage = defaultHangingOutage
	}
	e.Outage, e.Rate = cmp.Or(e.Outage, outage), cmp.Or(e.Rate, defaultRate)
	e.Before, e.After = cmp.Or(e.Before, defaultBaseline), cmp.Or(e.After, defaultBaseline)
	e.RecoveryLimit = cmp.Or(e.RecoveryLimit, defaultRecovery)
	e.ClientTimeout = cmp.Or(e.ClientTimeout, max(defaultTimeout, 3*e.TimeLimit))
	e.Attempts = cmp.Or(e.Attempts, contract.DefaultAttempts)
	switch {
	case len(e.Healthy) == 0, len(e.Faulty) == 0:
		return e, fmt.Errorf("%w: the experiment has %d healthy and %d faulty kinds of request, but needs at least one of each",
			ErrExperiment, len(e.Healthy), len(e.Faulty))
	case e.Rate < 0, e.Before < 0, e.Outage < 0, e.After < 0, e.TimeLimit < 0, e.RecoveryLimit < 0, e.ClientTimeout < 0, e.Attempts < 0, e.SlowCalls < 0:
		return e, fmt.Errorf("%w: durations, rates and counts must not be negative", ErrExperiment)
	}
	return e, nil
}

// hangs reports whether any request can be ended by the gateway's time limit only.
func (e Experiment) hangs() bool {
	return slices.ContainsFunc(e.Faulty, func(f Fault) bool { return f.Hangs })
}
