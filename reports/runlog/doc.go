// Package runlog is the event log of a run as data: a header, the control calls, one event per case, and a footer.
// [Writer] appends events to an NDJSON file, [Read] reads them back as a [Run].
//
// A log without a footer is incomplete, never a short success. The package imports only contract and dialect, so that
// renderers, baselines and certificates read logs without linking the code that produces them.
package runlog
