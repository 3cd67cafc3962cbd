package limits

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Verify makes the calls that show whether a declared limit holds, and returns a finding for each requirement that does not. It
// assumes that nobody else uses the keys at the same time. It makes about four times as many calls as the limit, and a few
// hundred more, in a little more than two windows (three for a fixed window, for a sliding counter and if no kind is declared).
//
// It returns [ErrDeclared], [ErrBudget], [ErrInconclusive] and [ErrGone], and the probers' errors. With an error, the findings
// and the summary cover the calls made until then, except calls that the budget cut short or that the gateway did not answer
// before it went down.
func Verify(ctx context.Context, p Probers, d DeclaredLimit, b Budget) ([]contract.Finding, runlog.LoadSummary, error) {
	a, err := verifyOne(ctx, p, d, nil, b)
	if a == nil {
		return nil, runlog.LoadSummary{}, err
	}
	return a.findings, a.summary(), err
}

// verifyOne verifies a limit beside which others act.
func verifyOne(ctx context.Context, p Probers, d DeclaredLimit, others *others, b Budget) (*assessment, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if d.Slack <= 0 {
		d.Slack = defaultSlack
	}
	v := &verifier{recorder: newRecorder(p.Limited, b), probers: p, declared: d}
	v.keepFailures = true
	if others != nil {
		v.alongside = others.limits
	}
	t, err := v.run(ctx)
	if errors.Is(err, ErrGone) {
		t.discardAfterShutdown()
	}
	a := assess(d, t, others)
	if err == nil {
		err = a.inconclusive()
	}
	return a, err
}

// verifier makes the calls of a verification, phase by phase.
type verifier struct {
	*recorder

	probers  Probers
	declared DeclaredLimit
	// alongside are the other limits of the same key.
	alongside  []DeclaredLimit
	transcript transcript
	// lastUse is when the limit was used last, recovered when it admitted a call again: the zero time if it did not.
	lastUse, recovered time.Time
	// sustained says that what was freed since was used up too.
	sustained bool
}

// run makes all calls. The transcript is what was recorded until an error.
func (v *verifier) run(ctx context.Context) (transcript, error) {
	ctx, cancel := v.withDeadline(ctx)
	defer cancel()
	measure := v.verifyRate
	switch {
	case v.declared.Tokens:
		measure = v.verifyTokens
	case v.declared.Kind == contract.Concurrency:
		measure = v.verifyConcurrency
	}
	err := measure(ctx)
	if err == nil {
		err = v.callThrottledUpstream(ctx)
	}
	t := v.transcript
	t.began, t.took, t.calls = v.began, time.Since(v.began), v.calls
	return t, err
}

func (v *verifier) in(p phase, run func() error) error {
	from := time.Since(v.began)
	v.phase = p
	err := run()
	v.transcript.phases = append(v.transcript.phases, runlog.Phase{Name: string(p), From: from, To: time.Since(v.began)})
	return err
}

// maxTurns is how often calls are repeated that need the limit used up, when time frees it before they are through.
const maxTurns = 3

// repeats is how many calls are made where one would do: enough for a median, and few enough for any limit.
const repeats = 5

// repeat makes calls with another prober than the limited key's. It makes more than repeats only to find out whether the gateway
// is gone. It returns [ErrGone] and the prober's errors, with the calls until then.
func repeat(ctx context.Context, p Prober) ([]Call, error) {
	calls := make([]Call, 0, repeats)
	var failures failures
	for len(calls) < repeats || len(failures.unconnected) == len(calls) {
		c, err := p(ctx, 0)
		if err != nil {
			return calls, fmt.Errorf("probe: %w", withCause(ctx, err))
		}
		calls = append(calls, c)
		failures.add(c)
		if err := failures.checkGone(); err != nil {
			return calls, err
		}
	}
	return calls, nil
}

// recoverySlack is how late a limit may be freed before polling is given up, besides a tenth of its time.
const recoverySlack = time.Second

// recover polls until a call is admitted again. It returns when that was, the zero time for never.
func (v *verifier) recover(ctx context.Context) (at time.Time, err error) {
	ended, reset := time.Now(), v.declared.timeToReset()
	err = v.in(phaseRecovery, func() error {
		took, err := v.pollUntilAdmitted(ctx, ended.Add(reset+reset/10+recoverySlack))
		if took > 0 {
			at = ended.Add(took)
		}
		if v.transcript.recovery == nil {
			v.transcript.recovery = &took
		}
		return err
	})
	return at, err
}

var (
	// ErrDeclared is returned when a declared limit is not valid.
	ErrDeclared = errors.New("the declared limit is invalid")
	// ErrBudget is returned if a [Budget] has too few calls or too little time for the next step.
	ErrBudget = errors.New("the call or time budget is too small")
	// ErrInconclusive is returned when the calls show too little about a limit: too many of them failed, none was admitted,
	// or the limit was never reached.
	ErrInconclusive = errors.New("inconclusive")
	// ErrGone is returned when the gateway went down: the last ten calls could not connect.
	ErrGone = errors.New("the gateway can no longer be reached")
)
