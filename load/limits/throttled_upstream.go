package limits

import (
	"context"
	"fmt"
	"strconv"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// callThrottledUpstream makes calls that the upstream answers with 429.
func (v *verifier) callThrottledUpstream(ctx context.Context) error {
	if v.probers.Throttled == nil {
		return nil
	}
	var err error
	v.transcript.upstream429s, err = repeat(ctx, v.probers.Throttled)
	v.transcript.calledThrottled = err == nil
	return err
}

// checkUpstream429s checks how the gateway forwards the upstream's own 429.
func (a *assessment) checkUpstream429s() {
	if !a.calledThrottled {
		return
	}
	bound := a.declared.Attempts
	if bound <= 0 {
		bound = contract.DefaultAttempts
	}
	var reached, lost, maxAttempts int
	var got string
	for _, c := range a.upstream429s {
		o := c.Observation
		if o.Upstream == nil || len(o.Upstream.Attempts) == 0 {
			continue
		}
		reached++
		maxAttempts = max(maxAttempts, len(o.Upstream.Attempts))
		if value := contract.RetryWaitOf(o).Value; value != strconv.Itoa(a.declared.UpstreamRetryAfter) {
			lost++
			got = strconv.Quote(clip(value))
			if value == "" {
				got = "none"
			}
		}
	}
	if reached == 0 {
		a.untested(contract.UpstreamRefusal, "no call reached the upstream")
		return
	}
	if lost > 0 {
		a.find(contract.UpstreamRefusal, contract.Should, fmt.Sprintf("the upstream's Retry-After: %d", a.declared.UpstreamRetryAfter),
			fmt.Sprintf("%s (in %d of %s)", got, lost, plain.Count(reached, "call")))
	}
	if maxAttempts > bound {
		a.find(contract.UpstreamRefusal, contract.Should, fmt.Sprintf("at most %s per call when the upstream responds with 429", plain.Count(bound, "attempt")), plain.Count(maxAttempts, "attempt"))
	}
	a.held(contract.UpstreamRefusal, "the upstream answered %s with 429; the gateway passed on the upstream's Retry-After and made at most %s for each call (limit: %d)",
		plain.Count(reached, "call"), plain.Count(maxAttempts, "attempt"), bound)
}
