package selftest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// gateway is one gateway to test, and what has to be found about it.
type gateway struct {
	name, sentence string
	// mutant is zero for a permitted behaviour: every case has to pass.
	mutant mutants.Mutant
	// cases are the ids of the cases to run; nil for all that are not load cases.
	cases []string
	level contract.Level
	// unaudited says that the log of its run is not audited.
	unaudited bool
}

// auditedShare is of how many permitted behaviours the log of one is audited, where all are tested: an audit makes every request
// anew, which took as long as half of the run.
const auditedShare = 4

// choose returns the gateways that a configuration selects, mutants first. It returns [runner.ErrUsage] for a name that does
// not exist.
func choose(cfg Config) ([]gateway, error) {
	var gateways []gateway
	all := len(cfg.Mutants)+len(cfg.Permitted) == 0
	unknownMutants, unknownPermitted := slices.Clone(cfg.Mutants), slices.Clone(cfg.Permitted)
	for _, m := range mutants.All() {
		if all && m.Load == cfg.Load || take(&unknownMutants, m.Name) {
			g := gateway{name: m.Name, sentence: m.Sentence, mutant: m}
			switch {
			case m.Load:
				g.level, g.cases = contract.Full, append(loadCases(), singleCases(m)...)
			case all && !cfg.All:
				g.cases = sampledCases(m)
			}
			gateways = append(gateways, g)
		}
	}
	for i, p := range mutants.Permitted() {
		if all && (p.UnderLoad() || !cfg.Load) || take(&unknownPermitted, p.Name) {
			g := gateway{name: p.Name, sentence: p.Sentence}
			switch {
			case cfg.Load:
				g.level, g.cases = contract.Full, loadCases()
			case all && !cfg.All && p.Name != "none":
				g.cases = caseIDs(func(c contract.Case) bool { return !c.IsLoad() && share(p.Name, c) >= leftOut })
				g.unaudited = i%auditedShare > 0
			}
			gateways = append(gateways, g)
		}
	}
	switch {
	case len(unknownMutants) > 0:
		name, known := unknownMutants[0], namesOf(mutants.All(), func(m mutants.Mutant) string { return m.Name })
		return nil, fmt.Errorf("%w: unknown mutant %q: %s", runner.ErrUsage, name, yamlfile.DidYouMean(name, known, "to see all mutants, run gatecert list mutants"))
	case len(unknownPermitted) > 0:
		name, known := unknownPermitted[0], namesOf(mutants.Permitted(), func(p mutants.PermittedBehaviour) string { return p.Name })
		return nil, fmt.Errorf("%w: unknown permitted behaviour %q: %s", runner.ErrUsage, name, yamlfile.DidYouMean(name, known, "to see all permitted behaviours, run gatecert list permitted"))
	default:
		return gateways, nil
	}
}

func namesOf[T any](all []T, name func(T) string) (names []string) {
	for _, one := range all {
		names = append(names, name(one))
	}
	return names
}

func take(names *[]string, name string) bool {
	before := len(*names)
	*names = slices.DeleteFunc(*names, func(n string) bool { return n == name })
	return len(*names) < before
}

// loadCases are the ids of the load cases of one surface, which stands for the others.
func loadCases() []string {
	return caseIDs(func(c contract.Case) bool { return c.IsLoad() && c.Surface == dialect.Chat })
}

// singleCases are the ids of the other cases that a mutant which load cases show has to run: those of the rate limit, and
// those that it expects to change. Others would bring its state about, five failures in two seconds for example, without any
// load.
func singleCases(m mutants.Mutant) []string {
	expected := m.Cases()
	return caseIDs(func(c contract.Case) bool {
		return !c.IsLoad() && (c.Row == contract.RowRateLimited || slices.Contains(expected, c))
	})
}

// sampleOf is how many cases that a mutant must leave alone stand for one that is run, and leftOut the share of all cases that
// does not run against a permitted behaviour. With all of them the self-test made 290,000 calls and took 14 minutes.
const sampleOf, leftOut = 20, 0.25

// sampledCases are the ids of the cases that the expectations of a mutant name, and a sample of the others. The mutant's name
// decides which: every run has the same sample, and 216 mutants have all cases between them.
func sampledCases(m mutants.Mutant) []string {
	return caseIDs(func(c contract.Case) bool {
		if c.IsLoad() {
			return false
		}
		if m.Expected(c) != nil {
			return true
		}
		return share(m.Name, c) < 1.0/sampleOf
	})
}

