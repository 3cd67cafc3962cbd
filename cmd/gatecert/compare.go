package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

type compareCommand struct {
	loadFlags
	Other      string        `arg:"" optional:"" help:"The second target, B: a URL or a profile. If B is omitted, the command compares the first target (as B) with its mock upstream (as A)." name:"b"`
	OtherKey   string        `name:"b-key" help:"Key for B, if B is a URL. Default: --key." env:"GATEWAY_KEY_B"`
	OtherModel []string      `name:"b-model" help:"Model for B, if B is a URL. Default: --model." placeholder:"NAME" sep:"none"`
	Rate       float64       `help:"Requests per second to each target. Default: ${default}." default:"50"`
	Rounds     int           `help:"Number of rounds, at least 5. Default: ${default}." default:"20"`
	Duration   time.Duration `help:"Duration of the load on each target in a round. Default: ${default}." default:"1s"`
	MaxAdded   string        `help:"CI gate: limits on what B may add to each metric, such as p99=5ms,mean=1ms,ttft.p50=10ms,errors=0.1%. Exit with code 1 if B exceeds a limit, or with code 5 if more rounds are needed to decide." placeholder:"LIMITS"`
}

// Help implements kong's HelpProvider.
func (compareCommand) Help() string {
	return `gatecert load compare sends the same load to two targets, A and B, alternately, in paired rounds, so that a disturbance on this machine
affects both targets equally. For each metric, the report shows the values of both targets, the difference between them (B minus A, with
its 95 % confidence interval), and the smallest difference that this number of rounds can detect.

Examples:
  gatecert load compare                                                          the reference gateway against its mock upstream
  gatecert load compare my-gateway.yaml                                          a gateway against its mock upstream
  gatecert load compare https://old.example https://new.example --model gpt-4o-mini --max-added p99=5ms
  gatecert load compare old.yaml new.yaml --surface chat-stream --rounds 60 --out compared`
}

func (cmd compareCommand) Run(ctx context.Context, c *console) (err error) {
	var bounds []load.AddedBound
	if cmd.MaxAdded != "" {
		if bounds, err = load.ParseAdded(cmd.MaxAdded); err != nil {
			return fmt.Errorf("%w: --max-added: %w", errUsage, err)
		}
	}
	if cmd.Rounds < 5 || cmd.Rounds > 1000 {
		return fmt.Errorf("%w: --rounds %d: must be between 5 and 1000", errUsage, cmd.Rounds)
	}
	if !(cmd.Rate > 0) || cmd.Duration <= 0 { // !(>) catches NaN too
		return fmt.Errorf("%w: --rate %g, --duration %s: both must be greater than 0", errUsage, cmd.Rate, plain.Duration(cmd.Duration))
	}
	cmd.loadFlags = cmd.of(cmd.URL)
	first, err := cmd.open(ctx, c)
	if err != nil {
		return loadError(err)
	}
	defer func() { err = errors.Join(err, first.close(ctx)) }()
	sessions := []*loadSession{first}
	first.measuresUpstream = cmd.Other == ""
	if cmd.Other != "" {
		second, failed := cmd.other().open(ctx, c)
		if failed != nil {
			return loadError(failed)
		}
		defer func() { err = errors.Join(err, second.close(ctx)) }()
		sessions = append(sessions, second)
	}
	workers := fleetFor(c, cmd.fleetFlags, sessions...)
	defer func() { err = errors.Join(err, workers.close(ctx)) }()
	comparison, err := agree(ctx, c, func() (load.Comparison, load.Plan, error) { return cmd.comparison(sessions) }, sessions...)
	if err != nil {
		return err
	}
	run, err := first.begin(c, runlog.CompareKind, nil, runlog.MeasuredFact{
		Name: "rounds", Text: fmt.Sprintf("%d; in each round, each target receives load for %s at %g requests/s", cmd.Rounds, plain.Duration(cmd.Duration), cmd.Rate),
	})
	if err != nil {
		return err
	}
	progress := &loadProgress{c: c}
	comparison.Progress = func(done, of int) { progress.printf("round %d of %d", done, of) }
	compared, stopped := first.engine.Compare(ctx, comparison)
	progress.close()
	footer := comparedFooter(compared, bounds, stopped)
	footer.Notes = append(footer.Notes, workers.notes()...)
	if len(compared.Differences) > 0 {
		err = errors.Join(printCompared(c, compared), writeCompared(c, cmd.Out, compared))
	}
	err = errors.Join(loadError(stopped), err, run.end(footer))
	fmt.Fprintf(c.out, "reports: %s\n", run.shown())
	if err != nil {
		return err
	}
	return checkAdded(c, compared, bounds)
}

// comparedFooter says what a comparison came to.
func comparedFooter(compared load.Compared, bounds []load.AddedBound, stopped error) runlog.MeasuredFooter {
	found := 0
	for _, d := range compared.Differences {
		if d.Found() {
			found++
		}
	}
	f := runlog.MeasuredFooter{
		Verdict: compared.Verdict(), Interrupted: stopped != nil && !errors.Is(stopped, load.ErrInconclusive), Compared: compared.Logged(),
		Violations: load.LoggedViolations(compared.Violations),
		Result: fmt.Sprintf("%s and %s differ in %d of %s at %g requests/s", compared.A, compared.B, found,
			plain.Count(len(compared.Differences), "metric"), compared.Rate),
	}
	if stopped != nil {
		f.Notes = append(f.Notes, stopped.Error())
	}
	for _, b := range bounds {
		g := runlog.Gate{Text: fmt.Sprintf("B adds at most %s to %s", shownValue(b.Most, b.Metric == "errors"), b.Metric)}
		switch compared.Check(b) {
		case load.Kept:
			g.Result, g.Why = contract.Held, "the entire 95 % confidence interval of the difference is within this limit"
		case load.Exceeded:
			g.Result, g.Why = contract.Violated, "the entire 95 % confidence interval of the difference is above this limit"
		case load.Undecided:
			g.Result, g.Why = contract.Untested, moreRounds
		}
		f.Gates = append(f.Gates, g)
	}
	return f
}

