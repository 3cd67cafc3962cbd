// Package outage finds out what a gateway does while a share of its provider's calls goes wrong: whether the calls that
// go wrong are answered as the contract says, and whether those beside them, and after them, go on as if nothing were.
//
// There are two experiments. In [Slow] the provider hangs, or falls silent in the middle of an answer or a stream; in
// [Failing] it answers 500, resets the connection or breaks a stream off. Both are played by [Verify]:
//
//	before     healthy calls alone, plain and streaming             what is normal here
//	outage     as many calls, and every fifth is a sick one         every answer to a sick call is judged by its row
//	waiting    … for the answers to the last sick calls             where they hang
//	after      healthy calls alone until none of them fails         how long it takes to be well again
//	leaving    callers that hang up while the provider hangs        whether the provider hears of it (slow only)
//
//	experiment, err := outage.Slow(prepared, contract.Chat)
//	plan, err := experiment.Plan(engine)
//	findings, evidence, err := outage.Verify(ctx, engine, experiment)
//	account := evidence.Account()
//
// A machine that is busy must not be blamed on a gateway. So times are compared with what they were before, by a ratio and
// a generous allowance; our own longest lag is added to every allowance; and whatever a hiccup could have brought about is
// held against the gateway only when a second round shows it again. A witness goes along: calls straight to the provider.
// When these take long too, or when calls pile up before anything goes wrong, the result is an error - [ErrUnfit],
// [ErrUnwell] - and no finding. What a round cannot show is [load.Untested].
//
// The package prints nothing and has no state of its own.
package outage
