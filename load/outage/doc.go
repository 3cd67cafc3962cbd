// Package outage measures how a gateway behaves while its upstream fails on a share of the requests: whether each of these requests receives the
// error that the contract requires, and whether all other requests are served as before.
//
// An [Experiment] is either a slow outage (the upstream hangs, or falls silent in the middle of a response or a stream) or a failing outage (the
// upstream answers 500, resets the connection or cuts a stream off). [Verify] runs it in phases:
//
//	at once       healthy requests that the upstream holds         how many calls are served at once
//	before        healthy requests only, plain and streaming       the baseline
//	outage        healthy requests and, one in five, faulty ones   every response to a faulty request is judged by its row
//	waiting       for the responses to the last faulty requests    only where the upstream hangs
//	after         healthy requests until none of them fails        how long the gateway takes to recover
//	at once       again, until as many are served as at the start  whether failed calls keep their slots
//	disconnects   clients that disconnect while the upstream       whether the upstream call is cancelled
//	              hangs (slow outages only)
//
//	traffic, err := experiment.MaxTraffic(engine)
//	findings, evidence, err := outage.Verify(ctx, engine, experiment)
//	summary := evidence.Summary()
//
// Verify takes care not to blame the gateway for a busy machine:
//
//   - Latencies are compared with those of the baseline, by a ratio and a generous allowance.
//   - The generator's own longest lag is added to every allowance.
//   - A finding that a stall of the machine could have caused is reported only if a second round confirms it.
//   - A few requests bypass the gateway and go directly to the upstream. If these are slow too, the machine is the cause.
//
// If the machine is too busy or the baseline too poor, Verify returns an error ([ErrGeneratorBusy], [ErrNoBaseline]) instead of a finding. A
// requirement that a round cannot test is [contract.Untested].
package outage
