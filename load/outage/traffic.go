package outage

import (
	"math"
	"time"

	"github.com/gatecert/gatecert/load"
)

const (
	// healthyPerFaulty is how many healthy requests there are to each faulty one. One faulty request in five is far more than
	// an upstream has on a bad day, and leaves most requests for the comparison.
	healthyPerFaulty = 4
	// healthyPerDirect is how many healthy requests there are to each one that bypasses the gateway.
	healthyPerDirect = 10
	// spareConnections are for the healthy requests, besides those that the faulty ones may all hold at once.
	spareConnections = 32
	// disconnectsPerKind is how many clients disconnect from each kind of request, and disconnectAfter when they do; after a
	// third of the declared time limit where that is sooner.
	disconnectsPerKind = 2
	disconnectAfter    = 500 * time.Millisecond
	// A gateway that still fails after the outage is probed with Rate/recoveryRateDivisor healthy requests a second, for
	// recoveryProbe at a time.
	recoveryRateDivisor = 4
	recoveryProbe       = time.Second
)

// rateDivisors divide the rate in the attempts at a baseline. The full rate is tried a few times, because the machine may
// be busy for a moment; then lower rates, because the full one may be more than the gateway or the machine can take.
func rateDivisors() []float64 { return []float64{1, 1, 1, 1, 2, 4} }

// MaxTraffic returns the maximum that [Verify] sends: two rounds, each with every attempt at a baseline and with probes of the gateway until
// RecoveryLimit. For most gateways, one round is enough, in which no healthy request fails.
//
// It returns [ErrExperiment] and [load.ErrInvalid].
func (e Experiment) MaxTraffic(engine Engine) (load.Plan, error) {
	e, err := e.withDefaults()
	if err != nil {
		return load.Plan{}, err
	}
	probes, err := engine.Plan(e.recoveryPhase())
	if err != nil {
		return load.Plan{}, err
	}
	probes = probes.Repeat(2 * int(math.Ceil(e.RecoveryLimit.Seconds()/recoveryProbe.Seconds()))) // before the outage too
	all, err := e.planRound(engine, beforeAttempts+afterAttempts, rateDivisors()...)
	return all.Add(probes).Repeat(maxRounds), err
}

// UsualTraffic returns what [Verify] sends to a gateway that fails no healthy request, and how long that takes: one round.
// It returns the errors of [Experiment.MaxTraffic].
func (e Experiment) UsualTraffic(engine Engine) (load.Plan, error) {
	e, err := e.withDefaults()
	if err != nil {
		return load.Plan{}, err
	}
	all, err := e.planRound(engine, 2, 1)
	if e.hangs() {
		all.Duration += e.TimeLimit // for the response to the last hanging request
	}
	if len(e.Held) > 0 {
		all.Duration += 2 * Hold(e.TimeLimit) // for the last held one
	}
	return all, err
}

// planRound plans the phases of a round, with so many attempts to have calls at once, and attempts at a baseline whose rates are divided.
func (e Experiment) planRound(engine Engine, atOnce int, divisors ...float64) (all load.Plan, err error) {
	phases := []load.Phase{e.outagePhase(engine), e.afterPhase()}
	if p := e.atOncePhase(engine, "at once"); len(e.Held) > 0 && e.Upstream != nil && p.Rate > 0 {
		for range atOnce {
			phases = append(phases, p)
		}
		if atOnce > 2 {
			phases = append(phases, e.oneByOnePhase(p.Connections))
		}
	}
	for _, divisor := range divisors {
		slower := e
		slower.Rate /= divisor
		phases = append(phases, slower.beforePhase())
	}
	if len(e.Disconnecting) > 0 {
		phases = append(phases, e.disconnectPhase())
	}
	for _, p := range phases {
		plan, err := engine.Plan(p)
		if err != nil {
			return load.Plan{}, err
		}
		all = all.Add(plan)
	}
	return all, nil
}

// phase is what all phases have in common.
func (e Experiment) phase(name string, rate float64, lasts time.Duration, mix []load.Request) load.Phase {
	return load.Phase{
		Name: name, Mix: mix, Rate: rate, For: lasts,
		Connections: spareConnections, Timeout: e.ClientTimeout, Keep: int(math.Ceil(rate*lasts.Seconds())) + 1,
		// A lag of 100 ms is small against allowances of 250 ms and more, to which the lag itself is added.
		Generator: load.GeneratorLimits{Lag: 100 * time.Millisecond, LateShare: 0.05, Missed: 0.05},
		Embedded:  e.Embedded, Progress: e.Progress,
	}
}

