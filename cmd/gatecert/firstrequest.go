package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// agree returns what a command measures once the plan is printed, its consent is given, and every target has answered its first
// request. build makes it from the sessions' phases. It is called twice: for the plan, and after the first requests, which may change
// what is asked.
//
// It returns [errNotSent] when the plan exceeds the caps, and [runner.ErrInconclusive] when a target fails the first request.
func agree[T any](ctx context.Context, c *console, build func() (T, load.Plan, error), sessions ...*loadSession) (T, error) {
	measured, plan, err := build()
	if err != nil {
		return measured, loadError(err)
	}
	fmt.Fprintf(c.err, "plan: %s\n", plan)
	for _, s := range sessions {
		if err := s.announce(c, plan); err != nil {
			return measured, err
		}
	}
	if workers := sessions[0].fleet; workers != nil {
		fmt.Fprintln(c.err, "plan: if a worker is lost, the remaining workers repeat the current phase of the load, at most twice")
		if err := workers.join(ctx); err != nil {
			return measured, err
		}
	}
	for _, s := range sessions {
		for _, surface := range s.surfaces() {
			if err := runner.CheckHealth(ctx, s.prepared, surface); err != nil {
				return measured, err
			}
		}
	}
	if err := tryAll(ctx, c, sessions); err != nil {
		return measured, err
	}
	measured, _, err = build()
	return measured, loadError(err)
}

// tryAll makes the very requests of the measurement once, before any load: they may differ from the healthy call. The same is asked of
// all targets: where one refuses to be asked for the usage, that is left out for all.
func tryAll(ctx context.Context, c *console, sessions []*loadSession) error {
	for i, s := range sessions {
		who, m, err := s.tryOnce(ctx)
		if len(sessions) > 1 {
			who += " (" + string("AB"[i]) + ")"
		}
		switch {
		case err != nil:
			return err
		case m.Count(runlog.Admitted) == m.Sent:
			continue
		case !s.asksForUsage():
			return fmt.Errorf("%w: the control call succeeded, but the first request of this measurement to the %s failed: %s", runner.ErrInconclusive, who, outcomesOf(m))
		}
		for _, other := range sessions {
			if err := other.leaveOutUsage(); err != nil {
				return err
			}
		}
		if err := tryAll(ctx, c, sessions); err != nil {
			return err
		}
		fmt.Fprintf(c.err, "note: the %s rejects stream_options.include_usage, so gatecert counts stream tokens with its own tokenizer\n", who)
		return nil
	}
	return nil
}

// onceFor is how long the schedule of one request is.
const onceFor = 10 * time.Millisecond

// tryOnce makes the requests of a session once, and those that go straight to its mock upstream where it is measured too. It returns the
// first measurement that has failures, with the name of who failed.
func (s *loadSession) tryOnce(ctx context.Context) (who string, m load.Measurement, err error) {
	sides := []load.Side{s.side("gateway")}
	if upstream, ok := s.upstream(); ok && s.measuresUpstream {
		sides = append(sides, upstream)
	}
	engine := load.NewEngine(s.options) // one of its own: the first request is not part of the plan
	defer engine.Close()
	for _, side := range sides {
		once := s.phase
		once.Name, once.Rate, once.For, once.Keep, once.Progress = "first request", 100, time.Duration(len(side.Mix))*onceFor, 0, nil
		once.Arrivals, once.Mix = load.Arrivals{}, slices.Clone(side.Mix)
		for i := range once.Mix {
			once.Mix[i].Weight = 1 // one of each
		}
		if m, err = engine.Run(ctx, once); err != nil || m.Count(runlog.Admitted) < m.Sent {
			return side.Name, m, err
		}
	}
	return "gateway", m, nil
}

// asksForUsage reports whether a request asks for the usage of its stream.
func (s *loadSession) asksForUsage() bool {
	return s.measured.Usage && slices.Contains(s.surfaces(), dialect.ChatStream)
}

// leaveOutUsage makes the requests anew, without asking for the usage.
func (s *loadSession) leaveOutUsage() (err error) {
	s.measured.Usage = false
	s.phase.Mix, err = s.measured.Mix(s.prepared.Profile, s.mix)
	return err
}

// outcomesOf lists the outcomes of a measurement with what they violate.
func outcomesOf(m load.Measurement) string {
	var parts []string
	for _, o := range runlog.Outcomes() {
		if n := m.Count(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	for _, v := range m.Violations {
		parts = append(parts, v.Finding.String())
	}
	return strings.Join(parts, ", ")
}
