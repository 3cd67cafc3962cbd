package limits

import (
	"context"
	"errors"
	"time"
)

// Prober makes calls to one gateway with one key on one surface. It is used from several goroutines.
//
// An error means that the call could not be made, and ends everything. What the gateway does wrong is in the call.
type Prober interface {
	// Probe makes one call.
	Probe(ctx context.Context) (Call, error)
	// Burst makes n calls at once. A hold above 0 asks that the upstream keep each admitted call back for so long; a
	// prober whose upstream cannot leaves Call.Held at 0.
	Burst(ctx context.Context, n int, hold time.Duration) ([]Call, error)
}

// Budget bounds what may be sent. Zero values take the defaults.
type Budget struct {
	// Calls are made at most. Default 4000.
	Calls int
	// Time is spent at most. Default 3 minutes.
	Time time.Duration
	// Concurrency is the most calls under way at once. Default 128.
	Concurrency int
	// Hold is for how long calls are kept under way where that is needed; some are for four times as long, which has to be
	// less than the gateway waits for its upstream. Default 250ms.
	Hold time.Duration
}

const (
	defaultCalls       = 4000
	defaultTime        = 3 * time.Minute
	defaultConcurrency = 128
	defaultHold        = 250 * time.Millisecond
)

func (b Budget) withDefaults() Budget {
	if b.Calls <= 0 {
		b.Calls = defaultCalls
	}
	if b.Time <= 0 {
		b.Time = defaultTime
	}
	if b.Concurrency <= 0 {
		b.Concurrency = defaultConcurrency
	}
	if b.Hold <= 0 {
		b.Hold = defaultHold
	}
	return b
}

var (
	// ErrBudget is returned when the budget's calls or time did not suffice.
	ErrBudget = errors.New("budget spent")
	// ErrUnclear is returned when the calls say nothing about a limit: too many of them failed, none was admitted, or the
	// limit was not seen to hold.
	ErrUnclear = errors.New("the calls do not tell")
	// ErrGone is returned when the gateway went away: the last ten calls found nobody to connect to.
	ErrGone = errors.New("the gateway went away")
)
