// Package gatecerttest certifies a gateway inside its own go test.
package gatecerttest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Test certifies a target: one subtest a case, named by its id. The cases that go test's -run and -skip flags select are
// known before anything is sent, and only those are played:
//
//	go test -run 'TestContract/code:model_not_found'          one row
//	go test -run 'TestContract/code:.*/.*/chat$'              table 2 on one surface
//
// A case that the target does not offer is a skipped subtest; every verdict that is not conformant fails its subtest.
// A run without a verdict, an incomplete run and a baseline that does not hold fail t itself. Tests that call Test may
// run in parallel with each other.
//
// It returns the run, which is the zero value when the flags select no case.
func Test(t *testing.T, cfg gatecert.Config) runlog.Run {
	t.Helper()
	all, err := gatecert.New(cfg)
	if err != nil {
		t.Fatalf("gatecert: %v", err)
	}
	s := selectCases(t, all.Cases())
	defer s.wait()
	if len(s.selected) == 0 {
		return runlog.Run{}
	}
	if len(s.selected) < len(all.Cases()) {
		cfg.Cases = s.selected
	}
	told := cfg.Progress
	cfg.Progress = func(p gatecert.Progress) {
		if p.Last != nil {
			s.report(*p.Last)
		}
		if told != nil {
			told(p)
		}
	}
	certification, err := gatecert.New(cfg)
	if err != nil {
		t.Fatalf("gatecert: %v", err)
	}
	ctx, cancel := testContext(t)
	defer cancel()
	run, err := certification.Run(ctx)
	for _, c := range run.Cases {
		s.report(c) // those that are not offered come without progress
	}
	if err != nil {
		t.Errorf("gatecert: %v", err)
		return run
	}
	if !run.Complete() {
		t.Errorf("gatecert: the run is incomplete: %s", run.Incomplete())
	}
	if run.Footer != nil {
		for _, stale := range run.Footer.Stale {
			t.Errorf("gatecert: the baseline does not hold: %s", stale)
		}
	}
	return run
}

// subtests are the running subtests of the selected cases. Each waits for the outcome of its case.
type subtests struct {
	selected []string
	// outcomes has a buffered channel for every selected case, done is closed when no further outcome will come.
	outcomes map[string]chan runlog.Case
	done     chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	reported map[string]bool
}

// selectCases starts a subtest for every case. Package testing itself decides which of them run: it calls the function
// of a subtest only when the flags select its name.
func selectCases(t *testing.T, cases []contract.Case) *subtests {
	t.Helper()
	s := &subtests{outcomes: make(map[string]chan runlog.Case), done: make(chan struct{}), reported: make(map[string]bool)}
	for _, c := range cases {
		outcome := make(chan runlog.Case, 1)
		decided := make(chan bool, 2)
		s.running.Go(func() {
			t.Run(c.ID(), func(t *testing.T) {
				decided <- true
				select {
				case result := <-outcome:
					reportCase(t, result)
				case <-s.done:
					select {
					case result := <-outcome: // both were ready
						reportCase(t, result)
					default:
						t.Skip("not played: the target does not list the surface, or the run ended before")
					}
				}
			})
			decided <- false
		})
		if <-decided {
			s.selected = append(s.selected, c.ID())
			s.outcomes[c.ID()] = outcome
		}
	}
	return s
}

// report hands the outcome of a case to its subtest, once.
func (s *subtests) report(c runlog.Case) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if outcome, ok := s.outcomes[c.ID]; ok && !s.reported[c.ID] {
		s.reported[c.ID] = true
		outcome <- c
	}
}

// wait ends the subtests that got no outcome and waits for all of them.
func (s *subtests) wait() {
	close(s.done)
	s.running.Wait()
}

// testContext ends with the test's own deadline, if it has one.
func testContext(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	if deadline, ok := t.Deadline(); ok {
		return context.WithDeadline(t.Context(), deadline)
	}
	return context.WithCancel(t.Context())
}

// maxFindingText keeps a finding about a hostile gateway to a few lines of a test log, in runes.
const maxFindingText = 500

func reportCase(t *testing.T, c runlog.Case) {
	t.Helper()
	lines := []string{string(c.Verdict)}
	if c.Reason != "" {
		lines = append(lines, plain.Text(c.Reason, maxFindingText))
	}
	for _, f := range c.Findings {
		lines = append(lines, plain.Text(f.String(), maxFindingText))
	}
	if c.Observation != nil && c.Verdict.Worse(contract.Pass) {
		lines = append(lines, c.Observation.Sent.Curl)
	}
	text := strings.Join(lines, "\n")
	switch {
	case c.Verdict == contract.NotOffered:
		t.Skip(text)
	case !c.Verdict.Conformant():
		t.Error(text)
	case len(lines) > 1:
		t.Log(text)
	}
}
