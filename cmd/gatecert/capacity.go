package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

type capacityCommand struct {
	loadFlags
	SLO       string        `name:"slo" help:"SLO as a comma-separated list of conditions, all of which must be met: 'ttft.p99<300ms,itl.p99<60ms,errors<0.1%'. --slo replaces --latency, --quantile, --errors, --ttft and --goodput. Metrics: latency, service, ttfb, ttft, itl, tpot, stall, token-rate (each with .p99, .mean or .max), errors, goodput, tokens/s." placeholder:"CONDITIONS"`
	Latency   time.Duration `help:"SLO: maximum latency of successful requests at the quantile that --quantile sets. Default: ${default}." default:"1s"`
	Quantile  float64       `help:"SLO: the quantile that --latency and --ttft apply to. Default: ${default}." default:"0.99"`
	Errors    float64       `help:"SLO: maximum error rate, including refusals. Default: ${default}." default:"0.001"`
	TTFT      time.Duration `name:"ttft" help:"SLO: maximum time to first token of streams at the quantile that --quantile sets. Default: not checked." placeholder:"DURATION"`
	Goodput   float64       `help:"SLO: minimum share of requests that succeed within --latency and, if set, --ttft. Default: not checked." placeholder:"SHARE"`
	AtLeast   requestRate   `help:"CI gate: exit with code 1 if the capacity is definitely below RATE, or with code 5 if the measurement is inconclusive, for example because RATE lies between the measured bounds." placeholder:"RATE"`
	From      float64       `help:"Lowest rate to probe, in requests/s. Default: ${default}." default:"10" placeholder:"RATE"`
	To        float64       `help:"Highest rate to probe, in requests/s. Default: 200, or 20,000 for a gateway on this machine." placeholder:"RATE"`
	Short     time.Duration `help:"Duration of the shortest probes. Default: ${default}." default:"1s"`
	Full      time.Duration `help:"Duration of each full-length probe (these probes determine the result) and of each --concurrency level. Default: ${default}." default:"5s"`
	Precision float64       `help:"Stop searching when the upper and lower bounds differ by less than this fraction (0.1 = 10 %). Default: ${default}." default:"0.1"`
	Repeats   int           `help:"Number of consecutive probes that must give the same result at each bound. Use --repeats 5 for a gateway whose throughput varies. Default: ${default}." default:"2"`
	Ramp      time.Duration `help:"Instead of searching, increase the rate steadily from --from to --to over this time, and stop when the gateway misses the SLO." placeholder:"DURATION"`
	Levels    []int         `name:"concurrency" help:"Instead of searching, run a closed loop with each of these numbers of concurrent callers in turn, such as 1,2,4,8,16." placeholder:"N,…"`
	Rounds    int           `help:"Number of rounds (at least 5) in which calls through the gateway are compared with direct calls to the mock upstream. Use --rounds 0 to skip the comparison. Default: ${default}." default:"10"`
}

// Help implements kong's HelpProvider.
func (capacityCommand) Help() string {
	return `Capacity is the highest request rate that the gateway can sustain within the SLO. The gateway sustains a rate if requests
complete as fast as they arrive and latency does not grow. The search sends load in probes, each at a constant rate: short probes at first,
and full-length probes at the end. The result is a lower and an upper bound on the capacity, valid only for the arrival pattern that was used
(--arrivals). Every response is checked against the contract. If the gateway calls the mock upstream, the command then measures the
gateway's overhead by sending the same calls to the mock upstream directly and through the gateway.

Examples:
  gatecert load capacity                                               test the built-in reference gateway
  gatecert load capacity https://gateway.example --model gpt-4o-mini   send at most 200 requests/s; a higher rate requires --yes
  gatecert load capacity --target my-gateway.yaml --arrivals poisson --latency 500ms
  gatecert load capacity --target my-gateway.yaml --concurrency 1,2,4,8,16,32
  gatecert load capacity --target my-gateway.yaml --latency 500ms --surface chat-stream --ttft 200ms
  gatecert load capacity --target my-gateway.yaml --surface images --from 0.2 --to 5 --latency 40s --full 1m    test image generation with a real upstream`
}

// The default upper limits for the probed rates, in requests/s.
const (
	maxRemoteRate = 200
	maxLocalRate  = 20_000
)

