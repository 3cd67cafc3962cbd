//go:build !race

package limits

// RaceEnabled says that the race detector watches.
const RaceEnabled = false
