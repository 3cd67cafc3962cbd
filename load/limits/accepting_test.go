package limits

import "os"

// Accepting asks for all runs of a simulation and for the runs on a real clock, which take minutes: make accept-limits.
var Accepting = os.Getenv("GATECERT_ACCEPTANCE") != ""
