// Package reports holds the event log of a run and everything that is made from it.
//
// A run appends its events to a log with [Writer]: a header, controls and cases as they end, a footer. [Read] reads the
// log back as a [Run]. Every renderer is a pure function of a run, so that a report can be made again at any time and
// comes out byte for byte the same: [Terminal] for people at a terminal, and the files of [Formats].
//
// Nothing is never a success: a run without a footer, with cases missing, or with nothing executed has the verdict
// error in every report. What a gateway wrote is bounded and made inert ([Text]) wherever it is shown.
package reports
