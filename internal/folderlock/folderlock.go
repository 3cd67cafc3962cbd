// Package folderlock prevents two processes from writing to the same folder at the same time.
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

// Name is the name of the locked file. The folder contains this file as long as the lock is held.
const Name = "run.lock"

// ErrHeld is returned if another process holds the lock of the folder. Its text identifies that process.
var ErrHeld = errors.New("the folder is in use")

// Lock is the lock of a folder. [Lock.Release] releases it.
type Lock struct {
	file *os.File
	// Stale describes the process that died while it held the lock. It is "" if there was none.
	Stale string
}

// maxOwner bounds what is read of a lock file, which anybody may have written.
const maxOwner = 200

// Take acquires the lock of a folder, which must exist. It takes over the lock of a process that has died. It returns [ErrHeld], and the file
// system's error if the lock file cannot be created.
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
				err = fmt.Errorf("%w: %s: %s is writing to this folder; wait until that process ends, or choose another folder with --out (gatecert watch: --dir)", ErrHeld, dir, text(owner))
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

// Release releases the lock. It does nothing for a nil lock.
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
