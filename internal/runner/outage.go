package runner

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Slow is the experiment with a provider that hangs, or falls silent in the middle of an answer or a stream, on a surface
// and its streaming twin. Every sick answer owes the error of code:channel:response_time_exceeded.
//
// It returns [profile.ErrNotOffered] when the profile lacks the surface, or what makes a provider slow.
func Slow(p targets.Prepared, surface dialect.Surface) (outage.Experiment, error) {
	const row, circumstance = "code:channel:response_time_exceeded", "slow-upstream"
	e, err := outages(p, surface, func(s dialect.Surface) []trouble {
		hangs := contract.Case{Row: row, Circumstance: circumstance, Surface: s, Variant: "no-answer"}
		stalls := contract.Case{Row: row, Circumstance: circumstance, Surface: s, Variant: "stalled-answer"}
		return []trouble{{name: "hanging", by: hangs, due: hangs, hangs: true}, {name: "stalled", by: stalls, due: stalls}}
	})
	for _, w := range e.Sick {
		leaving := w.Request
		leaving.Name, leaving.Expect = "leaving "+w.Name, contract.Case{}
		e.Leaving = append(e.Leaving, leaving)
	}
	return e, err
}

// Failing is the experiment with a provider that answers 500, resets the connection, or breaks its stream off. Every sick
// answer owes an error of http:5xx: which code of table 2 is right is asked by other cases.
//
// It returns [profile.ErrNotOffered] when the profile lacks the surface, or what makes a provider fail.
func Failing(p targets.Prepared, surface dialect.Surface) (outage.Experiment, error) {
	return outages(p, surface, func(s dialect.Surface) []trouble {
		fails := contract.Case{Row: "http:5xx", Circumstance: "upstream-error", Surface: s, Variant: "error-object"}
		resets := contract.Case{Row: "code:do_request_failed", Circumstance: "unreachable-upstream", Surface: s, Variant: "reset"}
		all := []trouble{{name: "failing", by: fails, due: fails}, {name: "reset", by: resets, due: fails}}
		if s.Streaming() {
			breaks := contract.Case{Row: "code:read_response_body_failed", Circumstance: "truncated-upstream-response", Surface: s, Variant: "cut-stream"}
			due := fails
			due.Variant = "mid-stream"
			all = append(all, trouble{name: "broken off", by: breaks, due: due})
		}
		return all
	})
}

// trouble is a way for calls to go wrong on one surface.
type trouble struct {
	name string
	// by is the case whose call is made, due the one by which its answer is judged.
	by, due contract.Case
	hangs   bool
}

func outages(p targets.Prepared, surface dialect.Surface, troubles func(dialect.Surface) []trouble) (outage.Experiment, error) {
	by := p.Profile
	e := outage.Experiment{
		Limit: by.Limits.Timeout, Attempts: by.Limits.Attempts, Settle: by.Settle.Recovery,
		Embedded: by.Driver == profile.ReferenceDriver,
	}
	if p.Upstream != nil {
		e.Provider = p.Upstream
	}
	if by.Limits.Patience > 0 {
		e.Patience = max(by.Limits.Patience, 3*e.Limit)
	}
	if direct, ok := DirectRequest(by, surface); ok {
		direct.Name = "straight to the provider"
		e.Witness = &direct
	}
	var lacks error
	surfaces := []dialect.Surface{surface}
	if twin, ok := surface.Twin(); ok {
		surfaces = append(surfaces, twin)
	}
	for _, s := range surfaces {
		if !slices.Contains(by.Surfaces, s) {
			continue
		}
		suffix := ""
		if s.Streaming() {
			suffix = " stream"
		}
		healthy := HealthyRequest(by, s)
		healthy.Name = "healthy" + suffix
		e.Healthy = append(e.Healthy, healthy)
		for _, t := range troubles(s) {
			provoked, err := targets.RequestFor(by, t.by, load.TokenPlaceholder)
			if err == nil && provoked.Exclusive() {
				err = fmt.Errorf("%w: the recipe of %s changes what healthy calls meet", profile.ErrNotOffered, t.by.ID())
			}
			if err != nil {
				lacks = errors.Join(lacks, err)
				continue
			}
			e.Sick = append(e.Sick, outage.Way{Request: load.Request{Name: t.name + suffix, Call: provoked.Call, Expect: t.due}, Hangs: t.hangs})
		}
	}
	switch {
	case !slices.Contains(by.Surfaces, surface):
		return e, fmt.Errorf("%w: the profile does not list surface %s", profile.ErrNotOffered, surface)
	case len(e.Sick) == 0:
		return e, lacks
	}
	return e, nil
}