func (cmd capacityCommand) Run(ctx context.Context, c *console) (err error) {
	if err := cmd.check(); err != nil {
		return err
	}
	slo, err := cmd.slo()
	if err != nil {
		return err
	}
	s, err := cmd.open(ctx, c)
	if err != nil {
		return loadError(err)
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	progress := &loadProgress{c: c}
	workers := fleetFor(c, cmd.fleetFlags, s)
	defer func() { err = errors.Join(err, workers.close(ctx)) }()
	switch {
	case cmd.Ramp != 0:
		return cmd.ramp(ctx, c, s, slo, progress)
	case len(cmd.Levels) > 0:
		return cmd.sweep(ctx, c, s, slo, progress)
	}
	_, s.measuresUpstream = s.upstream()
	s.measuresUpstream = s.measuresUpstream && cmd.Rounds > 0
	asked, err := agree(ctx, c, func() (capacityParts, load.Plan, error) { return cmd.parts(s, slo, progress) }, s)
	if err != nil {
		return err
	}
	search, comparison, results := asked.search, asked.comparison, cmd.results()
	search.Phase.Record = results.record()
	run, err := s.begin(c, runlog.CapacityKind, &slo, cmd.facts()...)
	if err != nil {
		return err
	}
	search.Observe = func(p load.Probe) {
		progress.printf("%s", probeLine(p))
		run.point(p.Logged(runlog.SearchPart))
		if p.Met() && p.Duration == cmd.Full {
			results.keep(fmt.Sprint(p.Rate))
		}
	}
	found, stopped := s.engine.Capacity(ctx, search)
	progress.close()
	footer := cmd.footer(run, found, stopped)
	footer.Notes = append(footer.Notes, workers.notes()...)
	printCapacity(c, found)
	printGates(c, footer.Gates)
	printWorkers(c, found.AtLower)
	// Everything that was found is printed and on disk before anything else can fail.
	err = errors.Join(loadError(stopped), printStreaming(c, found.AtLower), run.end(footer), results.finish(fmt.Sprint(found.Lower), found.AtLower))
	if err == nil && comparison != nil {
		err = cmd.compare(ctx, c, s, run, *comparison, footer)
	}
	fmt.Fprintf(c.out, "reports: %s\n", run.shown())
	if err != nil {
		return err
	}
	return errors.Join(gateOutcome(footer.Gates), loadOutcome(found.Verdict()))
}

// excluded says which flags exclude each other, "" for none.
func (cmd capacityCommand) excluded() string {
	switch {
	case cmd.Rounds < 0 || cmd.Rounds > 0 && cmd.Rounds < 5:
		return fmt.Sprintf("--rounds %d: must be 0 (no comparison) or at least 5", cmd.Rounds)
	case cmd.Ramp != 0 && len(cmd.Levels) > 0:
		return "--ramp and --concurrency cannot be combined: use only one of them"
	case cmd.Ramp != 0 && cmd.asked():
		return "--ramp and --workers cannot be combined, because only a single process can detect immediately that the gateway misses the SLO: omit --ramp"
	default:
		return ""
	}
}

// check returns a usage error for a flag that is out of range, before a target is prepared. Its conditions are written so that NaN fails.
func (cmd capacityCommand) check() error {
	if problem := cmd.excluded(); problem != "" {
		return fmt.Errorf("%w: %s", errUsage, problem)
	}
	searches := cmd.Ramp == 0 && len(cmd.Levels) == 0
	var problem string
	switch {
	case !(cmd.From > 0):
		problem = fmt.Sprintf("--from %g: must be greater than 0", cmd.From)
	case cmd.To != 0 && !(cmd.To >= cmd.From):
		problem = fmt.Sprintf("--from %g, --to %g: --to must be at least --from", cmd.From, cmd.To)
	case searches && (cmd.Short <= 0 || cmd.Full < cmd.Short):
		problem = fmt.Sprintf("--short %s, --full %s: --short must be greater than 0s, and --full must be at least --short", plain.Duration(cmd.Short), plain.Duration(cmd.Full))
	case !(cmd.Precision >= 0.01) || cmd.Precision > 1:
		problem = fmt.Sprintf("--precision %g: must be between 0.01 and 1", cmd.Precision)
	case cmd.Repeats < 1 || cmd.Repeats > 100:
		problem = fmt.Sprintf("--repeats %d: must be between 1 and 100", cmd.Repeats)
	case !(cmd.Quantile > 0) || cmd.Quantile >= 1:
		problem = fmt.Sprintf("--quantile %g: must be greater than 0 and less than 1, such as 0.99", cmd.Quantile)
	case cmd.Latency <= 0:
		problem = fmt.Sprintf("--latency %s: must be greater than 0s, such as 1s", plain.Duration(cmd.Latency))
	case cmd.Ramp < 0:
		problem = fmt.Sprintf("--ramp %s: must be greater than 0s, such as 1m", plain.Duration(cmd.Ramp))
	case !slices.IsSorted(cmd.Levels):
		problem = fmt.Sprintf("--concurrency %s: must be in ascending order, such as 1,2,4,8", strings.Trim(strings.ReplaceAll(fmt.Sprint(cmd.Levels), " ", ","), "[]"))
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", errUsage, problem)
}

// facts are what the flags say of the search.
func (cmd capacityCommand) facts() []runlog.MeasuredFact {
	return []runlog.MeasuredFact{
		{Name: "search", Text: fmt.Sprintf("each probe lasts %s to %s, the search stops when the bounds differ by less than %.3g %%, and each bound is confirmed by %s",
			plain.Duration(cmd.Short), plain.Duration(cmd.Full), 100*cmd.Precision, plain.Count(cmd.Repeats, "probe"))},
	}
}

// footer says what a search came to. The probes after it are marked as its curve.
func (cmd capacityCommand) footer(run *measuredRun, found load.Capacity, stopped error) runlog.MeasuredFooter {
	f := runlog.MeasuredFooter{
		Verdict: found.Verdict(), Interrupted: stopped != nil, Result: found.String(), Capacity: found.Found(),
		Violations: load.LoggedViolations(found.Violations), Notes: slices.Clone(found.Notes),
	}
	for _, p := range found.Curve {
		// They may be followed by others, which confirm the bounds again.
		logged := p.Logged(runlog.SearchPart)
		if i := slices.IndexFunc(run.log.Points, func(q runlog.Point) bool { return reflect.DeepEqual(q, logged) }); i >= 0 {
			run.log.Points[i].Part = runlog.CurvePart
		}
	}
	if cmd.AtLeast > 0 {
		f.Gates = append(f.Gates, cmd.gate(found))
	}
	found.AtLower.LogMain(&run.log, &f)
	return f
}

// gate says whether the capacity is at least what was asked for. Between the bounds nothing is decided.
func (cmd capacityCommand) gate(found load.Capacity) runlog.Gate {
	g := runlog.Gate{Text: fmt.Sprintf("at least %g/s", float64(cmd.AtLeast)), Result: contract.Untested, Why: found.String()}
	switch want := float64(cmd.AtLeast); {
	case found.Lower >= want:
		g.Result = contract.Held
	case found.Upper > 0 && found.Upper <= want && !found.GeneratorLimited && !found.Partial:
		g.Result = contract.Violated
	}
	return g
}

// requestRate is a rate on the command line: 200 or 200/s.
type requestRate float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *requestRate) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "/s"), 64)
	if err != nil || !(value > 0) || value > 1e9 {
		return fmt.Errorf("%.20q is not a rate: use a value such as 200/s", text)
	}
	*r = requestRate(value)
	return nil
}

