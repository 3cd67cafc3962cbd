package outage_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outageRun is one outage of a reference gateway of its own.
type outageRun struct {
	// gateway is the mutant or the permitted behaviour, "" for the gateway as it is.
	gateway string
	outage  func(targets.Prepared, dialect.Surface) (outage.Experiment, error)
	surface dialect.Surface
	// violates are the requirements of which findings are expected. None: every check must hold.
	violates []contract.Requirement

	findings []contract.Finding
	summary  runlog.LoadSummary
	err      error
}

// The experiments of these tests are shorter than those of a run: about 19 faulty requests in place of 26, and a time limit of
// 1 s in place of 1.5 s.
const (
	testTimeLimit = time.Second
	testBaseline  = time.Second
	testOutage    = 2500 * time.Millisecond
)

func (tr *outageRun) verify(ctx context.Context) (err error) {
	driver := reference.Driver{Options: reference.Options{Timeout: testTimeLimit}}
	if err := mutants.Install(&driver.Options, cmp.Or(tr.gateway, "none")); err != nil {
		return err
	}
	// As long as the self-test gives a gateway to recover.
	prepared, err := driver.Prepare(ctx, profile.Profile{Settle: profile.Settle{Recovery: 2 * time.Second}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prepared.Close(context.WithoutCancel(ctx))) }()
	engine := load.NewEngine(load.Options{
		Secrets: prepared.Profile.Secrets(), TLS: &tls.Config{RootCAs: prepared.Roots, MinVersion: tls.VersionTLS12},
	})
	defer engine.Close()
	e, err := tr.outage(prepared, tr.surface)
	if err != nil {
		return err
	}
	e.Rate, e.Before, e.Outage, e.After = testRate, testBaseline, testOutage, testBaseline
	var evidence outage.Evidence
	tr.findings, evidence, tr.err = outage.Verify(ctx, engine, e)
	tr.summary = evidence.Summary()
	return nil
}

// inconclusive reports whether the machine was too busy, as the verification itself noticed.
func (tr *outageRun) inconclusive() bool {
	asked := strings.HasPrefix(tr.summary.Sentence, fmt.Sprintf("%g healthy requests per second", float64(testRate)))
	busy := slices.ContainsFunc(tr.summary.Checks, func(c runlog.Check) bool {
		return strings.Contains(c.Sentence, "this machine or the gateway is too slow")
	})
	return errors.Is(tr.err, outage.ErrGeneratorBusy) || errors.Is(tr.err, outage.ErrNoBaseline) || !asked || busy
}

// assertOutages plays outages, some at a time: they mostly wait. A mutant must violate its own requirement and no other, a permitted
// behaviour none.
func assertOutages(t *testing.T, atOnce int, all []*outageRun) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(atOnce)
	for _, tr := range all {
		group.Go(func() error { return tr.verify(ctx) })
	}
	require.NoError(t, group.Wait())
	for _, tr := range all {
		t.Run(tr.gateway+" "+string(tr.surface), func(t *testing.T) {
			t.Logf("%s, %d requests, error %v", tr.summary.Took, tr.summary.Calls, tr.err)
			for _, c := range tr.summary.Checks {
				t.Log("   ", c.Requirement, c.Result, c.Sentence)
			}
			if tr.inconclusive() {
				t.Skip("inconclusive: this machine was too busy")
			}
			require.NoError(t, tr.err)
			violated := map[contract.Requirement]bool{}
			for _, f := range tr.findings {
				violated[f.Requirement] = true
			}
			want := map[contract.Requirement]bool{}
			for _, r := range tr.violates {
				want[r] = true
			}
			assert.Equal(t, want, violated, tr.findings)
			for _, c := range tr.summary.Checks {
				if len(tr.violates) == 0 {
					assert.Equal(t, contract.Held, c.Result, c)
				}
			}
		})
	}
}
