package zoo

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestJudge(t *testing.T) {
	found := func(level contract.RequirementLevel, r contract.Requirement) []contract.Finding {
		return []contract.Finding{{Requirement: r, Level: level}}
	}
	must, should := found(contract.Must, contract.LimitBurst), found(contract.Should, contract.LimitExact)
	refusedCost := found(contract.Should, contract.RefusedFree)
	tested := runlog.LoadSummary{Checks: []runlog.Check{{Requirement: contract.LimitExact, Result: contract.Held}}}
	same, more, fewer := declaration{}, declaration{more: true}, declaration{fewer: true}
	strict, loose := species{truth: slidingLog(20, time.Second)}, species{truth: slidingLog(20, time.Second), loose: true}
	inconclusive := fmt.Errorf("all: %w", limits.ErrInconclusive)
	for _, tt := range []struct {
		name        string
		species     species
		declaration declaration
		findings    []contract.Finding
		summary     runlog.LoadSummary
		err         error
		kept        bool
		want        verdict
	}{
		{"the truth holds", strict, same, nil, tested, nil, true, right},
		{"nothing was tested", strict, same, nil, runlog.LoadSummary{}, nil, true, unclear},
		{"inconclusive", strict, same, nil, tested, inconclusive, true, unclear},
		{"a fault of the harness", strict, same, nil, tested, errors.New("no route"), true, wrong},
		{"the truth is blamed", strict, same, must, tested, nil, true, falseMust},
		{"the truth gets a remark", strict, same, should, tested, nil, true, wrong},
		{"the truth gets a remark about refused calls", strict, same, refusedCost, tested, nil, true, wrong},
		{"another limit acts", loose, declaration{loose: true}, should, tested, nil, true, right},
		{"too many, proved", strict, more, must, tested, nil, false, right},
		{"too many, proved by calls that were allowed", strict, more, must, tested, nil, true, falseMust},
		{"too many, not seen", strict, more, nil, tested, nil, false, missed},
		{"too many, a remark", strict, more, should, tested, nil, false, unclear},
		{"too many, inconclusive", strict, more, nil, tested, inconclusive, false, unclear},
		{"too few, seen", strict, fewer, should, tested, nil, true, right},
		{"too few, not seen", strict, fewer, nil, tested, nil, true, missed},
		{"too few, for another reason", strict, fewer, refusedCost, tested, nil, true, wrong},
		{"too few, blamed", strict, fewer, must, tested, nil, false, falseMust},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, judge(tt.species, tt.declaration, tt.findings, tt.summary, tt.err, func() bool { return tt.kept }))
		})
	}
}

func TestJudgeModel(t *testing.T) {
	log := species{truth: slidingLog(20, 2*time.Second)}
	model := func(kind contract.LimiterKind, limit int, window time.Duration) limits.LimiterModel {
		return limits.LimiterModel{Kind: kind, Limit: limit, Window: window}
	}
	for _, tt := range []struct {
		name    string
		species species
		model   limits.LimiterModel
		err     error
		want    verdict
	}{
		{"right", log, model(contract.SlidingLog, 20, 2050*time.Millisecond), nil, right},
		{"another kind", log, model(contract.FixedWindow, 20, 2*time.Second), nil, wrong},
		{"another limit", log, model(contract.SlidingLog, 22, 2200*time.Millisecond), nil, wrong},
		{"another window", log, model(contract.SlidingLog, 20, 2150*time.Millisecond), nil, wrong},
		{"no kind", log, limits.LimiterModel{Limit: 20}, nil, unclear},
		{"budget", log, model(contract.FixedWindow, 20, 2*time.Second), limits.ErrBudget, unclear},
		{"no limit", log, limits.LimiterModel{Kind: limits.None}, nil, wrong},
		{"a bucket of 1 is a log of 1", species{truth: tokenBucket(5, time.Second, 1), burst1: true}, model(contract.SlidingLog, 1, 200*time.Millisecond), nil, right},
		{"a smaller burst", species{truth: tokenBucket(10, time.Second, 5)}, model(contract.TokenBucket, 5, 500*time.Millisecond), nil, right},
		{"the rate of one of two limits", species{truth: log.truth, rates: []float64{5}}, model(contract.FixedWindow, 10, 2*time.Second), nil, right},
		{"the rate of neither", species{truth: log.truth, rates: []float64{5}}, model(contract.FixedWindow, 10, time.Second), nil, wrong},
		{"in flight", species{truth: concurrency(5)}, model(contract.Concurrency, 5, 0), nil, right},
		{"one more in flight", species{truth: concurrency(5)}, model(contract.Concurrency, 6, 0), nil, wrong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, judgeModel(tt.species, tt.model, tt.err))
		})
	}
}

func TestDeclarations(t *testing.T) {
	for _, tt := range []struct {
		name    string
		species species
		want    []string
	}{
		{"a log", species{truth: slidingLog(20, time.Second)}, []string{
			"true: sliding-log 20 in 1s", "true any: no kind 20 in 1s", "half: sliding-log 10 in 1s", "half any: no kind 10 in 1s",
			"double: sliding-log 40 in 1s", "double any: no kind 40 in 1s", "+1: sliding-log 21 in 1s", "+1 any: no kind 21 in 1s",
			"-1: sliding-log 19 in 1s", "-1 any: no kind 19 in 1s", "+15%: sliding-log 23 in 1s", "+15% any: no kind 23 in 1s",
			"-15%: sliding-log 17 in 1s", "-15% any: no kind 17 in 1s",
		}},
		{"a bucket with a smaller burst", species{truth: tokenBucket(6, time.Second, 3)}, []string{
			"true: token-bucket 6 in 1s, burst 3", "true any: no kind 6 in 1s", "half: token-bucket 3 in 1s", "half any: no kind 3 in 1s",
			"double: token-bucket 12 in 1s, burst 3", "double any: no kind 12 in 1s", "+1: token-bucket 7 in 1s, burst 3", "-1: token-bucket 5 in 1s, burst 3",
		}},
		{"a bucket with a larger burst, and steps", species{truth: tokenBucket(5, time.Second, 15), loose: true}, []string{
			"true: token-bucket 5 in 1s, burst 15", "true any: no kind 15 in 3s", "half: token-bucket 2 in 1s, burst 15", "half any: no kind 15 in 7.5s",
			"double: token-bucket 10 in 1s, burst 15", "double any: no kind 15 in 1.5s",
		}},
		{"calls in flight", species{truth: concurrency(5)}, []string{"true: concurrency 5", "half: concurrency 2", "double: concurrency 10", "+1: concurrency 6", "-1: concurrency 4"}},
		{"one call", species{truth: fixedWindow(1, time.Second)}, []string{
			"true: fixed-window 1 in 1s", "true any: no kind 1 in 1s", "double: fixed-window 2 in 1s", "double any: no kind 2 in 1s",
		}},
		{"nothing to declare", species{inferOnly: true}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range declarations(tt.species) {
				got = append(got, d.name+": "+describeLimit(d.limit, false))
			}
			require.Equal(t, tt.want, got)
		})
	}
}