// share is a number from 0 to 1 that follows from a gateway and a case, and looks random.
func share(gateway string, c contract.Case) float64 {
	sum := sha256.Sum256([]byte(gateway + " " + c.ID()))
	return float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32)
}

func caseIDs(which func(contract.Case) bool) []string {
	var ids []string
	for _, c := range contract.Cases() {
		if which(c) {
			ids = append(ids, c.ID())
		}
	}
	return ids
}

const (
	// patience is how long the harness waits for an answer: ten times the gateway's timeout, so that a busy machine does not
	// look like a gateway that hangs, and short enough to see one hang in each self-test.
	patience = 15 * time.Second
	// recovery bounds the wait for an unhealthy gateway. None of these recovers.
	recovery = 2 * time.Second
	// loadConcurrency is how many other cases run at once while load cases of other gateways run.
	loadConcurrency = 4
)

// loadRate is the rate limit of gateways with load cases. Its verification takes several windows: with the gateway's
// default of 10 s it would take half a minute.
func loadRate() reference.RateLimit {
	return reference.RateLimit{Kind: contract.SlidingLog, Requests: 10, Window: 3 * time.Second}
}

// driver prepares a reference gateway with a mutant or a permitted behaviour.
type driver struct {
	name string
	rate reference.RateLimit
}

// Prepare implements [targets.Driver].
func (d driver) Prepare(ctx context.Context, asked profile.Profile) (targets.Prepared, error) {
	options := reference.Options{Rate: d.rate}
	if err := mutants.Install(&options, d.name); err != nil {
		return targets.Prepared{}, err
	}
	prepared, err := reference.Driver{Options: options}.Prepare(ctx, asked)
	if err != nil {
		return prepared, err
	}
	prepared.Profile.Limits.Patience = patience
	prepared.Profile.Settle.Recovery = recovery
	return prepared, nil
}

// test runs the cases against the gateway and compares the outcome with what is expected.
func (g gateway) test(ctx context.Context) (reports.GatewayResult, error) {
	started := time.Now()
	selection, err := runner.Select(runner.Choice{Level: g.level, Cases: g.cases})
	if err != nil {
		return reports.GatewayResult{}, err
	}
	driver := driver{name: g.name}
	job := runner.Job{Selection: selection, Persist: true} // a mutant must change exactly the cases that it breaks
	if g.level != "" {
		driver.rate, job.Concurrency = loadRate(), loadConcurrency
	}
	job.Driver = driver
	run, err := runner.Run(ctx, job)
	if err != nil {
		return reports.GatewayResult{}, err
	}
	result := g.judge(run)
	result.Took = time.Since(started)
	return result, nil
}

// judge compares a run with what is expected of the gateway.
func (g gateway) judge(run runlog.Run) reports.GatewayResult {
	result := reports.GatewayResult{Name: g.name, Sentence: g.sentence, Theme: g.mutant.Theme, Ran: run.Executed()}
	if gap := run.Incomplete(); gap != "" {
		result.Mistakes = append(result.Mistakes, reports.Mistake{Problem: gap})
	}
	// Whatever the gateway does, an audit believes the log of a run that took place.
	if !g.unaudited {
		for _, problem := range (certificate.Auditor{OfferOf: targets.OfferOf}).Audit(run) {
			result.Mistakes = append(result.Mistakes, reports.Mistake{Problem: "the audit rejects the log: " + problem})
		}
	}
	killed := make(map[*mutants.Expectation]bool)
	for _, c := range run.Cases {
		expected := g.mutant.Expected(contract.Case{Row: c.Row, Circumstance: c.Circumstance, Surface: c.Surface, Variant: c.Variant})
		want := contract.Pass
		if expected != nil {
			want = expected.Verdict
		}
		switch problem := compare(expected, c); {
		case problem != "":
			result.Mistakes = append(result.Mistakes, reports.Mistake{
				Case: c.ID, Row: c.Row, Want: want, Got: c.Verdict, Problem: problem,
			})
		case kills(expected, c):
			killed[expected] = true
			result.Kills = append(result.Kills, reports.Kill{
				Case: c.ID, Row: c.Row, Verdict: c.Verdict, Broken: broken(c), Headline: reports.Headline(c),
			})
		}
	}
	for i := range g.mutant.Expect {
		if e := &g.mutant.Expect[i]; e.AtLeastOne && !killed[e] {
			result.Mistakes = append(result.Mistakes, reports.Mistake{
				Want: e.Verdict, Got: contract.Pass, Problem: fmt.Sprintf("the mutant survived all cases that match %s, but at least one of them must kill it", e.Cases),
			})
		}
	}
	return result
}