// probeWindow is the length of a window of a probe: probes are short.
const probeWindow = 250 * time.Millisecond

// slo reads the SLO of the flags.
func (cmd capacityCommand) slo() (load.SLO, error) {
	if cmd.SLO == "" {
		errorRate := cmd.Errors
		if errorRate == 0 {
			errorRate = -1 // none at all; 0 would mean the default
		}
		return load.SLO{Quantile: cmd.Quantile, Latency: cmd.Latency, Errors: errorRate, TTFT: cmd.TTFT, Goodput: cmd.Goodput}, nil
	}
	if cmd.Latency != defaultLatency || cmd.Quantile != defaultQuantile || cmd.Errors != defaultErrors || cmd.TTFT != 0 || cmd.Goodput != 0 {
		return load.SLO{}, fmt.Errorf("%w: --slo replaces the other SLO flags: omit --latency, --quantile, --errors, --ttft and --goodput", errUsage)
	}
	slo, err := load.ParseSLO(cmd.SLO)
	if err != nil {
		return slo, fmt.Errorf("%w: --slo: %w", errUsage, err)
	}
	return slo, nil
}

// The defaults of the flags that --slo replaces.
const (
	defaultLatency  = time.Second
	defaultQuantile = 0.99
	defaultErrors   = 0.001
)

