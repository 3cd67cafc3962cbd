package limits

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// measureBaseline calls with the control key while the limited key is idle. checkIsolation compares these calls with those made
// during the burst. It returns [ErrInconclusive] if no call of the control key is admitted.
func (v *verifier) measureBaseline(ctx context.Context) error {
	if v.probers.Control == nil {
		return nil
	}
	calls, err := repeat(ctx, v.probers.Control)
	v.transcript.baseline = calls
	if err == nil && count(calls, Admitted) == 0 {
		err = fmt.Errorf("%w: no call with the control key was admitted; the last result: %s",
			ErrInconclusive, describeFailure(calls[len(calls)-1].Observation))
	}
	return err
}

// probeDuringBurst calls with the control key while the limited key, whose limit is used up, makes bursts. The first burst comes
// before, so that no call of the control key is too early.
func (v *verifier) probeDuringBurst(ctx context.Context) error {
	burst := func() error {
		_, err := v.burst(ctx, v.declared.capacity()/2+repeats, 0)
		return err
	}
	if err := burst(); err != nil || v.probers.Control == nil {
		return err
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		var err error
		v.transcript.during, err = repeat(ctx, v.probers.Control)
		done <- err
	}()
	for n := 0; n < repeats && len(done) == 0; n++ {
		if err := burst(); err != nil {
			cancel()
			return cmp.Or(err, <-done)
		}
	}
	return <-done
}

// The median latency of the control key during a burst may be maxSlowdown times the baseline plus slowdownGrace. A gateway on a small machine slows
// down under load regardless of its limits, and on a busy machine, the median of five calls can easily be off by a tenth of a second.
const (
	maxSlowdown   = 10
	slowdownGrace = 250 * time.Millisecond
)

// checkIsolation compares the control key's calls during the burst with the baseline. A call that could not connect proves
// nothing about a key.
func (a *assessment) checkIsolation() {
	baseline, during := connected(a.baseline), connected(a.during)
	if len(during) == 0 {
		return
	}
	before, admitted := count(baseline, Admitted), count(during, Admitted)
	if len(during)-admitted > len(baseline)-before {
		a.find(contract.KeyIsolation, contract.Should, "calls with the control key to succeed while another key is over its limit",
			fmt.Sprintf("%d of %d calls with the control key admitted (%d of %d before the burst): %s", admitted, len(during), before, len(baseline), describeFailures(during)))
	}
	usual, measured := latencies("control key, before the burst", baseline), latencies("control key, during the burst", during)
	measured.Bound = maxSlowdown*usual.P50 + slowdownGrace
	if measured.P50 > measured.Bound {
		a.find(contract.KeyIsolation, contract.Should,
			fmt.Sprintf("a median latency of at most %s for the control key (%d times its baseline of %s, plus %s)", round(measured.Bound), maxSlowdown, round(usual.P50), slowdownGrace),
			round(measured.P50))
	}
	a.times = []runlog.Times{usual, measured}
	a.held(contract.KeyIsolation, "during the burst, %d of %d calls with the control key were admitted (%d of %d before the burst), with a median latency of %s (%s before the burst)",
		admitted, len(during), before, len(baseline), round(measured.P50), round(usual.P50))
}
