package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/tokencount"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/upstream"
)

// measureFlags say what the requests of a measurement are like, and what is asked of their responses.
type measureFlags struct {
	UpstreamProfile string `help:"Let the mock upstream play a model: ttft=lognormal:200ms,itl=20ms,tokens=256. Default: answer at once." placeholder:"MODEL"`
	Usage           bool   `help:"Ask chat streams for their usage (stream_options.include_usage), to count tokens by it. Default: yes, unless the gateway refuses that." default:"true" negatable:""`
}

func (f measureFlags) measured() (runner.Measured, error) {
	model, err := playedModel(f.UpstreamProfile)
	return runner.Measured{Model: model, Usage: f.Usage}, err
}

// onceFor is how long the schedule of one request is.
const onceFor = 10 * time.Millisecond

// tryOnce makes the very request of the measurement once, before any load: it may differ from the healthy call. Where the gateway
// refuses to be asked for the usage, that is left out.
func (s *loadSession) tryOnce(ctx context.Context, c *console) error {
	once := s.phase
	once.Name, once.Rate, once.For, once.Keep, once.Progress = "first request", 100, onceFor, 0, nil
	engine := load.NewEngine(s.options) // one of its own: the first request is not part of the plan
	defer engine.Close()
	m, err := engine.Run(ctx, once)
	if err != nil || m.Count(runlog.Admitted) == m.Sent {
		return err
	}
	if s.measured.Usage {
		s.measured.Usage = false
		s.phase.Mix = s.measured.Mix(s.prepared.Profile, s.surface)
		if err := s.tryOnce(ctx, c); err != nil {
			return err
		}
		fmt.Fprintln(c.err, "note: the gateway refuses stream_options.include_usage: the tokens of streams are counted by the tokenizer")
		return nil
	}
	return fmt.Errorf("%w: the healthy call succeeds, and the request of this measurement does not: %s", runner.ErrInconclusive, outcomesOf(m))
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

// printStreaming prints what was measured of the streams of a phase. Without streams and tokens it prints nothing.
func printStreaming(c *console, m load.Measurement) error {
	a := m.Of(load.AllRequests, runlog.Admitted)
	if a.OutputTokens > 0 {
		fmt.Fprintf(c.out, "tokens    %.6g/s in all, %d per answer (p50), counted by %s\n", m.TokensPerSecond(), a.Tokens.Quantile(0.5), sourcesOf(a))
	}
	if a.TTFT.Count() == 0 {
		return nil
	}
	var lines [][]string
	times := func(name string, h load.Histogram) {
		if h.Count() > 0 {
			lines = append(lines, []string{
				name, shortTime(h.Quantile(0.5)), shortTime(h.Quantile(0.95)), shortTime(h.Quantile(0.99)), shortTime(h.Max()),
			})
		}
	}
	times("TTFT", a.TTFT)
	times("ITL", a.ITL)
	times("TPOT", a.TPOT)
	times("stall", a.Stall)
	times("latency", a.Latency)
	if r := a.TokenRate; r.Count() > 0 {
		rate := func(q float64) string { return fmt.Sprintf("%.5g/s", float64(r.Quantile(q))/1000) }
		lines = append(lines, []string{"tokens/s", rate(0.5), rate(0.05), rate(0.01), ""})
	}
	if err := table(c.out, []string{"per stream", "p50", "p95", "p99", "max"}, lines); err != nil {
		return err
	}
	if a.TokenRate.Count() > 0 {
		fmt.Fprintln(c.out, "of the tokens/s of a stream, p95 and p99 are those that 95 % and 99 % of the streams exceed")
	}
	return nil
}

// sourcesOf says by what the tokens of answers are known, with the number of answers where there is more than one source.
func sourcesOf(a load.Metrics) string {
	names := map[load.TokenSource]string{
		load.TokensOfUsage: "the answers' usage", load.TokensOfTokenizer: "the tokenizer " + tokencount.Name, load.TokensOfEvents: "the events of streams",
	}
	var parts []string
	for _, source := range load.TokenSources() {
		if n := a.Counted[source]; n > 0 {
			part := names[source]
			if len(a.Counted) > 1 {
				part += fmt.Sprintf(" (%d)", n)
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " and ")
}

// checkModel returns a usage error for a model that nobody plays.
func checkModel(model upstream.Model, present bool) error {
	if !model.IsZero() && !present {
		return fmt.Errorf("%w: --upstream-profile needs the mock upstream behind the gateway (upstream: in the profile)", errUsage)
	}
	return nil
}
