package load

import (
	"syscall"
	"time"
)

// sleepFine sleeps for less than [coarse] in the kernel: about 0.07 ms late, where time.Sleep is 1 ms late.
func sleepFine(d time.Duration) {
	request := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&request, nil) // a signal may wake it early; sleepUntil sleeps on
}
