// Package targets describes the gateway under test: its profile, what of the contract it claims, and how each
// circumstance is brought about on it. A driver prepares a kind of gateway; the folders below this one hold them, and
// the mock upstream.
package targets
