//go:build race

package outage_test

// raceEnabled says that the race detector watches.
const raceEnabled = true
