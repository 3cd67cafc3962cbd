//go:build !race

// These verify limits of a second or two over a real network, on the real clock, and need a machine that is otherwise idle:
// make test-clock. The self-test of the load cases has the same gateways.

package limits_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/reference"
)

// verified is the result of verifying a gateway with a mutant or a permitted behaviour.
type verified struct {
	name     string
	gateway  *gateway
	findings []contract.Finding
	evidence runlog.LoadSummary
	err      error
}

// parallel is how many verifications run at the same time. They mostly wait; but of twelve that began with a burst at the same
// time, each was too slow to use its limit up within a window.
const parallel = 6

// verifyAll verifies the gateway with each mutant or permitted behaviour.
func verifyAll(t *testing.T, names []string) []verified {
	t.Helper()
	all := make([]verified, len(names))
	rate := reference.RateLimit{Kind: contract.SlidingLog, Requests: 8, Window: 2 * time.Second}
	for i, name := range names {
		all[i] = verified{name: name, gateway: newGateway(t, rate, name)}
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for i := range all {
		group.Go(func() error {
			v := &all[i]
			v.findings, v.evidence, v.err = v.gateway.verify(t.Context(), rate)
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	return all
}

func TestEveryMutantBreaksItsRequirement(t *testing.T) {
	t.Parallel() // with the permitted behaviours: both wait more than they work
	breaks := map[string]contract.Requirement{}
	var names []string
	for _, m := range mutants.All() {
		c := contract.CaseOf(contract.OverRateLimit, dialect.Chat, contract.LoadVariant)
		if expected := m.Expected(c); m.Load && expected != nil {
			breaks[m.Name] = expected.Breaks[0]
			names = append(names, m.Name)
		}
	}
	// What a mutant breaks besides its own requirement.
	also := map[string]contract.Requirement{
		"one-call-over-the-limit": contract.LimitBurst, "tokens-never-counted": contract.RateHeaders, "output-tokens-never-counted": contract.RateHeaders, "refusals-empty-in-a-burst": contract.Envelope,
	}
	// What a mutant may break on a slow machine: where the limit is free again more than a second before the one that streaming
	// calls have, their Retry-After looks too long.
	perhaps := map[string]contract.Requirement{"streams-limited-apart": contract.RetryAfterTrue}
	violated := map[contract.Requirement]bool{}
	for _, v := range verifyAll(t, names) {
		want := []contract.Requirement{breaks[v.name]}
		if r, more := also[v.name]; more {
			want = append(want, r)
		}
		var got []contract.Requirement
		for _, f := range v.findings {
			violated[f.Requirement] = true
			if !slices.Contains(got, f.Requirement) && f.Requirement != perhaps[v.name] {
				got = append(got, f.Requirement)
			}
		}
		t.Run(v.name, func(t *testing.T) {
			require.NoError(t, v.err)
			require.ElementsMatch(t, want, got, "%v\n%+v", v.findings, v.evidence.Checks)
		})
	}
	for _, r := range contract.LoadRequirements(contract.LimitLoad) {
		require.True(t, violated[r], "no mutant violates %s", r)
	}
}

func TestNoPermittedBehaviourRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range mutants.Permitted() {
		if p.UnderLoad() {
			names = append(names, p.Name)
		}
	}
	for _, v := range verifyAll(t, names) {
		t.Run(v.name, func(t *testing.T) {
			require.NoError(t, v.err)
			require.Empty(t, v.findings, "%+v", v.evidence.Checks)
			for _, c := range v.evidence.Checks {
				require.True(t, c.Result == contract.Held || c.Requirement == contract.DepartedFree && v.gateway.concurrent == 0, "%+v", c)
			}
		})
	}
}
