// Package limits infers how a gateway limits the rate of calls, and verifies that it does so as declared.
//
// It sees a gateway from outside, through a [Prober]. When the gateway decided about a call is known only as well as the caller
// can know it: not before the call was sent, and not after the first byte of its response. So every decision is an interval
// here, and a statement about a limiter is made only if it holds wherever in their intervals the decisions fell. On a busy
// machine the intervals are wider and the statements fewer, but none becomes wrong.
//
// # Kinds of limiter
//
// The five kinds differ in what they admit after they were drained at once and are then polled without pause:
//
//	fixed window     ████····|██████······|██████····    the whole limit at each boundary of the clock
//	sliding log      ████··········████··········███     the whole limit, one window after it was used
//	sliding counter  ████····|█·█·█·█·█·█·█·█·█·█·█·     nothing until the boundary, then one by one
//	token bucket     ████·█·█·█·█·█·█·█·█·█·█·█·█·█·     one by one from the beginning
//	concurrency      ██████████████████████████████     always one call at a time
//
// # Inference
//
// [Infer] finds the kind and its parameters in experiments:
//
//	drain      bursts that double in size, until a call is refused
//	hold       if single calls still pass: calls held in flight, with single calls meanwhile
//	refill     polls, until the limit and half as much again was admitted
//	boundary   on an idle limiter: half of the limit, half a window later the rest, and again after 1.2 windows
//	credit     on an idle limiter: one call at a time until one is refused, then polls
//
// After each experiment it fits all kinds to all responses and counts those that contradict each kind. It ends when one kind is
// left, and names it only if that explains nearly all responses.
//
// # Verification
//
// [Verify] takes a declared limit and returns a finding for each requirement that does not hold. It plays these phases, of which
// the reports show the names (here a token bucket of 4; █ admitted, · refused):
//
//	phase          calls                   what is verified
//	initial burst  █ ██ █··· ······        at most the limit is admitted, the control key is not affected
//	recovery       · · █                   the limit is freed in time, Retry-After is right
//	sustained      ·█··█··█··█             whatever is freed is used up, for a window: no more is freed than declared
//	               (rest until the limit is free)
//	sequential     █ █ █ █ ·               exactly the limit is admitted
//	streaming      · · · · ·               streaming calls share the limit
//	over limit     · · · · ·               refused calls cost nothing
//	recovery       · · █                   as above
//	               (rest until the limit is free)
//	burst          ████·······             exactly the limit is admitted, however many calls arrive at once
//
// A sliding log frees nothing before its window has passed, so nothing is sustained. A sliding counter rests after the initial
// burst, since a single call would count for two more windows. Where no kind is declared, all that is freed is used up for two
// windows, and the burst follows when the limit is free. A limit on calls in flight is verified with calls that the upstream holds;
// there is nothing to rest for. Last, calls that the upstream answers with 429 show whether that 429 reaches the client with its
// Retry-After.
//
// That more is admitted than declared is said on the strength of the promise alone: the admitted calls exceed what a limiter of the
// declared kind, or of any kind where none is declared, may admit in some stretch of time, wherever its windows begin. A refusal is
// no evidence of it, for another limit may have refused: nginx with two zones, a limit of the upstream behind the gateway's own, a bucket
// that is refilled in steps. What refusals imply beyond it is a SHOULD, and so is a refusal although the limit had capacity. The
// finding names the simplest other limit that explains every answer, or says that none does.
//
// Every refusal is also judged by the contract, and every rate-limit header field is compared with what happened.
//
// The package prints nothing, has no state of its own, and sends only what a [Prober] sends.
package limits
