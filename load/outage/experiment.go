package outage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
)

// ErrExperiment is returned when an experiment makes no sense: nothing healthy or nothing sick in it, or no rate.
var ErrExperiment = errors.New("unusable experiment")

// Experiment is an outage to be played. [Slow] and [Failing] make them; what they leave 0 takes its default.
type Experiment struct {
	// Healthy are the calls that have to succeed all the time: the plain one and its streaming twin.
	Healthy []load.Request
	// Sick are the ways in which calls go wrong. Each has the same share.
	Sick []Way
	// Leaving are calls that wait for a provider that hangs; their callers give up. None: departures are not looked at.
	Leaving []load.Request
	// Witness is a call past the gateway, straight to the provider, that goes along with all others: when it takes long, this
	// machine is busy. nil: there is none.
	Witness *load.Request
	// Limit is how long the gateway waits for a provider, as its profile declares it; 0 when it does not.
	Limit time.Duration
	// Attempts is how often one call may be tried at the provider. 0 means [contract.DefaultAttempts].
	Attempts int
	// Settle is how long after an outage healthy calls may fail. Default 75 s, which covers the cool-downs that gateways
	// ship with (30 s and 60 s are common).
	Settle time.Duration
	// Patience is how long an answer is waited for. Default 45 s, and at least three times Limit.
	Patience time.Duration
	// Provider is nil when the provider behind the gateway is not ours to look into.
	Provider Provider
	// Rate is how many healthy calls are sent a second beside sick ones; alone they take the place of those, so that there
	// is as much to do as in the outage. Default 30: in three seconds enough for a 99th percentile that is not the maximum,
	// and little enough for a gateway on half a core.
	Rate float64
	// Before, Outage and After are the lengths of the phases. Default 1.5 s for Before and After, which is 56 calls, and for
	// Outage 3 s, and 3.5 s where something hangs: about 22 and 26 sick calls. What hangs needs some time to pile up.
	Before, Outage, After time.Duration
	// Embedded says that the gateway runs in this process.
	Embedded bool
	// Progress, when not nil, is told how far each stage has come.
	Progress func(load.Progress)
}

// Way is a way in which calls go wrong.
type Way struct {
	// Part is the call. Its Due is the case whose error every answer owes, its Weight is not looked at.
	load.Request
	// Hangs says that the provider sends no head at all, so that the gateway's limit alone ends the call.
	Hangs bool
}

// Provider is what can be known of the provider's side.
type Provider interface {
	// Seen waits until the attempts of a token have ended, or ctx is done, and says what they were.
	Seen(ctx context.Context, token string) (contract.Seen, error)
}

// counter is a [Provider] that also knows how many calls are under way at it, whatever their token.
type counter interface {
	UnderWay(ctx context.Context) (int, error)
}

const (
	defaultRate     = 30
	defaultCalm     = 1500 * time.Millisecond
	defaultOutage   = 3 * time.Second
	hangingOutage   = 3500 * time.Millisecond
	defaultSettle   = 75 * time.Second
	defaultPatience = 45 * time.Second
	// healthyToSick is how many healthy calls there are to each sick one. One in five is far more than a provider with a
	// bad day shows, and leaves most calls to be compared.
	healthyToSick = 4
	// healthyToWitness is how many healthy calls there are to each of the witness's.
	healthyToWitness = 10
	// spare is how many connections the healthy calls get besides those that the sick ones may all hold at once.
	spare = 32
	// departures is how many callers leave in each way.
	departures = 2
	// leaveAfter is when they do, or after a third of the declared limit where that is sooner.
	leaveAfter = 500 * time.Millisecond
	// askEvery is the part of the rate at which a gateway that is not well yet is asked, for askFor at a time.
	askEvery = 4
	askFor   = time.Second
)

func (e Experiment) withDefaults() (Experiment, error) {
	if e.hangs() {
		setDefault(&e.Outage, hangingOutage)
	}
	setDefault(&e.Outage, defaultOutage)
	setDefault(&e.Rate, defaultRate)
	setDefault(&e.Before, defaultCalm)
	setDefault(&e.After, defaultCalm)
	setDefault(&e.Settle, defaultSettle)
	setDefault(&e.Patience, max(defaultPatience, 3*e.Limit))
	setDefault(&e.Attempts, contract.DefaultAttempts)
	switch {
	case len(e.Healthy) == 0, len(e.Sick) == 0:
		return e, fmt.Errorf("%w: it needs healthy calls and sick ones, and has %d and %d parts", ErrExperiment, len(e.Healthy), len(e.Sick))
	case e.Rate < 0, e.Before < 0, e.Outage < 0, e.After < 0, e.Limit < 0, e.Settle < 0, e.Patience < 0, e.Attempts < 0:
		return e, fmt.Errorf("%w: negative bounds", ErrExperiment)
	}
	return e, nil
}

