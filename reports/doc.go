// Package reports renders runs. Every renderer is a pure function of a [runlog.Run], so that any report can be rendered again from the log, byte for
// byte the same: [Terminal] for a terminal, and the files of [Formats]. [Diff], [SideBySide], [Replay] and [SelfTest] render more than one run.
//
// An empty result is never a success: a run without a footer, with missing cases, or in which nothing was executed has the verdict error in every
// report. Text from a gateway is truncated and escaped wherever it is shown (package plain).
package reports
