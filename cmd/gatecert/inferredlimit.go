package main

import (
	"time"

	"github.com/gatecert/gatecert/load/limits"
)

// inferredLimit is an inferred limit as --json prints it. Times are in seconds.
type inferredLimit struct {
	// Kind is "" if it is unclear.
	Kind string `json:"kind"`
	// Unclear is the reason why Kind is unclear.
	Unclear string  `json:"unclear,omitempty"`
	Limit   int     `json:"limit,omitempty"`
	Window  float64 `json:"window,omitempty"`
	// Refill is in calls per second.
	Refill    float64            `json:"refill,omitempty"`
	Intervals *inferredIntervals `json:"intervals,omitempty"`
	// Scope states whether others share the limit. It is nil if this was not tested.
	Scope    *inferredScope `json:"scope,omitempty"`
	Evidence []string       `json:"evidence"`
	// Experiments are the experiments that were made, in order.
	Experiments []inferringExperiment `json:"experiments"`
}

// inferredScope says whether the two addresses, and the two keys, that calls were made with share the limit: "shared", "apart" or "unclear".
type inferredScope struct {
	Addresses limits.Sharing `json:"addresses"`
	Keys      limits.Sharing `json:"keys"`
}

// inferredIntervals are what the answers do not exclude. A parameter that the kind does not have is null.
type inferredIntervals struct {
	Limit  limits.Interval[int]      `json:"limit"`
	Window *limits.Interval[float64] `json:"window"`
	Refill *limits.Interval[float64] `json:"refill"`
}

type inferringExperiment struct {
	Name     string  `json:"name"`
	Sentence string  `json:"sentence"`
	Calls    int     `json:"calls"`
	Took     float64 `json:"took"`
}

// newInferredLimit returns a limit with the error of its inference.
func newInferredLimit(m limits.LimiterModel, scope limits.Scope, experiments []limits.Experiment, err error) inferredLimit {
	l := inferredLimit{Kind: string(m.Kind), Limit: m.Limit, Window: m.Window.Seconds(), Refill: m.Refill, Evidence: append([]string{}, m.Evidence...)}
	if err != nil {
		l.Kind, l.Unclear = "", err.Error()
	}
	if v := m.Intervals; v != (limits.Intervals{}) {
		l.Intervals = &inferredIntervals{Limit: v.Limit}
		if v.Window.To > 0 {
			l.Intervals.Window = &limits.Interval[float64]{From: v.Window.From.Seconds(), To: v.Window.To.Seconds()}
		}
		if v.Refill.To > 0 {
			l.Intervals.Refill = &v.Refill
		}
	}
	if scope != (limits.Scope{}) {
		l.Scope = &inferredScope{scope.Sources, scope.Keys}
	}
	l.Experiments = make([]inferringExperiment, 0, len(experiments))
	for _, e := range experiments {
		l.Experiments = append(l.Experiments, inferringExperiment{e.Name, e.Sentence, e.Calls, e.Took.Round(time.Millisecond).Seconds()})
	}
	return l
}
