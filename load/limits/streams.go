package limits

import (
	"context"
	"fmt"

	"github.com/gatecert/gatecert/contract"
)

// callsStreams reports whether streaming calls are made: whether they share the limit has to be declared.
func (v *verifier) callsStreams() bool { return v.probers.Stream != nil && v.declared.Shared != nil }

// callStreams makes streaming calls while the limit is used up. When all of them pass because time freed the limit meanwhile, it
// is used up again and they are repeated: on a slow machine a window often ends between two calls.
func (v *verifier) callStreams(ctx context.Context) error {
	if !v.callsStreams() {
		return nil
	}
	for turn := 1; ; turn++ {
		var calls []Call
		err := v.in(phaseStreaming, func() (err error) {
			calls, err = repeat(ctx, v.probers.Stream)
			v.recordStreams(calls)
			return err
		})
		if err != nil || !v.declared.sharesStreams() || count(calls, Refused) > 0 || turn == maxTurns {
			return err
		}
		if err := v.in(phaseOverLimit, func() error { return v.useUp(ctx, v.declared.capacity()) }); err != nil {
			return err
		}
	}
}

// recordStreams records streaming calls. Where they are declared to share the limit, they are also judged like all other calls.
func (v *verifier) recordStreams(calls []Call) {
	v.transcript.streams = calls
	if !v.declared.sharesStreams() {
		return
	}
	for _, c := range calls {
		c.phase = phaseStreaming
		v.calls = append(v.calls, c)
	}
}

// checkStreams compares the streaming calls with the declaration: refused while the limit is used up, or admitted.
func (a *assessment) checkStreams() {
	calls := connected(a.streams)
	if len(calls) == 0 {
		return
	}
	admitted, refused := count(calls, Admitted), count(calls, Refused)
	switch shared := a.declared.sharesStreams(); {
	case !shared && admitted < len(calls):
		a.find(contract.StreamShare, contract.Should, "streaming calls to have their own limit, as declared",
			fmt.Sprintf("%d of %d streaming calls admitted while the limit for other calls was used up: %s", admitted, len(calls), describeFailures(calls)))
	case shared && refused == 0:
		a.untested(contract.StreamShare, "none of the %d streaming calls was refused, but the limit may have recovered before they were made", len(calls))
		return
	}
	a.held(contract.StreamShare, "%d of %d streaming calls were refused while the limit was used up", refused, len(calls))
}
