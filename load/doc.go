// Package load sends requests to a gateway at a given rate and measures what comes back.
//
// An [Engine] runs one [Phase] after the other. A phase is a stretch of load; running it returns a [Measurement]:
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
// The instant at which each request is due is fixed before the phase begins, and a slow gateway does not slow the requests
// down. That is an open loop, in which latency means what callers experience: it is free of coordinated omission.
//
// # One request
//
// Each request yields one [Result] with five instants, counted from the start of the phase:
//
//	Due ──── lag ────▶ Sent ──▶ FirstByte ──▶ FirstEvent ──▶ End
//	│                    └─────────── service time ───────────┘
//	└──────────────────────── latency ────────────────────────┘
//
// Lag has two causes, and they are kept apart. When every connection was in use, the request waited for the gateway
// ([Measurement.Waited]). Otherwise this machine was late ([GeneratorHealth]). When this machine could not generate a phase as
// asked, [GeneratorHealth.Problems] lists why, and its verdict is error: it is not evidence for or against the gateway.
//
// Every response is classified by its outcome (admitted, refused, an error, a timeout …) and checked against the
// contract while the load goes on. What it violates is counted in [Measurement.Violations]. Each outcome of each
// request has its own [Metrics], because a fast refusal and a slow success in one histogram describe neither.
//
// # Experiments
//
// [Engine.Capacity] searches for the highest rate that is sustained within an [SLO], [Engine.Ramp] raises the rate until it is missed,
// and [Engine.Sweep] measures a closed loop at growing concurrencies. [Engine.Compare] measures how two targets differ, such as
// a gateway and its upstream. [Engine.Soak] holds a rate for long and looks for drift.
// [Measurement.LogMain] puts a measurement into a log, from which package reports/measured renders pages and exports. [WriteVegeta]
// exports its single results.
//
// # Limits
//
// [Caps] bound the rate and the connections of each phase, and the requests and the time of all phases of an engine.
// [Engine.Plan] returns what a phase will send, and to which hosts, before it is sent.
//
// # How it is built
//
// vegeta's Attacker keeps the pace and the workers: a new Attacker for each phase, with as many workers as the phase has
// connections and no more. Pace, connections, responses and times belong to this package. Requests are those of
// package exchange, byte for byte, without vegeta's own header fields.
package load
