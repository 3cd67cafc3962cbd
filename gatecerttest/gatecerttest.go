// Package gatecerttest certifies a gateway in its own go test.
package gatecerttest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Test certifies a target, with one subtest per case, named after the case's id. The flags -run and -skip of go test select the
// cases before any request is sent, and only the selected cases run:
//
//	go test -run 'TestContract/code:model_not_found'    one row
//	go test -run 'TestContract/code:.*/.*/chat$'        table 2 on one surface, where its circumstance has one variant
//
// If the target does not offer a case, its subtest is skipped. Every verdict that is not conformant fails its subtest.
// A run without a verdict, an incomplete run or an out-of-date baseline fails t itself. Tests that call Test may run in
// parallel with each other.
//
// The run ends before the deadline of go test, early enough to report its results. Test returns the run, or the zero value if
// the flags select no case.
func Test(t *testing.T, cfg gatecert.Config) runlog.Run {
	t.Helper()
	whole, err := gatecert.New(cfg)
	if err != nil {
		t.Fatalf("gatecert: %v", err)
	}
	cases := whole.Cases()
	s := startSubtests(t, cases)
	defer s.wait()
	if len(s.selected) == 0 {
		return runlog.Run{}
	}
	narrowed := len(s.selected) < len(cases)
	if narrowed {
		cfg.Cases = s.selected
	}
	progress := cfg.Progress
	cfg.Progress = func(p gatecert.Progress) {
		if p.Last != nil {
			s.finish(*p.Last)
		}
		if progress != nil {
			progress(p)
		}
	}
	certification, err := gatecert.New(cfg)
	if err != nil {
		t.Fatalf("gatecert: %v", err)
	}
	ctx, cancel := runContext(t)
	defer cancel()
	run, err := certification.Run(ctx)
	for _, c := range run.Cases {
		s.finish(c) // cases that are not offered are not reported as progress
	}
	switch {
	case narrowed && errors.Is(err, gatecert.ErrNothingToRun):
		t.Logf("gatecert: %v", err) // without the flags these subtests are skipped too
	case err != nil:
		t.Errorf("gatecert: %v", err)
	default:
		reportRun(t, run)
	}
	return run
}

// reportRun fails t for what concerns the whole run.
func reportRun(t *testing.T, run runlog.Run) {
	t.Helper()
	if !run.Complete() {
		t.Errorf("gatecert: the run is incomplete: %s", run.Incomplete())
	}
	if run.Footer == nil {
		return
	}
	failed := func(c runlog.Case) bool { return !c.Verdict.Conformant() }
	if run.Complete() && !run.Verdict().Conformant() && !slices.ContainsFunc(run.Cases, failed) {
		t.Errorf("gatecert: every case is conformant, but the run is inconclusive: %s", plain.Text(strings.Join(run.Footer.Notes, "; "), maxText))
	}
	for _, stale := range run.Footer.Stale {
		t.Errorf("gatecert: the baseline is out of date: %s", stale)
	}
}

// subtests are the subtests of the selected cases. Each one blocks until its case has an outcome, or will have none.
type subtests struct {
	selected []string
	running  sync.WaitGroup

	mu sync.Mutex
	// outcomes holds a channel for each selected case without an outcome yet. It is buffered, so that the run never waits
	// for a subtest, and closed when no outcome will come.
	outcomes map[string]chan runlog.Case
}

// startSubtests starts a subtest for every case. Package testing itself decides which ones run: it calls the function of
// a subtest only when the flags select its name.
func startSubtests(t *testing.T, cases []contract.Case) *subtests {
	t.Helper()
	s := &subtests{outcomes: make(map[string]chan runlog.Case)}
	for _, c := range cases {
		outcome := make(chan runlog.Case, 1)
		selected := make(chan bool, 2) // the subtest's function sends true, t.Run false when it returns
		s.running.Go(func() {
			t.Run(c.ID(), func(t *testing.T) {
				selected <- true
				reportOutcome(t, outcome)
			})
			selected <- false
		})
		if <-selected {
			s.selected = append(s.selected, c.ID())
			s.outcomes[c.ID()] = outcome
		}
	}
	return s
}

// reportOutcome waits for the outcome of a case and reports it.
func reportOutcome(t *testing.T, outcome <-chan runlog.Case) {
	t.Helper()
	result, ok := <-outcome
	if !ok {
		t.Skip("not run: the target does not offer the endpoint, or the run ended early")
	}
	reportCase(t, result)
}

// finish sends the outcome of a case to its subtest. Only the first outcome counts.
func (s *subtests) finish(c runlog.Case) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if outcome, ok := s.outcomes[c.ID]; ok {
		outcome <- c
		delete(s.outcomes, c.ID)
	}
}

// wait ends the subtests that have no outcome, and waits for all.
func (s *subtests) wait() {
	s.mu.Lock()
	for id, outcome := range s.outcomes {
		close(outcome)
		delete(s.outcomes, id)
	}
	s.mu.Unlock()
	s.running.Wait()
}

// maxGrace is the time that is left between the end of a run and the deadline of go test, at most: the log is closed and
// what a driver has prepared is taken down in it.
const maxGrace = 10 * time.Second

// runContext ends some time before the deadline of the test, if it has one.
func runContext(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		return context.WithCancel(t.Context())
	}
	return context.WithDeadline(t.Context(), deadline.Add(-min(maxGrace, time.Until(deadline)/10)))
}

// maxText keeps a finding about a hostile gateway to a few lines of a test log, in runes.
const maxText = 500

func reportCase(t *testing.T, c runlog.Case) {
	t.Helper()
	lines := []string{string(c.Verdict)}
	if c.Reason != "" {
		lines = append(lines, plain.Text(c.Reason, maxText))
	}
	for _, f := range c.Findings {
		lines = append(lines, plain.Text(f.String(), maxText))
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
