// Package selftest tests the harness: it certifies gateways that are known to violate the contract (package mutants), and others that are known to
// conform to it, and compares the findings with the expected ones.
package selftest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports"
)

// Config selects the gateways to test. The zero value selects all gateways except those whose fault only load cases show.
type Config struct {
	// Mutants and Permitted are names. If both are empty, all permitted behaviours and the mutants that Load selects are tested.
	Mutants, Permitted []string
	// All runs every case against every mutant. If All is false, each mutant is run against the cases that its expectations
	// name and a twentieth of the others, which differ from mutant to mutant; a permitted behaviour is run against three
	// quarters of all cases. A gateway that is selected by name is always run against all cases.
	All bool
	// Load selects the mutants whose fault only many calls show, and runs load cases on permitted behaviours.
	Load bool
	// Parallel is how many gateways are tested at once. Default 8, because more than a third of a run is waiting.
	Parallel int
	// Progress, when not nil, is called after each gateway, by one goroutine at a time.
	Progress func(Progress)
}

// Progress states how far a self-test has come.
type Progress struct {
	Done, Total int
	// Last is the gateway that was tested last.
	Last reports.GatewayResult
}

const defaultParallel = 8

// Run runs the contract against the reference gateway with each mutant and each permitted behaviour, each in a separate gateway. The result states
// whether each mutant was detected in exactly the cases that it expects, with the requirements that it violates, and whether any permitted behaviour
// raised a false alarm.
//
// A mistake of the harness is a result, not an error. Run returns [runner.ErrUsage] for a name that does not exist, the runner's errors when a
// gateway could not be tested, and ctx's cause when it was cancelled.
func Run(ctx context.Context, cfg Config) (reports.SelfTest, error) {
	gateways, err := choose(cfg)
	if err != nil {
		return reports.SelfTest{}, err
	}
	test := reports.SelfTest{
		Schema: reports.SelfTestSchema, Tool: version.Tool(), ContractDigest: contract.Digest(), Started: time.Now(),
		Partial: len(cfg.Mutants)+len(cfg.Permitted) > 0,
	}
	if test.Gateways, err = testParallel(ctx, cfg, gateways); err != nil {
		return reports.SelfTest{}, err
	}
	if err := testAlone(ctx, gateways, test.Gateways); err != nil {
		return reports.SelfTest{}, err
	}
	test.Took = time.Since(test.Started)
	if !test.Partial {
		addCoverage(&test, cfg.Load)
	}
	return test, nil
}

// testParallel tests several gateways at once. The results have the order of the gateways.
func testParallel(ctx context.Context, cfg Config, gateways []gateway) ([]reports.GatewayResult, error) {
	var (
		results = make([]reports.GatewayResult, len(gateways))
		mu      sync.Mutex
		done    int
	)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(max(cfg.Parallel, 0), defaultParallel))
	for i, g := range gateways {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			result, err := g.test(ctx)
			if err != nil {
				return fmt.Errorf("test %s: %w", g.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			results[i] = result
			done++
			if cfg.Progress != nil {
				cfg.Progress(Progress{Done: done, Total: len(gateways), Last: result})
			}
			return nil
		})
	}
	return results, group.Wait()
}

// maxAlone bounds the gateways that are tested again. Where more go wrong, the machine is not the reason.
const maxAlone = 6

// testAlone tests the gateways with mistakes again, one at a time: gateways that are tested at once slow each other down,
// and several mutants and requirements are about time.
func testAlone(ctx context.Context, gateways []gateway, results []reports.GatewayResult) error {
	var wrong []int
	for i, r := range results {
		if !r.OK() {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) > maxAlone {
		return nil
	}
	for _, i := range wrong {
		again, err := gateways[i].test(ctx)
		if err != nil {
			return fmt.Errorf("test %s alone: %w", gateways[i].name, err)
		}
		again.ParallelMistakes = results[i].Mistakes
		results[i] = again
	}
	return nil
}
