package limits

import "os"

// Accepting asks for all runs of a simulation and for the runs on a real clock, which take minutes: make accept-limits.
var Accepting = os.Getenv("GATECERT_ACCEPTANCE") != ""

// sampled is how many of n runs of a simulation are made. The race detector makes them ten times as slow, and is interested in
// memory, not in verdicts: with it one run is made.
func sampled(n uint64) uint64 {
	if RaceEnabled && !Accepting {
		return 1
	}
	return n
}
