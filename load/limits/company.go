package limits

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// company calls with the other key while all is quiet, for comparison.
func (v *verification) company(ctx context.Context) (err error) {
	if v.with.Other == nil {
		return nil
	}
	v.quiet, err = several(ctx, v.with.Other)
	v.aside(otherPart, v.quiet)
	if err == nil && count(v.quiet, Admitted) == 0 {
		err = fmt.Errorf("%w: the other key is not admitted at all, the last call with status %d",
			ErrUnclear, v.quiet[len(v.quiet)-1].Observation.Status)
	}
	return err
}

// isolation calls with the other key while the limited one, whose limit is used up, goes on: it has gone on before, so that
// none of these calls comes too early.
func (v *verification) isolation(ctx context.Context, most int) error {
	flood := func() error {
		_, err := v.burst(ctx, most/2+further, 0)
		return err
	}
	if err := flood(); err != nil || v.with.Other == nil {
		return err
	}
	type result struct {
		calls []Call
		err   error
	}
	beside := make(chan result, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		calls, err := several(ctx, v.with.Other)
		beside <- result{calls, err}
	}()
	for range further {
		if len(beside) > 0 {
			break
		}
		if err := flood(); err != nil {
			cancel()
			v.accompanied((<-beside).calls)
			return err
		}
	}
	other := <-beside
	v.accompanied(other.calls)
	return other.err
}

// accompanied remembers the other key's calls beside the limited key's.
func (v *verification) accompanied(calls []Call) {
	v.beside = calls
	v.aside(otherPart, calls)
}

// What a flood beside it may cost another key: a gateway on a small machine slows down under load whatever it limits,
// and a median of five calls is easily wrong by a tenth of a second on a busy one.
const (
	slowdown = 10
	grace    = 250 * time.Millisecond
)

// judgeCompany compares the other key's calls beside the storm with those before it. A call that found nobody says
// nothing about a key.
func (v *verification) judgeCompany() {
	quiet, beside := slices.DeleteFunc(slices.Clone(v.quiet), unreachable), slices.DeleteFunc(slices.Clone(v.beside), unreachable)
	if len(beside) == 0 {
		return
	}
	was, is := count(quiet, Admitted), count(beside, Admitted)
	if len(beside)-is > len(quiet)-was {
		v.find(contract.KeyIsolation, contract.Should, "another key untouched by a limit that is used up",
			fmt.Sprintf("%d of its %d calls admitted (%d of %d before), %s", is, len(beside), was, len(quiet), failures(beside)))
	}
	before, during := timesOf("other key, before", quiet), timesOf("other key, beside the storm", beside)
	during.Bound = slowdown*before.P50 + grace
	if during.P50 > during.Bound {
		v.find(contract.KeyIsolation, contract.Should, fmt.Sprintf("another key's calls not slower than %d times their usual %s", slowdown, round(before.P50)),
			"a median of "+round(during.P50).String())
	}
	v.evidence.Times = []runlog.Times{before, during}
	v.checked(contract.KeyIsolation, "another key made %d calls beside the storm: %d admitted (%d of %d before), median %s (%s before)",
		len(beside), is, was, len(quiet), round(during.P50), round(before.P50))
}

// aside remembers calls that are not the limited key's, for the account.
func (v *verification) aside(part string, calls []Call) {
	for _, c := range calls {
		v.others = append(v.others, besideCall{c, part})
	}
}

// streams makes streaming calls once the limit is used up by others. When time has let all of them pass, it has to begin
// again: a window turns over between two calls as often as the machine is slow.
func (v *verification) streams(ctx context.Context, most int) error {
	if v.with.Stream == nil || v.declared.Shared == nil {
		return nil
	}
	for turn := 1; ; turn++ {
		var calls []Call
		err := v.in(streamed, func() (err error) {
			calls, err = several(ctx, v.with.Stream)
			v.streaming(calls)
			return err
		})
		if err != nil || !*v.declared.Shared || count(calls, Refused) > 0 || turn == turns {
			return err
		}
		if err := v.in(refusals, func() error { return v.use(ctx, most, 4*most) }); err != nil {
			return err
		}
	}
}

