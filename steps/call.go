package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
)

// maxTries bounds how often a case is run: a gateway whose answers come from its state each time cannot be judged by it.
const maxTries = 4

// call brings the case about and judges the answer. An answer that may come from the gateway's state rather than from the
// case - a circuit breaker that an earlier case opened, a limit of the valid key - is believed only if the gateway turns
// out to be healthy. Otherwise the case runs again, alone.
func (w *World) call(ctx context.Context, surface dialect.Surface, variant string) error {
	c, err := w.caseOf(surface, variant)
	if err != nil {
		return err
	}
	if !w.witness {
		w.gate.served.Store(false)
	}
	witness := w.witness && w.servedBefore(ctx, c)
	believed, err := w.firstTry(ctx, c)
	if err == nil && !believed && witness {
		// The gateway was healthy right before the case. If it is not for long after it, the case is why.
		aftermath, err := w.session.Aftermath(ctx, c.Surface)
		if err != nil || aftermath != nil && !aftermath.Served {
			return w.judgeAftermath(aftermath, err)
		}
	}
	if err == nil && !believed {
		w.gate.enterAlone()
		defer w.gate.leaveAlone()
		err = w.tryAgain(ctx, c)
	}
	if err != nil || !witness || w.result.Observation == nil || w.result.Reason != "" {
		return err
	}
	return w.judgeAftermath(w.session.Aftermath(ctx, c.Surface))
}

// servedBefore reports whether the gateway serves a healthy call before a case whose aftermath is to be seen.
func (w *World) servedBefore(ctx context.Context, c contract.Case) bool {
	if w.session.Limited() {
		return false // a healthy call would take what a case needs
	}
	if w.gate.served.Swap(false) {
		return true // the call after the case before
	}
	healthy, _, err := w.session.Healthy(ctx, contract.Case{Surface: c.Surface})
	return err == nil && healthy
}

// judgeAftermath judges the case again with what became of a healthy call after it, nil for nothing known.
func (w *World) judgeAftermath(aftermath *contract.Aftermath, err error) error {
	if err != nil || aftermath == nil {
		return err
	}
	o := *w.result.Observation
	o.Aftermath = aftermath
	w.judge(o)
	w.gate.served.Store(aftermath.Served)
	if !aftermath.Served && w.session.AnswersUnhealthy(o) {
		w.reject(contract.Untestable, "healthy calls failed after the case, and a failed healthy call received the same response as the case, so the response may come from a circuit breaker")
	}
	return nil
}

// firstTry runs the case beside others. On a gateway that is known to stop serving healthy calls, fewer run at once, and
// each after a healthy call: that also starts the count of a breaker anew that opens after failures in a row. It reports
// whether the answer is believed.
func (w *World) firstTry(ctx context.Context, c contract.Case) (believed bool, err error) {
	fragile := w.gate.enter(w.session.AtOnce)
	defer w.gate.leave()
	// A refusal that needs no upstream can be had of a gateway that serves nobody.
	if fragile && !w.recovered(ctx, c) && c.Reach() == contract.ReachMust {
		return true, nil
	}
	o, ok := w.observe(ctx, c)
	if !ok {
		return true, nil
	}
	switch d := w.doubt(o); d {
	case noDoubt:
		return true, nil
	case doubtful:
		return false, nil
	default:
		healthy, _, err := w.session.Healthy(ctx, c)
		return w.believes(d, o, healthy), err
	}
}

// believes reports whether an answer is believed that was followed by a healthy call.
func (w *World) believes(d doubt, o contract.Observation, healthy bool) bool {
	return healthy || d == ifSame && !w.session.AnswersUnhealthy(o)
}

// recovered waits until the gateway serves healthy calls; where it does not, the case cannot be tested.
func (w *World) recovered(ctx context.Context, c contract.Case) bool {
	if _, err := w.session.AwaitRecovery(ctx, c); err != nil {
		w.reject(contract.Untestable, fmt.Sprintf("the gateway does not serve healthy calls: %v", err))
		return false
	}
	return true
}

