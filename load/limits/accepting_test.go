package limits

import "os"

// Accepting asks for all runs of a simulation and for the runs on a real clock, which take minutes: make accept-limits.
var Accepting = os.Getenv("GATECERT_ACCEPTANCE") != ""

// runsOf is how many runs of a simulation a test makes, numbered from 0: the number is the seed, and every other run is on a busy
// machine. A few have each variant once; accepting makes all.
func runsOf(few, all uint64) uint64 {
	if Accepting {
		return all
	}
	return few
}
