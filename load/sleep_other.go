//go:build !linux

package load

import "time"

// sleepFine sleeps for less than [coarse].
func sleepFine(d time.Duration) { time.Sleep(d) }
