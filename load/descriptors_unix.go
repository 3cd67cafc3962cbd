//go:build unix

package load

import "syscall"

// descriptorLimit returns how many descriptors this process may have open, 0 when that is not known. Go has raised the soft
// limit to the hard one when the process began.
func descriptorLimit() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // int64 on some systems
}