// hangs reports whether the gateway's limit has to end any of the calls.
func (e Experiment) hangs() bool {
	return slices.ContainsFunc(e.Sick, func(w Way) bool { return w.Hangs })
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Plan says what [Verify] will send at most: two rounds, and in each the gateway asked over and over before it is well, and
// until the time that it has to be well again is over. Most gateways need one round, and are well all the time.
//
// It returns [ErrExperiment] and [load.ErrInvalid].
func (e Experiment) Plan(engine *load.Engine) (load.Plan, error) {
	e, err := e.withDefaults()
	if err != nil {
		return load.Plan{}, err
	}
	stages := []load.Phase{e.outageStage(engine), e.afterStage()}
	for _, part := range slower() {
		slow := e
		slow.Rate /= part
		stages = append(stages, slow.beforeStage())
	}
	if len(e.Leaving) > 0 {
		stages = append(stages, e.leavingStage())
	}
	asking, err := engine.Plan(e.askingStage())
	if err != nil {
		return load.Plan{}, err
	}
	asking = asking.Repeat(int(math.Ceil(e.Settle.Seconds() / askFor.Seconds())))
	all, err := planAll(engine, stages)
	if err != nil {
		return load.Plan{}, err
	}
	return all.Add(asking).Repeat(rounds), nil
}

// Usual says what [Verify] sends to a gateway that is well all the time, and how long that takes: one round. It returns the
// errors of [Experiment.Plan].
func (e Experiment) Usual(engine *load.Engine) (load.Plan, error) {
	e, err := e.withDefaults()
	if err != nil {
		return load.Plan{}, err
	}
	stages := []load.Phase{e.beforeStage(), e.outageStage(engine), e.afterStage()}
	if len(e.Leaving) > 0 {
		stages = append(stages, e.leavingStage())
	}
	all, err := planAll(engine, stages)
	if err == nil && e.hangs() {
		all.Duration += e.Limit // the last hung call is waited for
	}
	return all, err
}

// planAll is the plan for one stage after the other.
func planAll(engine *load.Engine, stages []load.Phase) (all load.Plan, err error) {
	for _, s := range stages {
		plan, err := engine.Plan(s)
		if err != nil {
			return load.Plan{}, err
		}
		all = all.Add(plan)
	}
	return all, nil
}

// stage is what all stages have in common.
func (e Experiment) stage(name string, rate float64, lasts time.Duration, parts []load.Request) load.Phase {
	return load.Phase{
		Name: name, Mix: parts, Schedule: load.Constant{Rate: rate, For: lasts},
		Connections: spare, Timeout: e.Patience, Keep: int(math.Ceil(rate*lasts.Seconds())) + 1,
		// A tenth of a second late is nothing to allowances of a quarter and more, and what is added to them is our lag itself.
		Generator:   load.GeneratorLimits{Lag: 100 * time.Millisecond, LateShare: 0.05, Missed: 0.05},
		Embedded: e.Embedded, Progress: e.Progress,
	}
}

func (e Experiment) beforeStage() load.Phase {
	return e.alone("before", e.Rate+e.Rate/healthyToSick, e.Before)
}

func (e Experiment) afterStage() load.Phase {
	return e.alone("after", e.Rate+e.Rate/healthyToSick, e.After)
}

func (e Experiment) askingStage() load.Phase {
	return e.alone("well again?", max(e.Rate/askEvery, 2), askFor)
}

// alone makes a number of healthy calls a second, and the witness's beside them.
func (e Experiment) alone(name string, rate float64, lasts time.Duration) load.Phase {
	parts := make([]load.Request, 0, len(e.Healthy)+1)
	for _, p := range e.Healthy {
		p.Weight = healthyToWitness
		parts = append(parts, p)
	}
	all := len(e.Healthy) * healthyToWitness
	parts, witness := e.watched(parts, all)
	return e.stage(name, rate*float64(all+witness)/float64(all), lasts, parts)
}

// watched adds the witness to parts of which the healthy ones weigh so much together, and returns its weight.
func (e Experiment) watched(parts []load.Request, healthy int) ([]load.Request, int) {
	if e.Witness == nil {
		return parts, 0
	}
	w := *e.Witness
	w.Weight = max(healthy/healthyToWitness, 1)
	return append(parts, w), w.Weight
}

// outageStage mixes the sick calls in. All of them may be under way at once, so that there are fewer where the engine may not
// have as many connections: healthy calls must never wait for one of ours.
func (e Experiment) outageStage(engine *load.Engine) load.Phase {
	connections := engine.Caps().Connections
	if most := float64(connections/2) * healthyToSick / e.Rate; e.Outage.Seconds() > most {
		e.Outage = time.Duration(most * float64(time.Second))
	}
	var parts []load.Request
	for _, p := range e.Healthy {
		p.Weight = healthyToSick * len(e.Sick)
		parts = append(parts, p)
	}
	for _, w := range e.Sick {
		w.Weight = len(e.Healthy)
		parts = append(parts, w.Request)
	}
	sick := len(e.Healthy) * len(e.Sick)
	all := healthyToSick * sick
	parts, witness := e.watched(parts, all)
	s := e.stage("outage", e.Rate*float64(all+sick+witness)/float64(all), e.Outage, parts)
	s.Connections = min(connections, int(math.Ceil(e.Rate/healthyToSick*e.Outage.Seconds()))+spare)
	return s
}

// leavingStage sends calls whose callers hang up: the stage's patience ends before anything else does.
func (e Experiment) leavingStage() load.Phase {
	n := departures * len(e.Leaving)
	s := e.stage("leaving", e.Rate, time.Duration(float64(n)/e.Rate*float64(time.Second)), e.Leaving)
	s.Timeout = leaveAfter
	if third := e.Limit / 3; third > 0 {
		s.Timeout = min(leaveAfter, third)
	}
	return s
}
