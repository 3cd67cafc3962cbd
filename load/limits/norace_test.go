//go:build !race

package limits

// RaceEnabled says whether the race detector is on.
const RaceEnabled = false
