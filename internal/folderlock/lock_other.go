//go:build !unix

package folderlock

import (
	"fmt"
	"os"
	"time"
)

// abandoned is the age from which a lock file counts as that of a dead process: no run lasts so long.
const abandoned = 24 * time.Hour

// open opens or makes the lock file.
func open(path string) (*os.File, error) { return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) }

// lock reports whether another process has signed the file within a day. Without the locks of Unix it cannot know more.
func lock(file *os.File) (held bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return info.Size() > 0 && time.Since(info.ModTime()) < abandoned, nil
}
