// Package exchange makes one call on one surface and returns one observation of the response.
//
//	Call ── build ──▶ request ── net/http or raw bytes ──▶ answer ── body reader ──▶ redact ──▶ Observation
//	         body, edits, fault, credential                            bounded reads,      once, before
//	                                                                   gzip, event stream  anything is cut
//
// The package expects hostile gateways: whatever a gateway does becomes part of the [contract.Observation], never an error. [Limits] limits the size,
// duration and number of everything that is read. Keys and other secrets are redacted before the observation leaves the package. Secrets that the
// gateway disclosed are listed as [contract.Leak].
//
// The package implements HTTP and event streams, and obtains the requests of each surface from package dialect. It knows nothing about rows and does
// not judge.
package exchange
