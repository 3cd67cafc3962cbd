// Package exchange makes one call on one surface and returns one observation of it.
//
//	Call ── build ──▶ request ── transport, or a connection of its own ──▶ answer ── read ──▶ redact ──▶ Observation
//	         body, edits, fault, credential                                          bounds,    once, before
//	                                                                                 gzip, SSE  anything is cut
//
// A hostile gateway is a normal input: whatever it does is part of the [contract.Observation], never an error. [Limits]
// bounds the size, time and number of everything that is read. Keys and other secrets are replaced before the
// observation leaves the package; those that the gateway leaked are listed as [contract.Leak].
//
// The package knows HTTP and event streams, and takes the API formats from package dialect. It knows no rows.
package exchange
