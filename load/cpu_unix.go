//go:build unix

package load

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time of this process in user and kernel mode, negative when it is unknown.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return -1
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
