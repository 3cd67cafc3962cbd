// Package fleet sends a load from several processes, on one machine or on many, as if it were one.
//
// A coordinator, a [Fleet], divides each phase of a load into shares and sends them to workers ([Join]), which are the same program. Between
// them is a NATS server with JetStream, somebody's own or one that the coordinator starts ([StartServer]):
//
//	             shards (JetStream, acknowledged)
//	coordinator ────────────────────────────────▶ workers ──▶ gateway
//	     ▲        start, lease (every 500 ms)        │
//	     └───────────────────────────────────────────┘
//	        hello (every 500 ms), portions (JetStream, acknowledged)
//
// A Fleet is a [load.Generators]: an engine that has one runs its phases there.
//
// # One phase
//
// The coordinator measures how far each worker's clock is from its own, and sends each worker its shard: the phase, with the share of it.
// A worker that is ready has built its requests, connected to the gateway and checked its descriptors. When all are, the coordinator names
// an instant, and at that all begin: worker i of N sends the requests i, i+N, i+2N … of the one schedule. Each sends back its portion,
// with histograms and counts, which are added up ([load.Phase.Join]).
//
// # What can go wrong
//
// Nothing is silently smaller. Where a worker is lost, late, or could not keep up, the phase is inconclusive and names it. A
// phase from which a worker is lost is given up, and run again by those that are left, if the caps allow.
//
// A worker sends only while it has a lease. The coordinator extends it every 500 ms by two seconds, in the worker's own monotonic time, so
// that a lease that was delayed on its way is no longer than any other. Without a coordinator every worker has stopped after that.
//
// Shards and portions have ids. A message that comes twice is answered twice and run once.
//
// # Who may aim it
//
// A worker sends to the targets that it was started for, and to no others ([WorkerOptions.Targets]). Messages are sealed with a secret that
// coordinator and workers share, unless the connection is encrypted or stays on this machine. Both refuse to work with another version or
// another contract.
package fleet
