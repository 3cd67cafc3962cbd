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

// player plays the phases of a round and fills the round in.
type player struct {
	*round

	engine Engine
	// began is when the verification began.
	began time.Time
}

// play plays all phases. What was sent until an error is in the round.
func (p player) play(ctx context.Context) (err error) {
	p.openBefore, p.openAfter = unknown, unknown
	if err := p.playBaseline(ctx); err != nil {
		return err
	}
	if p.openBefore, err = p.awaitOpen(ctx, 0, time.Now().Add(cancelWithin)); err != nil {
		return err
	}
	if p.during, err = p.send(ctx, p.outagePhase(p.engine), faulty); err != nil {
		return err
	}
	p.outageEnd = time.Since(p.began)
	if err := p.playRecovery(ctx); err != nil {
		return err
	}
	if err := p.askUpstream(ctx); err != nil {
		return err
	}
	p.generator = append(p.generator, p.slowDirect()...)
	return nil
}

// playBaseline sends healthy requests only, at the highest rate of [rateDivisors] that the gateway can take.
func (p player) playBaseline(ctx context.Context) (err error) {
	rate := p.Rate
	for _, divisor := range rateDivisors() {
		p.Rate = rate / divisor
		if p.before, err = p.send(ctx, p.beforePhase(), healthy); err != nil {
			return err
		}
		if err = p.checkBaseline(); err == nil {
			return nil
		}
	}
	return err
}

// playRecovery sends healthy requests until none of them fails for the length of After, or RecoveryLimit is over.
func (p player) playRecovery(ctx context.Context) error {
	for probing := false; ; {
		phase := p.afterPhase()
		if probing {
			phase = p.recoveryPhase()
		}
		sent, err := p.send(ctx, phase, healthy)
		if err != nil {
			return err
		}
		p.after = append(p.after, sent...)
		failed := sent.failures()
		for _, r := range failed {
			p.lastFailure = max(p.lastFailure, r.ended()-p.outageEnd)
		}
		switch {
		case len(failed) == 0 && !probing:
			p.recovered = true
			return nil
		case len(failed) > 0 && p.lastFailure > p.RecoveryLimit:
			return nil
		default:
			probing = len(failed) > 0
		}
	}
}

// playDisconnects lets clients disconnect. When upstream calls go on, it does so once more: a stall of the machine must not
// have been the reason.
func (p player) playDisconnects(ctx context.Context) error {
	if len(p.Disconnecting) == 0 {
		return nil
	}
	for range 2 {
		sent, err := p.send(ctx, p.disconnectPhase(), disconnecting)
		if err != nil {
			return err
		}
		if err := p.fetchSeen(ctx, sent, time.Now().Add(cancelWithin)); err != nil {
			return err
		}
		p.disconnected = append(p.disconnected, sent...)
		if n, goingOn := p.disconnects(); !tooManyGoOn(len(goingOn), n) {
			return nil
		}
	}
	return nil
}

// send plays one phase and returns its requests. The direct ones go to the round.
func (p player) send(ctx context.Context, phase load.Phase, k kind) (results, error) {
	m, err := p.engine.Run(ctx, phase)
	start := m.Started.Sub(p.began)
	sent := make(results, 0, len(m.Results))
	var bypassing results
	for _, measured := range m.Results {
		r := result{Result: measured, name: phase.Mix[measured.Request].Name, phaseStart: start, maxLag: m.Generator.Lag.Max(), kind: k}
		switch fault := measured.Request - len(p.Healthy); {
		case p.Direct != nil && r.name == p.Direct.Name:
			r.kind = direct
			bypassing = append(bypassing, r)
			continue
		case k == faulty && fault < 0:
			r.kind = healthy
		case k == faulty:
			r.hangs = p.Faulty[fault].Hangs
		}
		sent = append(sent, r)
	}
	if len(bypassing) > 0 {
		p.direct = append(p.direct, bypassing)
	}
	if err != nil {
		return sent, err
	}
	p.addPhases(phase.Name, start, m, k)
	for _, b := range m.Violations {
		if k == faulty && slices.ContainsFunc(p.Faulty, func(f Fault) bool { return f.Name == b.Request }) {
			p.violations = append(p.violations, b)
		}
	}
	if m.Generator.Undersent {
		return sent, fmt.Errorf("%w: %s", ErrGeneratorBusy, strings.Join(m.Generator.Problems, "; "))
	}
	p.generator = append(p.generator, m.Generator.Problems...)
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
