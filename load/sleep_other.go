//go:build !linux

package load

import "time"

// fineSleeper sleeps for less than [coarse].
type fineSleeper struct{}

func (fineSleeper) sleep(d time.Duration) { time.Sleep(d) }
