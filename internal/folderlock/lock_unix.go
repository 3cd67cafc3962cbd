//go:build unix

package folderlock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// open opens or makes the lock file. It does not follow a symbolic link.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // in the user's own folder
}

// lock takes the lock on an open file, which the system gives back when the process ends, however it ends.
func lock(file *os.File) (held bool, err error) {
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return false, nil
}
