//go:build unix

package load

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has computed, in user and kernel mode; negative when it cannot be told.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return -1
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
