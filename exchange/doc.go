// Package exchange makes one call on one surface and returns one observation of what came of it.
//
//	Call ── build ──▶ request ── transport, or a wire of its own ──▶ answer ── intake ──▶ redact ──▶ Observation
//	         body, edits, fault, credential                            bounded reading,      once, before
//	                                                                   gzip, event stream    anything is cut
//
// A hostile gateway is a normal input: whatever it does is part of the [contract.Observation], never an error. Size,
// time and count of everything that is read are bounded by [Limits]. Keys and other secrets are replaced before the
// observation leaves the package; those that the gateway let out are listed as [contract.Leak].
//
// The package knows the dialects' requests and the formats of HTTP and event streams. It knows no rows and judges nothing.
package exchange
