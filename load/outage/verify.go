package outage

import (
	"context"
	"errors"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// ErrGeneratorBusy is returned if the load generator sent less than planned, or was so busy that the measured latencies cannot be attributed to the
// gateway.
var ErrGeneratorBusy = errors.New("the load generator could not keep up on this machine")

// ErrNoBaseline is returned if healthy requests fail or pile up before the outage, so that there is nothing to compare the outage with.
var ErrNoBaseline = errors.New("no baseline: the gateway was failing or slow before the outage")

// ErrNotReached is returned if less than a quarter of the faulty requests reached the upstream, so that something other than the upstream failed.
var ErrNotReached = errors.New("fewer than a quarter of the requests that should fail reached the upstream")

// maxRounds is how often an outage is played at most: a second round confirms what a stall of this machine could have
// caused.
const maxRounds = 2

// Verify runs an outage and returns a finding for each requirement that does not hold. Nobody else may use the upstream at the same time. For a
// gateway with a time limit of 1.5 s, Verify takes 11 s if the upstream hangs, 8 s if it fails, and twice as long if a second round is needed. A
// longer time limit adds its own length, and a slot that is never released adds RecoveryLimit.
//
// It returns [ErrExperiment], [ErrGeneratorBusy], [ErrNoBaseline] and [ErrNotReached], those of the engine and those of the upstream. If Verify
// returns an error, it also returns the findings that are certain despite the error, and the evidence up to the error.
func Verify(ctx context.Context, engine Engine, e Experiment) ([]contract.Finding, Evidence, error) {
	e, err := e.withDefaults()
	if err != nil {
		return nil, Evidence{}, err
	}
	began := time.Now()
	var evidence Evidence
	first := &round{Experiment: e, engine: engine, began: began}
	if err := evidence.play(ctx, first); err != nil {
		return nil, evidence, err
	}
	found, generator := first.check(), first.generator
	if found.uncertain() && first.recovered {
		second := &round{Experiment: e, engine: engine, began: began, prefix: "again: "}
		if err := evidence.play(ctx, second); err != nil {
			evidence.checks = found.checks()
			return found.certain(), evidence, err
		}
		found = found.confirmedBy(second.check())
		// Two rounds agree by now: one of them with a generator that kept up is enough.
		if generator = append(generator, second.generator...); len(first.generator) == 0 || len(second.generator) == 0 {
			generator = nil
		}
	}
	evidence.checks = found.checks()
	findings, err := found.report(generator)
	return findings, evidence, err
}
