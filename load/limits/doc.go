// Package limits finds out how a gateway limits the rate of calls, and proves whether it does so as declared.
//
// It sees a gateway from outside, through a [Prober], and knows when the gateway decided about a call only as well as
// the caller can: not before the call was sent, not after the first byte of its answer. So a decision is an interval
// everywhere here, never a point, and a statement about a limiter is made only when it holds wherever in their
// intervals the decisions fell. On a busy machine the intervals widen and the statements get fewer; none gets wrong.
//
// [Infer] names the kind of limiter and its numbers: it makes experiments in which the kinds differ and then asks of
// every kind which of the answers it cannot explain. [Verify] takes a declared limit and returns a finding for each
// obligation that does not hold.
//
//	drained at once, then asked without pause:
//
//	fixed window     ████····|██████······|██████····    all of it at each boundary of the clock
//	sliding log      ████··········████··········███     all of it, one window after it was used
//	sliding counter  ████····|█·█·█·█·█·█·█·█·█·█·█·     nothing until the boundary, then one by one
//	token bucket     ████·█·█·█·█·█·█·█·█·█·█·█·█·█·     one by one from the first moment
//	concurrency      ██████████████████████████████     a call at a time is never refused
//
// What [Verify] proves depends on what is declared. With a fixed window, a sliding log or a token bucket it finds a gateway
// that grants its limit twice as often. Where no kind is declared, and with a sliding counter, the calls are held against
// the kind and the boundaries that explain them best, and such a gateway may be explained by boundaries that fell well.
//
// The package sends nothing itself, prints nothing and has no state of its own.
package limits
