package outage

import (
	"context"
	"errors"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// ErrGeneratorBusy is returned when the load generator sent less than it should have, or was too busy for its latencies to
// count as those of the gateway.
var ErrGeneratorBusy = errors.New("the load generator could not keep up on this machine")

// ErrNoBaseline is returned when healthy requests fail, or pile up, before the outage: there is nothing to compare the
// outage with.
var ErrNoBaseline = errors.New("no baseline: the gateway was failing or slow before the outage")

// ErrNotReached is returned when less than a quarter of the faulty requests reached the upstream: whatever failed was not
// the upstream.
var ErrNotReached = errors.New("too few of the requests that should fail reached the upstream")

// maxRounds is how often an outage is played at most: a second round confirms what a stall of this machine could have
// caused.
const maxRounds = 2

// Verify runs an outage and returns a finding for each requirement that does not hold. Nobody else may use the upstream at
// the same time. A gateway with a time limit of 1.5 s takes 11 s where its upstream hangs, 8 s where it fails, and twice that
// when a second round is needed; a longer limit adds its own length, and a place that is not given back adds RecoveryLimit.
//
// It returns [ErrExperiment], [ErrGeneratorBusy], [ErrNoBaseline] and [ErrNotReached], those of the engine and those
// of the upstream. With an error, the findings are those that are certain nonetheless, and the evidence is complete up to
// the error.
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
