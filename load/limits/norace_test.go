//go:build !race

package limits_test

// raceEnabled says that the race detector watches.
const raceEnabled = false
