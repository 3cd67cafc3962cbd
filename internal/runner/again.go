package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Sample is a random sample of the cases of an earlier run.
type Sample struct {
	// Cases are the ids of the chosen cases, in the order of the contract. Of is the number of cases from which they were chosen.
	Cases []string
	Of    int
	// NotOffered is the number of cases that could not be chosen because the target does not offer them.
	NotOffered int
}

// sampleShare is the share of the cases that a sample has: one in so many.
const sampleShare = 10

// SampleOf chooses a tenth, but at least one, of the cases of an earlier run that passed or failed. With the same seed, log and target, it chooses
// the same cases. It never chooses load cases. SampleOf assumes that the target offers every case that a driver has to prepare first.
//
// It returns [ErrNothingToRun] if the target offers none of the cases.
func SampleOf(earlier runlog.Run, job Job, seed uint64) (Sample, error) {
	var s Sample
	var offered []string
	for _, c := range contract.Cases() {
		before, ok := earlier.Case(c.ID())
		if !ok || c.IsLoad() || !judged(before.Verdict) {
			continue
		}
		if _, err := targets.RequestFor(consented(job), c, "plan"); errors.Is(err, profile.ErrNotOffered) && job.Target.Driver == profile.StaticDriver {
			s.NotOffered++
			continue
		}
		offered = append(offered, c.ID())
	}
	switch s.Of = len(offered); {
	case s.Of+s.NotOffered == 0:
		return s, fmt.Errorf("%w: apart from load cases, the log contains no case that passed or failed", ErrNothingToRun)
	case s.Of == 0 && s.NotOffered == 1:
		return s, fmt.Errorf("%w: the target does not offer the only case that passed or failed in the log", ErrNothingToRun)
	case s.Of == 0:
		return s, fmt.Errorf("%w: the target offers none of the %d cases that passed or failed in the log", ErrNothingToRun, s.NotOffered)
	}
	random := rand.New(rand.NewPCG(seed, seed))
	chosen := random.Perm(s.Of)[:(s.Of+sampleShare-1)/sampleShare]
	slices.Sort(chosen)
	for _, i := range chosen {
		s.Cases = append(s.Cases, offered[i])
	}
	return s, nil
}

// judged reports whether a verdict says something about the gateway.
func judged(v contract.Verdict) bool {
	return v == contract.Pass || v == contract.Warn || v == contract.Fail || v == contract.ExpectedFail
}

// PlayAgain runs some cases of an earlier run again, regardless of the job's selection. It returns the errors of [Run].
func PlayAgain(ctx context.Context, job Job, cases []string) (runlog.Run, error) {
	job.Selection = runlog.Selection{Level: contract.Full, Cases: cases, WithoutLoad: true}
	for _, id := range cases {
		if c, err := contract.ParseCase(id); err == nil && !slices.Contains(job.Selection.Surfaces, c.Surface) {
			job.Selection.Surfaces = append(job.Selection.Surfaces, c.Surface)
		}
	}
	slices.SortFunc(job.Selection.Surfaces, func(a, b dialect.Surface) int {
		return slices.Index(dialect.Surfaces(), a) - slices.Index(dialect.Surfaces(), b)
	})
	return Run(ctx, job)
}

// TargetAt returns the target for the gateway at a URL, as the profile in a log describes it: its models, endpoints, prefix and
// claims. A log does not contain the values of header fields. If the profile has any, the caller must pass the profile.
func TargetAt(run runlog.Run, baseURL, key string) (profile.Profile, error) {
	logged, err := profile.ParseRedacted(run.Target.Profile)
	if err != nil {
		return logged, fmt.Errorf("%w: cannot read the profile in the log: %w", ErrUsage, err)
	}
	if len(logged.Headers)+len(logged.SurfaceHeaders) > 0 {
		return logged, fmt.Errorf("%w: the profile of %s sets header fields, but the log does not contain their values: pass the profile to --again instead of a URL", ErrUsage, logged.Name)
	}
	at := bareTarget(logged, key)
	at.Name, at.BaseURL = baseURL, baseURL
	return at, nil
}