func (e Experiment) beforePhase() load.Phase {
	return e.healthyPhase("before", e.Rate+e.Rate/healthyPerFaulty, e.Before)
}

func (e Experiment) afterPhase() load.Phase {
	return e.healthyPhase("after", e.Rate+e.Rate/healthyPerFaulty, e.After)
}

func (e Experiment) recoveryPhase() load.Phase {
	return e.healthyPhase("recovery probe", max(e.Rate/recoveryRateDivisor, 2), recoveryProbe)
}

// healthyPhase sends healthy requests at a rate, and direct ones in addition.
func (e Experiment) healthyPhase(name string, rate float64, lasts time.Duration) load.Phase {
	mix := make([]load.Request, 0, len(e.Healthy)+1)
	for _, p := range e.Healthy {
		p.Weight = healthyPerDirect
		mix = append(mix, p)
	}
	healthy := len(e.Healthy) * healthyPerDirect
	mix, direct := e.withDirect(mix, healthy)
	return e.phase(name, rate*float64(healthy+direct)/float64(healthy), lasts, mix)
}

// withDirect adds the direct request to a mix whose healthy ones have the given weight together. It returns the weight of
// the direct request.
func (e Experiment) withDirect(mix []load.Request, healthy int) ([]load.Request, int) {
	if e.Direct == nil {
		return mix, 0
	}
	direct := *e.Direct
	direct.Weight = max(healthy/healthyPerDirect, 1)
	return append(mix, direct), direct.Weight
}

// outagePhase mixes healthy and faulty requests. All faulty ones may be open at once; where the engine may not have as many
// connections the phase is shorter, because a healthy request must never wait for the generator.
func (e Experiment) outagePhase(engine Engine) load.Phase {
	connections := engine.Caps().Connections
	if longest := float64(connections/2) * healthyPerFaulty / e.Rate; e.Outage.Seconds() > longest {
		e.Outage = time.Duration(longest * float64(time.Second))
	}
	faultyRate := e.faultyRate(connections)
	perHealthy, perFaulty := healthyPerFaulty*len(e.Faulty), len(e.Healthy)
	if share := faultyRate / e.Rate; share > 1.0/healthyPerFaulty {
		perHealthy = fineWeight
		perFaulty = int(math.Round(share * fineWeight * float64(len(e.Healthy)) / float64(len(e.Faulty))))
	}
	var mix []load.Request
	for _, p := range e.Healthy {
		p.Weight = perHealthy
		mix = append(mix, p)
	}
	for _, f := range e.Faulty {
		f.Weight = perFaulty
		mix = append(mix, f.Request)
	}
	faulty, healthy := perFaulty*len(e.Faulty), perHealthy*len(e.Healthy)
	mix, direct := e.withDirect(mix, healthy)
	p := e.phase("outage", e.Rate*float64(healthy+faulty+direct)/float64(healthy), e.Outage, mix)
	p.Connections = min(connections, int(math.Ceil(faultyRate*e.Outage.Seconds()))+spareConnections)
	return p
}

// fineWeight is the weight of a healthy request where the faulty ones are no whole share of them.
const fineWeight = 100

// faultyRate is how many faulty requests are sent a second: one for four healthy ones, or as many as it takes for the upstream
// to hold SlowCalls of them at once. Each is held until the gateway's time limit, or, where there is none, until the end; and
// they must all be held for a third of the outage, or there would be too few healthy requests that could wait for them.
func (e Experiment) faultyRate(connections int) float64 {
	usual := e.Rate / healthyPerFaulty
	if e.SlowCalls == 0 || !e.hangs() {
		return usual
	}
	held := e.Outage * 2 / 3
	if e.TimeLimit > 0 {
		held = min(held, e.TimeLimit)
	}
	most := float64(connections-spareConnections) / e.Outage.Seconds()
	return max(usual, min(float64(e.SlowCalls)/held.Seconds(), most))
}

// disconnectPhase sends requests whose clients disconnect: the timeout of the phase ends before anything else does.
func (e Experiment) disconnectPhase() load.Phase {
	n := disconnectsPerKind * len(e.Disconnecting)
	p := e.phase("disconnects", e.Rate, time.Duration(float64(n)/e.Rate*float64(time.Second)), e.Disconnecting)
	p.Timeout = disconnectAfter
	if third := e.TimeLimit / 3; third > 0 {
		p.Timeout = min(disconnectAfter, third)
	}
	return p
}
