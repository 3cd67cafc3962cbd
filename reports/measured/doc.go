// Package measured renders the logs of measurements: of load capacity, load soak and load compare, and of load rate-limit when it infers a limit.
// Every renderer is a pure function of a [runlog.Measured], so that any report can be rendered again from the log, byte for byte the same: [Terminal]
// for a terminal, and the files of [Formats]. [Diff] compares two of them.
//
// Text from a gateway, and anything from a log that a stranger wrote, is truncated and escaped wherever it is shown.
package measured
