// Package limits infers how a gateway limits the rate of calls, and verifies that it does so as declared.
//
// The package sees a gateway from outside, through a [Prober]. A caller cannot know exactly when the gateway decided about a call, only that it
// decided after the call was sent and before the first byte of the response arrived. The instant of every decision is therefore known only as an
// interval, and the package draws a conclusion about a limiter only if the conclusion holds for every possible instant in these intervals. On a busy
// machine, the intervals are wider and the conclusions fewer, but no conclusion becomes wrong.
//
// # Kinds of limiter
//
// The five kinds differ in what they admit when they are drained at once and then polled without a pause:
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
//	refill     polls, until one and a half times the limit has been admitted
//	boundary   on an idle limiter: half of the limit, half a window later the rest, and again after 1.2 windows
//	credit     on an idle limiter: one call at a time until one is refused, then polls
//
// After each experiment, Infer fits every kind to all responses and counts the responses that contradict it. Infer ends when one kind is left, and
// names that kind only if it explains nearly all responses.
//
// # Verification
//
// [Verify] takes a declared limit and returns a finding for each requirement that does not hold. It makes its calls in phases, whose names appear in
// the reports (here for a token bucket of 4; █ admitted, · refused):
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
// A sliding log frees nothing before its window has passed, so the sustained phase is left out. With a sliding counter, Verify makes no calls for a
// while after the initial burst, because a single call would count for two more windows. If no kind is declared, the calls use up all freed capacity
// for two windows, and the burst follows when the limit is free. A limit on calls in flight is verified with calls that the upstream holds; this
// needs no rests. Last, calls that the upstream answers with 429 show whether that 429 reaches the client with its Retry-After.
//
// Verify uses only admitted calls to conclude that a gateway admits more than declared: in some period, they exceed what a limiter of the declared
// kind (of any kind, if none is declared) may admit, wherever its windows begin. Refusals are not evidence of this, because another limit may have
// caused them: for example, nginx with two zones, a limit of the upstream in addition to the gateway's own, or a bucket that is refilled in steps.
// Findings that need refusals as evidence have level SHOULD, and so does the finding that a call was refused although the limit had capacity. Such a
// finding names the simplest other limit that explains every response, or reports that no limit does.
//
// Every refusal is also judged by the contract, and every rate-limit header field is compared with what happened.
//
// The package prints nothing, has no state of its own, and sends only what a [Prober] sends.
package limits