// compare prints the gateway's overhead. That it could not be measured does not change what was measured before.
func (cmd capacityCommand) compare(ctx context.Context, c *console, s *loadSession, run *measuredRun, comparison load.Comparison, footer runlog.MeasuredFooter) error {
	compared, err := s.engine.Compare(ctx, comparison)
	switch {
	case errors.Is(err, load.ErrInconclusive):
		fmt.Fprintf(c.out, "\nnote      %v\n", err)
		footer.Notes = append(footer.Notes, err.Error())
		return run.end(footer)
	case err != nil:
		return loadError(err)
	}
	footer.Compared = compared.Logged()
	return errors.Join(printCompared(c, compared), run.end(footer), writeCompared(c, cmd.Out, compared))
}

// highest is the highest rate that may be sent, in requests/s.
func (cmd capacityCommand) highest(s *loadSession) float64 {
	switch {
	case cmd.To != 0:
		return cmd.To
	case s.local():
		return max(maxLocalRate, cmd.From)
	default:
		return max(maxRemoteRate, cmd.From)
	}
}

// capacityParts are what load capacity measures. comparison is nil when none was asked for.
type capacityParts struct {
	search     load.Search
	comparison *load.Comparison
}

// parts returns what is measured, with what it sends.
func (cmd capacityCommand) parts(s *loadSession, slo load.SLO, progress *loadProgress) (capacityParts, load.Plan, error) {
	parts := capacityParts{cmd.search(s, slo, progress), cmd.comparison(s, progress)}
	plan, err := s.engine.PlanSearch(parts.search)
	if err != nil || parts.comparison == nil {
		return parts, plan, err
	}
	more, err := s.engine.PlanComparison(*parts.comparison)
	return parts, plan.Add(more), err
}

func (cmd capacityCommand) search(s *loadSession, slo load.SLO, progress *loadProgress) load.Search {
	phase := s.phase
	if progress.c.terminal { // elsewhere the line of each probe is enough
		phase.Progress = progress.show
	}
	phase.Window = probeWindow
	return load.Search{
		Phase: phase, From: cmd.From, To: cmd.highest(s), Short: cmd.Short, Full: cmd.Full, Precision: cmd.Precision, Repeats: cmd.Repeats,
		SLO: slo,
	}
}

// comparison returns nil when none was asked for, when there is no mock upstream to compare with, and when a gateway needs
// none for its answer.
func (cmd capacityCommand) comparison(s *loadSession, progress *loadProgress) *load.Comparison {
	upstream, ok := s.upstream()
	if !ok || cmd.Rounds == 0 {
		return nil
	}
	return &load.Comparison{
		Phase: s.phase, A: upstream, B: s.side("gateway"), Rounds: cmd.Rounds, Duration: min(time.Second, cmd.Full),
		Progress: func(done, of int) { progress.printf("comparison: round %d of %d", done, of) },
	}
}

func probeLine(p load.Probe) string {
	return fmt.Sprintf("%8.4g/s for %-6s p50 %-8s p99 %-8s %s",
		p.Rate, p.Duration.Round(100*time.Millisecond), plain.Time(p.P50), plain.Time(p.P99), metOrMissed(p.Misses, p.Inconclusive))
}

// metOrMissed says how an SLO was kept.
func metOrMissed(misses, inconclusive []string) string {
	switch {
	case len(inconclusive) > 0:
		return "inconclusive: " + strings.Join(inconclusive, "; ")
	case len(misses) > 0:
		return "SLO missed: " + strings.Join(misses, "; ")
	default:
		return "SLO met"
	}
}

func printCapacity(c *console, found load.Capacity) {
	fmt.Fprintf(c.out, "\ncapacity  %s\nSLO       %s\n", found, found.SLO)
	var qualifications []string
	if found.Unstable {
		qualifications = append(qualifications, "unstable")
	}
	if found.Partial {
		qualifications = append(qualifications, "search stopped early")
	}
	printVerdict(c, found.Verdict(), qualifications...)
	printViolations(c.out, found.Violations)
	for _, note := range found.Notes {
		fmt.Fprintf(c.out, "note      %s\n", note)
	}
	probes := found.Curve
	if len(probes) == 0 {
		probes = found.Probes
	}
	var chart quantilePlot
	for _, p := range probes {
		if len(p.Inconclusive) == 0 && p.Admitted > 0 {
			chart.add(p.Rate, p.P50, p.P99)
		}
	}
	chart.plot(c, "requests/s", "latency, ms")
}
