// Package targets describes the gateway under test: its profile, the part of the contract that it claims, and how each circumstance is created on it.
// A driver prepares one kind of gateway. The drivers and the mock upstream are in the folders below this one.
package targets