// tryAgain runs the case alone, once the gateway is healthy, until its answer can be believed.
func (w *World) tryAgain(ctx context.Context, c contract.Case) error {
	for {
		if !w.recovered(ctx, c) {
			return nil
		}
		o, ok := w.observe(ctx, c)
		if !ok {
			return nil
		}
		d := w.doubt(o)
		if d == noDoubt {
			return nil
		}
		healthy, detail, err := w.session.Healthy(ctx, c)
		refused := o.Status == http.StatusTooManyRequests
		switch {
		case err != nil:
			return err
		case d == ifSame && w.believes(d, o, healthy):
			return nil
		case healthy && !refused && (!w.session.Limited() || w.result.Tries > 2):
			return nil // the gateway is healthy, so the answer stands
		case healthy && !refused:
			// The limit may have refused this one too: once more, at the same pace.
		case w.result.Tries == maxTries && !healthy:
			w.reject(contract.Untestable, fmt.Sprintf("gatecert ran the case %d times, and each time the next healthy call failed (%s), so the responses may come from a circuit breaker or a rate limit", maxTries, detail))
			return nil
		case w.session.Limited() && w.result.Tries < maxTries:
			w.session.SlowDown()
		case refused && healthy:
			// A 429 that is not the row's own is inconclusive, however often it comes.
			w.reject(contract.Untestable, fmt.Sprintf("the gateway refused %s with 429: if the key is rate-limited, use another key or declare the limit in limits.valid", plain.Count(w.result.Tries, "attempt")))
			return nil
		}
	}
}

// observe brings the case about once, and judges the answer. It returns false when that failed.
func (w *World) observe(ctx context.Context, c contract.Case) (contract.Observation, bool) {
	w.result.Tries++
	o, err := w.session.Observe(ctx, c)
	if errors.Is(err, ErrGivenUp) {
		w.reject(contract.Untestable, strings.TrimPrefix(err.Error(), ErrGivenUp.Error()+": "))
		return o, false
	}
	if err != nil {
		w.reject(contract.Error, fmt.Sprintf("%s: %v", c.ID(), err))
		return o, false
	}
	w.judge(o)
	return o, true
}

// doubt says whether an answer may come from the state of the gateway rather than from the case.
type doubt int

const (
	noDoubt doubt = iota
	// ifUnhealthy is an answer that a healthy call right after it confirms.
	ifUnhealthy
	// ifSame is an answer that is believed unless the healthy call right after it gets the same: a breaker that the call's
	// own first attempt has opened may answer its second.
	ifSame
	// doubtful is an answer that is believed when it comes again, alone, from a healthy gateway.
	doubtful
)

func (w *World) doubt(o contract.Observation) doubt {
	row, _ := contract.RowByID(w.current.Row)
	switch {
	case w.result.Verdict == contract.Untestable && (o.Status/100 == 5 || o.Status == http.StatusTooManyRequests):
		return doubtful // another case may have taken the upstream out of service, for a moment
	case w.result.Verdict == contract.Untestable:
		return ifUnhealthy
	case o.Status == http.StatusTooManyRequests && w.current.Row != contract.RowRateLimited && !w.tellsTheRow() && !reached(o):
		return doubtful
	case w.session.AnswersUnhealthy(o):
		return doubtful
	case o.Status/100 == 5 && w.current.Reach() == contract.ReachMust && w.result.Verdict != contract.Pass && !w.session.Limited():
		return ifSame
	case o.Status/100 == 5 && w.current.Reach() != contract.ReachMust:
		// A breaker answers so, whether the row expects it or not.
		if row.Status.Accepts(o.Status) && w.result.Verdict.Conformant() {
			return ifUnhealthy
		}
		return doubtful
	default:
		return noDoubt
	}
}

// reached reports whether the call got as far as the upstream: no limit of the key has refused it then.
func reached(o contract.Observation) bool { return o.Upstream != nil && len(o.Upstream.Attempts) > 0 }

// tellsTheRow reports whether the answer has the row's own code, which no limiter would send.
func (w *World) tellsTheRow() bool {
	row, _ := contract.RowByID(w.current.Row)
	return row.Code() != "" && w.judgement.Results[contract.Code] == contract.Held
}
