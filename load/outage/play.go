package outage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// play plays all phases. What was sent until an error is in the round.
func (r *round) play(ctx context.Context) (err error) {
	r.openBefore, r.openAfter = unknown, unknown
	if err := r.playAtOnceBefore(ctx); err != nil {
		return err
	}
	if err := r.playBaseline(ctx); err != nil {
		return err
	}
	if r.openBefore, err = r.awaitOpen(ctx, 0, time.Now().Add(cancelWithin)); err != nil {
		return err
	}
	if r.during, err = r.send(ctx, r.outagePhase(r.engine), faulty); err != nil {
		return err
	}
	r.outageEnd = time.Since(r.began)
	if err := r.playRecovery(ctx); err != nil {
		return err
	}
	ended := time.Now()
	if err := r.playAtOnceAfter(ctx); err != nil {
		return err
	}
	if err := r.askUpstream(ctx, ended.Add(cancelWithin)); err != nil {
		return err
	}
	r.generator = append(r.generator, r.slowDirect()...)
	return nil
}

// playBaseline sends healthy requests only, at the highest rate of [rateDivisors] that the gateway can take.
func (r *round) playBaseline(ctx context.Context) (err error) {
	rate := r.Rate
	for _, divisor := range rateDivisors() {
		r.Rate = rate / divisor
		if r.before, err = r.send(ctx, r.beforePhase(), healthy); err != nil {
			return err
		}
		if err = r.checkBaseline(); err == nil {
			return nil
		}
	}
	return err
}

// playRecovery sends healthy requests until none of them fails for the length of After, or RecoveryLimit is over.
func (r *round) playRecovery(ctx context.Context) error {
	for probing := false; ; {
		phase := r.afterPhase()
		if probing {
			phase = r.recoveryPhase()
		}
		sent, err := r.send(ctx, phase, healthy)
		if err != nil {
			return err
		}
		r.after = append(r.after, sent...)
		failed := sent.failures()
		for _, q := range failed {
			r.lastFailure = max(r.lastFailure, q.ended()-r.outageEnd)
		}
		switch {
		case len(failed) == 0 && !probing:
			r.recovered = true
			return nil
		case len(failed) > 0 && r.lastFailure > r.RecoveryLimit:
			return nil
		default:
			probing = len(failed) > 0
		}
	}
}

// playDisconnects lets clients disconnect. When upstream calls go on, it does so once more: a stall of the machine must not
// have been the reason.
func (r *round) playDisconnects(ctx context.Context) error {
	if len(r.Disconnecting) == 0 {
		return nil
	}
	for range 2 {
		sent, err := r.send(ctx, r.disconnectPhase(), disconnecting)
		if err != nil {
			return err
		}
		if err := r.fetchSeen(ctx, sent, time.Now().Add(cancelWithin)); err != nil {
			return err
		}
		r.disconnected = append(r.disconnected, sent...)
		if n, goingOn := r.disconnects(); !tooManyGoOn(len(goingOn), n) {
			return nil
		}
	}
	return nil
}

// send plays one phase and returns its requests. The direct ones go to the round.
func (r *round) send(ctx context.Context, phase load.Phase, k kind) (results, error) {
	m, err := r.engine.Run(ctx, phase)
	start := m.Started.Sub(r.began)
	sent := make(results, 0, len(m.Results))
	var bypassing results
	for _, measured := range m.Results {
		q := result{Result: measured, name: phase.Mix[measured.Request].Name, phaseStart: start, maxLag: m.Generator.Lag.Max(), kind: k}
		switch fault := measured.Request - len(r.Healthy); {
		case r.Direct != nil && q.name == r.Direct.Name:
			q.kind = direct
			bypassing = append(bypassing, q)
			continue
		case k == faulty && fault < 0:
			q.kind = healthy
		case k == faulty:
			q.hangs = r.Faulty[fault].Hangs
		}
		sent = append(sent, q)
	}
	if len(bypassing) > 0 {
		r.direct = append(r.direct, bypassing)
	}
	if err != nil {
		return sent, err
	}
	r.addPhases(phase.Name, start, m, k)
	for _, b := range m.Violations {
		if k == faulty && slices.ContainsFunc(r.Faulty, func(f Fault) bool { return f.Name == b.Request }) {
			r.violations = append(r.violations, b)
		}
	}
	if m.Generator.Undersent {
		return sent, fmt.Errorf("%w: %s", ErrGeneratorBusy, strings.Join(m.Generator.Problems, "; "))
	}
	r.generator = append(r.generator, m.Generator.Problems...)
	return sent, nil
}

// addPhases adds a phase that was played. In an outage the wait for the last responses is a phase of its own, where it is
// long enough to be seen: with a limit of 1.5 s, a hanging request ends that much later than the last healthy one.
func (r *round) addPhases(name string, start time.Duration, m load.Measurement, k kind) {
	phase := runlog.Phase{Name: r.prefix + name, From: start, To: start + m.Elapsed}
	var lastSent time.Duration
	for _, measured := range m.Results {
		lastSent = max(lastSent, measured.Sent)
	}
	if k != faulty || m.Elapsed-lastSent <= minSpan {
		r.phases = append(r.phases, phase)
		return
	}
	waiting := runlog.Phase{Name: r.prefix + "waiting", From: start + lastSent, To: phase.To}
	phase.To = waiting.From
	r.phases = append(r.phases, phase, waiting)
}
