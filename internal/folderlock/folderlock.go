// Package folderlock keeps two processes from writing into one folder at once.
package folderlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Name is the file that is locked. It is in the folder as long as the lock is held.
const Name = "run.lock"

// ErrHeld is returned when another process has the folder. Its text names that process.
var ErrHeld = errors.New("the folder is in use")

// Lock is a folder that is held. [Lock.Release] gives it back.
type Lock struct {
	file *os.File
	// Stale describes the process that died with the lock, "" when there was none.
	Stale string
}

// maxOwner bounds what is read of a lock file, which anybody may have written.
const maxOwner = 200

// Take takes the lock of a folder, which must exist. The lock of a process that is dead is taken over. It returns [ErrHeld],
// and the error of the file system when the file cannot be made.
func Take(dir string) (*Lock, error) {
	path := filepath.Join(dir, Name)
	for {
		file, err := open(path)
		if err != nil {
			return nil, fmt.Errorf("lock the folder %s: %w", dir, err)
		}
		owner, err := io.ReadAll(io.LimitReader(file, maxOwner))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock the folder %s: %w", dir, err), file.Close())
		}
		held, err := lock(file)
		if held || err != nil {
			if held {
				err = fmt.Errorf("%w: %s: %s is writing to this folder; wait until that process ends, or use --out to choose another folder", ErrHeld, dir, text(owner))
			}
			return nil, errors.Join(err, file.Close())
		}
		if !same(file, path) { // its owner has just released it and removed the file
			_ = file.Close()
			continue
		}
		l := &Lock{file: file}
		if len(owner) > 0 {
			l.Stale = text(owner)
		}
		if err := l.sign(); err != nil {
			return nil, errors.Join(fmt.Errorf("lock the folder %s: %w", dir, err), l.Release())
		}
		return l, nil
	}
}

// sign writes who has the lock.
func (l *Lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt(fmt.Appendf(nil, "process %d (since %s)", os.Getpid(), time.Now().UTC().Format(time.RFC3339)), 0)
	return err
}

// Release gives the folder back. It does nothing for a nil lock.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	// First the file, then the lock: whoever opens the file in between finds that it is no longer the one in the folder.
	err := os.Remove(l.file.Name())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Close())
}

// text is what a lock file says, on one line.
func text(owner []byte) string {
	if len(owner) == 0 {
		return "another process"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(owner))
}

func same(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(opened, there)
}