// streaming remembers streaming calls that were made when others had used the limit up. Where they are declared to use up
// the same limit, they are judged with all others besides.
func (v *verification) streaming(calls []Call) {
	v.streamCalls = calls
	if *v.declared.Shared {
		v.calls = append(v.calls, calls...)
	} else {
		v.aside(streamPart, calls)
	}
}

// judgeStreams looks at the streaming calls as such.
func (v *verification) judgeStreams() {
	calls := slices.DeleteFunc(slices.Clone(v.streamCalls), unreachable)
	if len(calls) == 0 {
		return
	}
	admitted, refused := count(calls, Admitted), count(calls, Refused)
	switch {
	case !*v.declared.Shared && admitted < len(calls):
		v.find(contract.StreamShare, contract.Should, "streaming calls to have a limit of their own, as declared",
			fmt.Sprintf("%d of %d admitted when the others' limit was used up, %s", admitted, len(calls), failures(calls)))
	case *v.declared.Shared && refused == 0:
		v.untested(contract.StreamShare, "%d streaming calls when the limit was used up by others: none refused", len(calls))
		return
	}
	v.checked(contract.StreamShare, "%d streaming calls when the limit was used up by others: %d refused", len(calls), refused)
}

// costs makes further calls once the limit is used up, and looks what they cost. When time has let one of them pass, it
// has to begin again.
func (v *verification) costs(ctx context.Context) error {
	for range turns {
		before, err := v.balance(ctx)
		if err != nil {
			return err
		}
		began := len(v.calls)
		for range further {
			if _, err := v.probe(ctx); err != nil {
				return err
			}
		}
		if count(v.calls[began:], Refused) < further {
			continue
		}
		after, err := v.balance(ctx)
		v.costLooked = err == nil && v.with.Balance != nil
		if err == nil && after < before {
			v.find(contract.RefusedFree, contract.Should, "refused calls to cost nothing",
				fmt.Sprintf("%g taken for %d refused calls", before-after, further))
		}
		return err
	}
	return nil
}

// balance is what the key's owner has left, always the same where nobody can tell.
func (v *verification) balance(ctx context.Context) (float64, error) {
	if v.with.Balance == nil {
		return 0, nil
	}
	left, err := v.with.Balance(ctx)
	if err != nil {
		return 0, fmt.Errorf("balance: %w", cut(ctx, err))
	}
	return left, nil
}

// throttled looks how the gateway passes on its upstream's own 429.
func (v *verification) throttled(ctx context.Context) error {
	if v.with.Throttled == nil {
		return nil
	}
	calls, err := several(ctx, v.with.Throttled)
	v.aside(upstreamPart, calls)
	if err != nil {
		return err
	}
	bound := v.declared.Attempts
	if bound <= 0 {
		bound = contract.DefaultAttempts
	}
	var reached, lost, most int
	var told string
	for _, c := range calls {
		o := c.Observation
		if o.Upstream == nil || len(o.Upstream.Attempts) == 0 {
			continue
		}
		reached++
		most = max(most, len(o.Upstream.Attempts))
		if got := first(o.Header["Retry-After"]); got != strconv.Itoa(v.declared.UpstreamRetryAfter) {
			lost++
			told = strconv.Quote(clip(got))
			if got == "" {
				told = "none"
			}
		}
	}
	if reached == 0 {
		v.untested(contract.UpstreamRefusal, "no call reached the upstream that was to refuse it")
		return nil
	}
	if lost > 0 {
		v.find(contract.UpstreamRefusal, contract.Should, fmt.Sprintf("the upstream's Retry-After: %d", v.declared.UpstreamRetryAfter),
			fmt.Sprintf("%s on %d of %d", told, lost, reached))
	}
	if most > bound {
		v.find(contract.UpstreamRefusal, contract.Should, fmt.Sprintf("at most %s at an upstream that refuses", attempts(bound)), strconv.Itoa(most))
	}
	v.checked(contract.UpstreamRefusal, "%d calls that the upstream refused: at most %s each", reached, attempts(most))
	return nil
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}
