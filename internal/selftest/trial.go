package selftest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// trial is one gateway that is known to be other than the reference, and what has to be noticed about it.
type trial struct {
	name, sentence string
	theme          string // "" for a variation
	// turnOf says what has to become of a case, nil for nothing.
	turnOf func(contract.Case) *reference.Turn
	turns  []reference.Turn
	// level and cases are what is played; "" is everything at rest, and none is all of the level.
	level contract.Level
	cases []string
}

const (
	// trialPatience is how long the harness waits for an answer: ten times the gateway's limit, so that a busy machine is
	// not taken for a gateway that hangs, and short enough to see one hang in each self-test.
	trialPatience = 15 * time.Second
	// trialRecovery bounds the wait for a gateway that is not well. None of the trials gets well by waiting.
	trialRecovery = 2 * time.Second
	// quietly is how many cases at rest are played at once beside the loads of other trials.
	quietly = 4
)

// bentDriver prepares a reference gateway that deviates.
type bentDriver struct {
	bend string
	rate reference.RateLimit
}

// trialRate is the limit of gateways that are put under load, whose verification takes several windows of time: 10 s, which
// the gateway has else, make half a minute.
func trialRate() reference.RateLimit {
	return reference.RateLimit{Kind: contract.SlidingLog, Requests: 10, Window: 3 * time.Second}
}

// Prepare implements [targets.Driver].
func (d bentDriver) Prepare(ctx context.Context, asked profile.Profile) (targets.Prepared, error) {
	prepared, err := reference.Driver{Options: reference.Options{Bends: []string{d.bend}, Rate: d.rate}}.Prepare(ctx, asked)
	if err != nil {
		return prepared, err
	}
	prepared.Profile.Limits.Patience = trialPatience
	prepared.Profile.Settle.Recovery = trialRecovery
	return prepared, nil
}

// try runs the contract against the gateway and compares what was noticed with what has to be.
func (t trial) try(ctx context.Context) (reports.Trial, error) {
	tried := reports.Trial{Name: t.name, Sentence: t.sentence, Theme: t.theme}
	started := time.Now()
	selection, err := runner.Select(runner.Choice{Level: t.level, Cases: t.cases})
	if err != nil {
		return tried, err
	}
	driver := bentDriver{bend: t.name}
	job := runner.Job{Tool: version.Tool, Selection: selection}
	if t.level != "" {
		driver.rate, job.Concurrency = trialRate(), quietly
	}
	job.Driver = driver
	run, err := runner.Run(ctx, job)
	if err != nil {
		return tried, err
	}
	tried.Took, tried.Ran = time.Since(started), run.Executed()
	if gap := run.Incomplete(); gap != "" {
		tried.Faults = append(tried.Faults, reports.TrialFault{Problem: gap})
	}
	turned := make(map[*reference.Turn]bool)
	for _, c := range run.Cases {
		turn := t.turnOf(contract.Case{Row: c.Row, Circumstance: c.Circumstance, Surface: c.Surface, Variant: c.Variant})
		fault, noticed := compare(turn, c)
		switch {
		case fault != nil:
			tried.Faults = append(tried.Faults, *fault)
		case noticed:
			turned[turn] = true
			tried.Turned = append(tried.Turned, turnedCase(c))
		}
	}
	for i := range t.turns {
		if turn := &t.turns[i]; turn.Some && !turned[turn] {
			tried.Faults = append(tried.Faults, reports.TrialFault{
				Want: turn.Verdict, Got: contract.Pass,
				Problem: fmt.Sprintf("none of the cases %s turned", turn.Cases),
			})
		}
	}
	return tried, nil
}

// compare says whether a case that has to turn was noticed, or what is wrong instead.
func compare(turn *reference.Turn, c runlog.Case) (fault *reports.TrialFault, noticed bool) {
	want := contract.Pass
	if turn != nil {
		want = turn.Verdict
	}
	wrong := func(problem string) (*reports.TrialFault, bool) {
		return &reports.TrialFault{Case: c.ID, Row: c.Row, Want: want, Got: c.Verdict, Problem: problem}, false
	}
	switch {
	case turn == nil && c.Verdict == contract.Pass:
		return nil, false
	case turn == nil:
		return wrong("turned although it is well: " + reports.Headline(c))
	case turn.Some && c.Verdict == contract.Pass:
		return nil, false
	case c.Verdict == contract.Pass && want != contract.Pass:
		return wrong("survived")
	case c.Verdict != want:
		return wrong("noticed, but not as it should be: " + reports.Headline(c))
	}
	found := obligations(c)
	var missing []string
	for _, o := range turn.Breaks {
		if !slices.Contains(found, o) {
			missing = append(missing, string(o))
		}
	}
	if len(missing) > 0 {
		return wrong("not found to break " + strings.Join(missing, ", ") + ": " + reports.Headline(c))
	}
	return nil, true
}

func turnedCase(c runlog.Case) reports.TurnedCase {
	return reports.TurnedCase{Case: c.ID, Row: c.Row, Verdict: c.Verdict, Broken: obligations(c), Account: reports.Headline(c)}
}

// obligations are those that a case was found to break, each once.
func obligations(c runlog.Case) []contract.Requirement {
	var found []contract.Requirement
	for _, f := range c.Findings {
		if !slices.Contains(found, f.Requirement) {
			found = append(found, f.Requirement)
		}
	}
	return found
}