// of returns the flags for a target that is given as a URL or as a profile.
func (f loadFlags) of(target string) loadFlags {
	f.URL = target
	if strings.HasSuffix(target, ".yaml") || strings.HasSuffix(target, ".yml") {
		f.URL, f.Target = "", target
	}
	return f
}

// other returns the flags of the second target.
func (cmd compareCommand) other() loadFlags {
	flags := cmd.of(cmd.Other)
	flags.Out = "" // the folder is the first one's
	if cmd.OtherKey != "" {
		flags.Key = cmd.OtherKey
	}
	if len(cmd.OtherModel) > 0 {
		flags.Model = cmd.OtherModel
	}
	if flags.URL == "" {
		flags.Key, flags.Model = "", nil
	}
	return flags
}

// comparison returns what is compared, with what it sends: the targets of two sessions, or a gateway and its mock upstream.
func (cmd compareCommand) comparison(sessions []*loadSession) (load.Comparison, load.Plan, error) {
	first := sessions[0]
	comparison := load.Comparison{Phase: first.phase, Rate: cmd.Rate, Rounds: cmd.Rounds, Duration: cmd.Duration}
	if len(sessions) > 1 {
		comparison.A, comparison.B = first.side("A"), sessions[1].side("B")
	} else {
		upstream, ok := first.upstream()
		if !ok {
			return comparison, load.Plan{}, fmt.Errorf("%w: this target has no mock upstream to compare with: specify a second target (a URL or a profile)", errUsage)
		}
		comparison.A, comparison.B = upstream, first.side("gateway")
	}
	plan, err := first.engine.PlanComparison(comparison)
	return comparison, plan, err
}

// side is the target of a session, as one side of a comparison.
func (s *loadSession) side(name string) load.Side {
	return load.Side{Name: name, Mix: s.phase.Mix, Engine: s.engine, Embedded: s.phase.Embedded}
}

// upstream is the mock upstream of a session, as one side of a comparison. ok is false where there is none, and where a
// gateway needs none for its answer.
func (s *loadSession) upstream() (side load.Side, ok bool) {
	side = s.side("upstream")
	side.Mix = slices.Clone(side.Mix)
	for i, request := range side.Mix {
		direct, ok := runner.Direct(s.prepared.Profile, request)
		if !ok || !request.Call.Surface.Relayed() {
			return side, false
		}
		side.Mix[i] = direct
	}
	return side, true
}

func printCompared(c *console, compared load.Compared) error {
	fmt.Fprintf(c.out, "\ncompare   %s (A) and %s (B), at %g requests/s with %s arrivals in %d interleaved rounds of %s\n",
		compared.A, compared.B, compared.Rate, compared.Arrivals, compared.Rounds, plain.Duration(compared.Duration))
	if compared.Discarded > 0 {
		fmt.Fprintf(c.out, "%s had to be repeated, because the load generator could not keep up or no request was admitted\n",
			plain.Count(compared.Discarded, "round"))
	}
	printVerdict(c, compared.Verdict())
	printViolations(c.out, compared.Violations)
	var lines [][]string
	for _, d := range compared.Differences {
		show := func(value float64) string { return shownValue(value, d.IsShare()) }
		found := "no difference"
		if d.Found() {
			found = "differs"
		}
		lines = append(lines, []string{
			d.Metric, show(d.A), show(d.B), show(d.Added.Value), show(d.Added.Low) + " … " + show(d.Added.High), show(d.Detectable), found,
		})
	}
	return table(c.out, []string{"metric", "A", "B", "B adds", "95 % interval", "detectable", ""}, lines)
}

// shownValue is a time in seconds, or a share.
func shownValue(value float64, share bool) string {
	if share {
		return fmt.Sprintf("%.3g %%", 100*value)
	}
	return plain.Time(time.Duration(value * float64(time.Second)))
}

// writeCompared writes compare.json into dir. With an empty dir it does nothing.
func writeCompared(c *console, dir string, compared load.Compared) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("create the folder for the comparison: %w", err)
	}
	path := filepath.Join(dir, "compare.json")
	if err := atomicfile.Write(path, 0o600, func(w io.Writer) error { return load.WriteComparedJSON(w, compared) }); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	fmt.Fprintf(c.out, "wrote %s\n", path)
	return nil
}

// moreRounds says why a limit of --max-added is undecided.
const moreRounds = "too few rounds to decide: increase --rounds"

// checkAdded prints what the rounds show about each bound, and returns the worst as an error.
func checkAdded(c *console, compared load.Compared, bounds []load.AddedBound) error {
	exceeded, undecided := 0, 0
	for _, b := range bounds {
		word := ""
		switch compared.Check(b) {
		case load.Kept:
			word = "met"
		case load.Exceeded:
			word = "EXCEEDED"
			exceeded++
		case load.Undecided:
			word = "undecided: " + moreRounds
			undecided++
		}
		fmt.Fprintf(c.out, "at most   %s=%s: %s\n", b.Metric, shownValue(b.Most, b.Metric == "errors"), word)
	}
	switch {
	case exceeded > 0:
		return shownError{exitNotConformant, plain.Count(exceeded, "--max-added limit") + " exceeded"}
	case undecided > 0:
		return shownError{exitHarness, plain.Count(undecided, "--max-added limit") + " undecided"}
	default:
		return loadOutcome(compared.Verdict())
	}
}
