package runner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// SlowOutage returns the experiment in which the upstream hangs, or falls silent in the middle of a response or a stream, on a surface and its
// streaming twin. Every faulty request must receive the error of code:channel:response_time_exceeded.
//
// SlowOutage returns [profile.ErrNotOffered] if the profile lacks the surface, or a way to make the upstream slow.
func SlowOutage(p targets.Prepared, surface dialect.Surface) (outage.Experiment, error) {
	e, err := newOutage(p, surface, func(s dialect.Surface) []fault {
		hangs := contract.CaseOf(contract.SlowUpstream, s, contract.NoAnswer)
		stalls := contract.CaseOf(contract.SlowUpstream, s, contract.StalledAnswer)
		return []fault{{name: "hanging", sent: hangs, expect: hangs, hangs: true}, {name: "stalled", sent: stalls, expect: stalls}}
	})
	for _, f := range e.Faulty {
		r := f.Request
		r.Name, r.Expect = runlog.DisconnectingGroup+f.Name, contract.Case{}
		e.Disconnecting = append(e.Disconnecting, r)
	}
	return e, err
}

// FailingOutage returns the experiment in which the upstream responds with 500, resets the connection or cuts its stream off. Every faulty request
// must receive an error of http:5xx; other cases check whether the code of table 2 is right.
//
// FailingOutage returns [profile.ErrNotOffered] if the profile lacks the surface, or a way to make the upstream fail.
func FailingOutage(p targets.Prepared, surface dialect.Surface) (outage.Experiment, error) {
	return newOutage(p, surface, func(s dialect.Surface) []fault {
		fails := contract.CaseOf(contract.UpstreamError, s, contract.ErrorObject)
		resets := contract.CaseOf(contract.UnreachableUpstream, s, contract.ConnectionReset)
		faults := []fault{{name: "failing", sent: fails, expect: fails}, {name: "reset", sent: resets, expect: fails}}
		if s.Streaming() {
			cuts := contract.CaseOf(contract.TruncatedUpstreamResponse, s, contract.CutStream)
			expected := contract.CaseOf(contract.UpstreamError, s, contract.MidStream)
			faults = append(faults, fault{name: "cut-off", sent: cuts, expect: expected})
		}
		return faults
	})
}

// fault is a way for requests on one surface to fail at the upstream.
type fault struct {
	name string
	// sent is the case whose request is sent, expect the one by which the response is judged.
	sent, expect contract.Case
	hangs        bool
}

// newOutage is the experiment with the given faults on a surface and its streaming twin.
func newOutage(p targets.Prepared, surface dialect.Surface, faultsOn func(dialect.Surface) []fault) (outage.Experiment, error) {
	e := outageOn(p, surface)
	surfaces := []dialect.Surface{surface}
	if twin, ok := surface.Twin(); ok {
		surfaces = append(surfaces, twin)
	}
	var missing error
	for _, s := range surfaces {
		if !slices.Contains(p.Profile.Surfaces, s) {
			continue
		}
		suffix := ""
		if s.Streaming() {
			suffix = " stream"
		}
		healthy := HealthyRequest(p.Profile, s)
		healthy.Name = runlog.HealthyGroup + suffix
		e.Healthy = append(e.Healthy, healthy)
		if p.Upstream != nil {
			e.Held = append(e.Held, heldRequest(p.Profile, s, outage.Hold(e.TimeLimit), suffix))
		}
		for _, f := range faultsOn(s) {
			r, err := faultyRequest(p.Profile, f)
			if err != nil {
				missing = errors.Join(missing, err)
				continue
			}
			r.Name += suffix
			e.Faulty = append(e.Faulty, outage.Fault{Request: r, Hangs: f.hangs})
		}
	}
	switch {
	case !slices.Contains(p.Profile.Surfaces, surface):
		return e, fmt.Errorf("%w: the profile does not list the endpoint %s", profile.ErrNotOffered, surface)
	case len(e.Faulty) == 0:
		return e, missing
	}
	return e, nil
}

// outageOn is an experiment on a target, without healthy and faulty requests.
func outageOn(p targets.Prepared, surface dialect.Surface) outage.Experiment {
	limits := p.Profile.Limits
	e := outage.Experiment{
		TimeLimit: limits.Timeout, Attempts: limits.Attempts, RecoveryLimit: p.Profile.Settle.Recovery,
		Embedded: p.Profile.Driver == profile.ReferenceDriver,
		Rate:     p.Profile.Load.Rate, Outage: p.Profile.Load.Outage, SlowCalls: p.Profile.Load.SlowCalls,
	}
	if p.Upstream != nil {
		e.Upstream = p.Upstream
	}
	if limits.Patience > 0 {
		e.ClientTimeout = max(limits.Patience, 3*e.TimeLimit)
	}
	if direct, ok := DirectRequest(p.Profile, surface); ok {
		direct.Name = runlog.DirectGroup
		e.Direct = &direct
	}
	return e
}

// heldRequest is the healthy request that the upstream answers after a time.
func heldRequest(p profile.Profile, s dialect.Surface, hold time.Duration, suffix string) load.Request {
	call := targets.PromptCall(p, s, load.TokenPlaceholder, "delay="+hold.String(), "", "")
	call.Model = p.Models.Routed(s)
	return load.Request{Name: runlog.HeldGroup + suffix, Call: call}
}

// faultyRequest is the request of a fault. A recipe that runs actions is refused: they would affect the healthy requests too.
func faultyRequest(p profile.Profile, f fault) (load.Request, error) {
	r, err := targets.RequestFor(p, f.sent, load.TokenPlaceholder)
	if err != nil {
		return load.Request{}, err
	}
	if r.Exclusive() {
		return load.Request{}, fmt.Errorf("%w: the actions of the recipe for %s would also affect the healthy requests that gatecert sends at the same time", profile.ErrNotOffered, f.sent.ID())
	}
	return load.Request{Name: f.name, Call: r.Call, Expect: f.expect}, nil
}
