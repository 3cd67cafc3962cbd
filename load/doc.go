// Package load puts a gateway under stress and measures what it does, honestly: it says how late and how fit it was
// itself, keeps every class of outcome apart, and judges every answer by the contract while the load goes on.
//
// An [Engine] fires a [Phase] and returns a [Measurement]:
//
//	engine := load.NewEngine(load.Options{Secrets: profile.Secrets()})
//	defer engine.Close()
//	m, err := engine.Fire(ctx, load.Phase{
//		Name:     "storm",
//		Parts:    []load.Request{load.Through(profile, contract.Chat)},
//		Schedule: load.Constant{Rate: 200, For: 5 * time.Second},
//		Observe:  func(s load.Result) { ... },
//	})
//
// A stage has one or more parts - kinds of requests that are mixed by their weights: two keys, streams and plain calls,
// slow and healthy ones -, a [Schedule] that says when shots are due ([Constant], [Steps], [Ramp], [Poisson], [Burst],
// or the closed loop [Closed]), and bounds. Each request is one [Result] with its own instants:
//
//	Due ──── lag ────▶ Sent ──▶ FirstByte ──▶ FirstEvent ──▶ End
//	│                    └────────────── Service ─────────────┘
//	└───────────────────────── Response ──────────────────────┘
//
// Observe is called with every shot, by one goroutine, in the order in which the answers ended. It runs beside the
// load and not in its way: 8,192 shots wait for it before a worker does.
//
// The pace and the workers are those of vegeta's Attacker; each stage has a fresh one, with as many workers as the
// stage has connections and no more. Schedules, connections, answers and times are this package's. The requests are
// those of package exchange, byte for byte, without vegeta's own header fields.
//
// On top of it stand [Engine.Capacity], the search for the highest rate that meets an objective, [Engine.Overhead],
// which compares two ways to the same answer, and [Engine.Soak], which looks for drift. [WriteVegeta], [WriteHgrm] and
// [WriteOpenMetrics] write a measurement down for other tools.
//
// What an engine may do is bounded by [Caps]: of each stage the rate and the connections, of all stages together the
// requests and the time. [Engine.Plan] says beforehand what a stage will send, and where to.
package load
