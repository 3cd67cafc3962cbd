// Package clients runs the circumstances of the contract through real client libraries and records how the libraries handle the responses.
//
//	manifest.go      the list of adapters
//	protocol.go      the lines between gatecert and an adapter
//	process.go       an adapter as a child process: bounded, and ended with its context
//	recorder.go      the loopback server between a client and the gateway; it sees every attempt
//	probe.go         answers that the recorder gives by itself; probestream.go has the streams, probelate.go those that come late
//	plan.go          what a client plays, and in which order the log has it
//	play.go          rows and probes × clients
//	observe.go       adapter and recorder together: how the client behaved
package clients
