// Package fleet sends a load from several processes, on one machine or on many, as if from one process.
//
// The coordinator (a [Fleet]) divides each phase of a load into shares and sends them to workers ([Join]), which run the same program. They
// communicate through a NATS server with JetStream: an existing one, or one that the coordinator starts ([StartServer]):
//
//	             shards (JetStream, acknowledged)
//	coordinator ────────────────────────────────▶ workers ──▶ gateway
//	     ▲        start, lease (every 500 ms)        │
//	     └───────────────────────────────────────────┘
//	        hello (every 500 ms), portions (JetStream, acknowledged)
//
// [Fleet.For] returns [load.Generators]: an engine that has them runs its phases on the fleet.
//
// # One phase
//
// The coordinator measures how much each worker's clock differs from its own, and sends each worker its shard: the phase and the worker's
// share of it. A worker is ready when it has built its requests, connected to the gateway and checked its descriptors. When all workers are
// ready, the coordinator names an instant, at which all of them begin: worker i of N sends the requests i, i+N, i+2N … of the one schedule.
// Each worker sends back its portion, which contains histograms and counts. [load.Phase.Join] adds the portions up.
//
// # What can go wrong
//
// A load is never silently smaller than planned. If a worker is lost or late, or could not keep up, the phase is inconclusive and names the
// worker. A phase that loses a worker is aborted and, if the caps allow, run again by the remaining workers.
//
// A worker sends only while it has a lease. Every 500 ms the coordinator extends the lease to two seconds from then. The worker converts
// this instant to its own monotonic clock, so that a message that was delayed on its way does not make the lease longer. Two seconds after
// the coordinator has disappeared, every worker has stopped.
//
// Shards and portions have ids. A message that arrives twice is answered twice, but run once.
//
// # Which targets a worker sends to
//
// A worker sends only to the targets that it was started for ([WorkerOptions.Targets]). Messages are sealed with a secret that
// coordinator and workers share, unless the connection is encrypted or stays on this machine. Coordinator and worker refuse to work
// together if their versions or their contracts differ.
package fleet
