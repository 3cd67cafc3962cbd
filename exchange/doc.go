// Package exchange makes one call on one surface and returns one observation of the answer.
//
//	Call ── build ──▶ request ── net/http or raw bytes ──▶ answer ── body reader ──▶ redact ──▶ Observation
//	         body, edits, fault, credential                            bounded reads,      once, before
//	                                                                   gzip, event stream  anything is cut
//
// A hostile gateway is a normal input: whatever it does is part of the [contract.Observation], never an error. [Limits]
// bounds the size, the time and the number of everything that is read. Keys and other secrets are replaced before the
// observation leaves the package; those that the gateway disclosed are listed as [contract.Leak].
//
// The package knows HTTP and event streams, and gets the requests of each surface from package dialect. It knows no rows
// and judges nothing.
package exchange
