// Package reports renders runs. Every renderer is a pure function of a [runlog.Run], so that any report can be rendered again
// from the log, byte for byte the same: [Terminal] for a terminal, and the files of [Formats]. [Diff], [SideBySide],
// [Replay] and [SelfTest] render more than one run.
//
// Nothing is never a success: a run without a footer, with cases missing, or with nothing executed has the verdict error in
// every report. Text from a gateway is bounded and made inert wherever it is shown (package plain).
package reports
