package selftest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/reference"
)

// Config says what to try. The zero value tries everything.
type Config struct {
	// Deviations and Variations are names. None of both: all of both that show at rest, or under load.
	Deviations, Variations []string
	// UnderLoad tries those deviations that only many calls show, and the variations, under load.
	UnderLoad bool
	// Parallel is how many gateways are tried at once. Default 6: a quarter of a run is waiting.
	Parallel int
	// Progress, when not nil, is told of every trial that has ended, one call at a time.
	Progress func(Progress)
}

// Progress is how far a self-test has come.
type Progress struct {
	Done, Total int
	// Last is the trial that has just ended.
	Last reports.Trial
}

const defaultParallel = 6

// Run runs the whole contract against the reference gateway with each of its deviations, and with each of its
// permitted variations, every one a gateway of its own. It says whether each deviation was caught in exactly the cases
// that it breaks, for the reason for which it breaks them, and whether no variation raised an alarm.
//
// That the harness fails is no error: the result says so. It returns [ErrUsage] for a name that does not exist,
// [ErrHarness] when a gateway could not be tried, and ctx's cause when that was cancelled.
func Run(ctx context.Context, cfg Config) (reports.SelfTest, error) {
	trials, err := newTrials(cfg)
	if err != nil {
		return reports.SelfTest{}, err
	}
	test := reports.SelfTest{
		Schema: reports.SelfTestSchema, Tool: version.Tool, ContractDigest: contract.Digest(), Started: time.Now(),
		Trials: make([]reports.Trial, len(trials)), Partial: len(cfg.Deviations)+len(cfg.Variations) > 0,
	}
	var (
		mu   sync.Mutex
		done int
	)
	group, together := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(max(cfg.Parallel, 0), defaultParallel))
	for i, t := range trials {
		group.Go(func() error {
			if together.Err() != nil {
				return context.Cause(together)
			}
			tried, err := t.try(together)
			if err != nil {
				return fmt.Errorf("try %s: %w", t.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			test.Trials[i] = tried
			done++
			if cfg.Progress != nil {
				cfg.Progress(Progress{Done: done, Total: len(trials), Last: tried})
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return reports.SelfTest{}, err
	}
	if err := tryAlone(ctx, trials, test.Trials); err != nil {
		return reports.SelfTest{}, err
	}
	test.Took = time.Since(test.Started)
	if !test.Partial {
		rows, obligations := contract.Rows(), contract.Requirements()
		if cfg.UnderLoad {
			rows, obligations = loadedRows(), contract.LoadRequirements(contract.AnyLoad)
			test.UnderLoad = true
			for _, r := range rows {
				test.Rows = append(test.Rows, r.ID)
			}
		}
		test.Unturned, test.Unbroken = unproven(test.Trials, rows, obligations)
	}
	return test, nil
}

// mostAlone bounds the trials that are repeated. Where more come out wrong it is not the machine's fault.
const mostAlone = 6

// tryAlone repeats the trials that came out wrong, with nothing else beside them: gateways that are tried at once take each
// other's time, and several deviations and obligations are about time. What comes out right alone is told as such.
func tryAlone(ctx context.Context, trials []trial, tried []reports.Trial) error {
	var wrong []int
	for i, t := range tried {
		if !t.OK() {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) > mostAlone {
		return nil
	}
	for _, i := range wrong {
		again, err := trials[i].try(ctx)
		if err != nil {
			return fmt.Errorf("try %s alone: %w", trials[i].name, err)
		}
		again.Together = tried[i].Faults
		tried[i] = again
	}
	return nil
}

// newTrials chooses the trials, deviations before variations.
func newTrials(cfg Config) ([]trial, error) {
	var trials []trial
	all := len(cfg.Deviations)+len(cfg.Variations) == 0
	known := make(map[string]bool)
	for _, d := range reference.Deviations() {
		known["deviation "+d.Name] = true
		if all && d.UnderLoad == cfg.UnderLoad || slices.Contains(cfg.Deviations, d.Name) {
			t := trial{name: d.Name, sentence: d.Sentence, theme: d.Theme, turnOf: d.TurnOf, turns: d.Turns}
			if d.UnderLoad {
				t.level, t.cases = contract.Full, append(loads(), atRest(d)...)
			}
			trials = append(trials, t)
		}
	}
	for _, v := range reference.Variations() {
		known["variation "+v.Name] = true
		if all || slices.Contains(cfg.Variations, v.Name) {
			t := trial{name: v.Name, sentence: v.Sentence, turnOf: func(contract.Case) *reference.Turn { return nil }}
			if cfg.UnderLoad {
				t.level, t.cases = contract.Full, loads()
			}
			trials = append(trials, t)
		}
	}
	for kind, names := range map[string][]string{"deviation": cfg.Deviations, "variation": cfg.Variations} {
		for _, name := range names {
			if !known[kind+" "+name] {
				return nil, fmt.Errorf("%w: no %s %q: gatecert list %ss shows them all", runner.ErrUsage, kind, name, kind)
			}
		}
	}
	return trials, nil
}

// loads are the ids of the cases under load that the reference gateway plays: on one surface.
func loads() []string {
	var ids []string
	for _, c := range contract.Cases() {
		if c.IsLoad() && c.Surface == dialect.Chat {
			ids = append(ids, c.ID())
		}
	}
	return ids
}

// atRest are the ids of the cases at rest that are played with a deviation that shows under load: those of the limit, and
// what it turns besides. Others would bring its state about - five failures in two seconds, say - without any load.
func atRest(d reference.Deviation) []string {
	turned := d.Turned()
	var ids []string
	for _, c := range contract.Cases() {
		if !c.IsLoad() && (c.Row == "http:429" || slices.Contains(turned, c)) {
			ids = append(ids, c.ID())
		}
	}
	return ids
}

// loadedRows are the rows that have cases under load.
func loadedRows() []contract.Row {
	return slices.DeleteFunc(contract.Rows(), func(r contract.Row) bool {
		return !slices.ContainsFunc(contract.Cases(), func(c contract.Case) bool { return c.Row == r.ID && c.IsLoad() })
	})
}

// unproven lists those of the rows that no deviation made fail, and those of the obligations that none was found to break:
// what a harness has not been seen to notice proves nothing.
func unproven(trials []reports.Trial, rows []contract.Row, obligations []contract.Requirement) (unturned []contract.RowID, unbroken []contract.Requirement) {
	failed := make(map[contract.RowID]bool)
	broken := make(map[contract.Requirement]bool)
	for _, t := range trials {
		for _, c := range t.Turned {
			if !c.Verdict.Conformant() {
				failed[c.Row] = true
			}
			for _, o := range c.Broken {
				broken[o] = true
			}
		}
	}
	for _, r := range rows {
		if !failed[r.ID] {
			unturned = append(unturned, r.ID)
		}
	}
	for _, o := range obligations {
		if !broken[o] {
			unbroken = append(unbroken, o)
		}
	}
	return unturned, unbroken
}
