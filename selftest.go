package gatecert

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/reference"
)

// SelfTestConfig says what to try. The zero value tries everything.
type SelfTestConfig struct {
	// Deviations and Variations are names. None of both: all of both.
	Deviations, Variations []string
	// Parallel is how many gateways are tried at once. Default 4: most of a run is waiting.
	Parallel int
	// Progress, when not nil, is told of every trial that has ended, one call at a time.
	Progress func(SelfTestProgress)
}

// SelfTestProgress is how far a self-test has come.
type SelfTestProgress struct {
	Done, Total int
	// Last is the trial that has just ended.
	Last reports.Trial
}

const defaultParallel = 4

// SelfTest runs the whole contract against the reference gateway with each of its deviations, and with each of its
// permitted variations, every one a gateway of its own. It says whether each deviation was caught in exactly the cases
// that it breaks, for the reason for which it breaks them, and whether no variation raised an alarm.
//
// That the harness fails is no error: the result says so. It returns [ErrUsage] for a name that does not exist,
// [ErrHarness] when a gateway could not be tried, and ctx's cause when that was cancelled.
func SelfTest(ctx context.Context, cfg SelfTestConfig) (reports.SelfTest, error) {
	trials, err := newTrials(cfg)
	if err != nil {
		return reports.SelfTest{}, err
	}
	test := reports.SelfTest{
		Schema: reports.SelfTestSchema, Tool: "gatecert " + Version, ContractDigest: contract.Digest(), Started: time.Now(),
		Trials: make([]reports.Trial, len(trials)), Partial: len(cfg.Deviations)+len(cfg.Variations) > 0,
	}
	var (
		mu   sync.Mutex
		done int
	)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(max(cfg.Parallel, 0), defaultParallel))
	for i, t := range trials {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			tried, err := t.try(ctx)
			if err != nil {
				return fmt.Errorf("try %s: %w", t.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			test.Trials[i] = tried
			done++
			if cfg.Progress != nil {
				cfg.Progress(SelfTestProgress{Done: done, Total: len(trials), Last: tried})
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return reports.SelfTest{}, err
	}
	test.Took = time.Since(test.Started)
	if !test.Partial {
		test.Unturned, test.Unbroken = unproven(test.Trials)
	}
	return test, nil
}

// newTrials chooses the trials, deviations before variations.
func newTrials(cfg SelfTestConfig) ([]trial, error) {
	var trials []trial
	all := len(cfg.Deviations)+len(cfg.Variations) == 0
	asked := func(names []string, name string) bool { return all || slices.Contains(names, name) }
	known := make(map[string]bool)
	for _, d := range reference.Deviations() {
		known["deviation "+d.Name] = true
		if asked(cfg.Deviations, d.Name) {
			trials = append(trials, trial{name: d.Name, sentence: d.Sentence, theme: d.Theme, turnOf: d.TurnOf, turns: d.Turns})
		}
	}
	for _, v := range reference.Variations() {
		known["variation "+v.Name] = true
		if asked(cfg.Variations, v.Name) {
			nothing := func(contract.Case) *reference.Turn { return nil }
			trials = append(trials, trial{name: v.Name, sentence: v.Sentence, turnOf: nothing})
		}
	}
	for kind, names := range map[string][]string{"deviation": cfg.Deviations, "variation": cfg.Variations} {
		for _, name := range names {
			if !known[kind+" "+name] {
				return nil, fmt.Errorf("%w: no %s %q: gatecert list %ss shows them all", ErrUsage, kind, name, kind)
			}
		}
	}
	return trials, nil
}

// unproven lists the rows that no deviation made fail, and the obligations that none was found to break: what a harness
// has not been seen to notice proves nothing.
func unproven(trials []reports.Trial) (rows []contract.RowID, obligations []contract.Obligation) {
	failed := make(map[contract.RowID]bool)
	broken := make(map[contract.Obligation]bool)
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
	for _, r := range contract.Rows() {
		if !failed[r.ID] {
			rows = append(rows, r.ID)
		}
	}
	for _, o := range contract.Obligations() {
		if !broken[o] {
			obligations = append(obligations, o)
		}
	}
	return rows, obligations
}
