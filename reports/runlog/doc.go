// Package runlog is the event log of a run as data: a header, the control calls, one event a case, and a footer. [Writer]
// appends them to NDJSON, [Read] reads them back as a [Run].
//
// A log without a footer is incomplete, never a short success. The package imports nothing but the contract, so that
// renderers, baselines and certificates read logs without linking anything that makes them.
package runlog
