// Package load sends requests to a gateway at a given rate and measures the responses.
//
// An [Engine] runs one [Phase] at a time. A phase is a period of load. Running a phase returns a [Measurement]:
//
//	engine := load.NewEngine(load.Options{})
//	defer engine.Close()
//	m, err := engine.Run(ctx, load.Phase{
//		Name: "steady",
//		Mix:  []load.Request{{Name: "chat", Call: call}},
//		Rate: 200, For: 5 * time.Second,
//	})
//	fmt.Println(m.Of(load.AllRequests, runlog.Admitted).Latency.Quantile(0.99), m.Verdict())
//
// The instant at which each request is due is fixed before the phase begins, so a slow gateway does not slow the requests down. This is an open loop:
// latency is what callers experience, free of coordinated omission.
//
// # One request
//
// Each request yields one [Result] with five instants, counted from the start of the phase:
//
//	Due ──── lag ────▶ Sent ──▶ FirstByte ──▶ FirstEvent ──▶ End
//	│                    └─────────── service time ───────────┘
//	└──────────────────────── latency ────────────────────────┘
//
// Lag has two causes, which are counted separately. If every connection was in use, the request waited for the gateway ([Measurement.Waited]).
// Otherwise this machine was late ([GeneratorHealth]). If this machine could not generate the load of a phase, [GeneratorHealth.Problems] lists the
// reasons, and the verdict of the phase is error: the phase is not evidence for or against the gateway.
//
// Every response is classified by its outcome (admitted, refused, an error, a timeout …) and checked against the contract while the load runs.
// [Measurement.Violations] counts the requirements that responses violated. Each outcome of each kind of request has its own [Metrics], because one
// histogram of fast refusals and slow successes would describe neither.
//
// # Experiments
//
// [Engine.Capacity] searches for the highest rate that the gateway sustains within an [SLO]. [Engine.Ramp] raises the rate until the SLO is missed,
// and [Engine.Sweep] measures a closed loop at increasing concurrency. [Engine.Compare] measures how two targets differ, such as a gateway and its
// upstream. [Engine.Soak] holds a rate for a long time and looks for drift. [Measurement.LogMain] puts a measurement into a log, from which package
// reports/measured renders pages and exports. [WriteVegeta] exports its single results.
//
// # Limits
//
// [Caps] bound the rate and the connections of each phase, and the requests and the time of all phases of an engine together. [Engine.Plan] returns
// what a phase will send, and to which hosts, before anything is sent.
//
// # How it is built
//
// Each phase is sent by a new vegeta Attacker, with exactly as many workers as the phase has connections. The pacer, the connections, the parsing of
// responses and the timing belong to this package. Requests are those of package exchange, byte for byte, without vegeta's own header fields.
package load
