// Package atomicfile replaces whole files: a reader sees either the old content or all of the new content, and after a crash or on a full disk, the
// old content remains.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Write replaces the file at path with the output of write. It writes a temporary file in the same folder, syncs this file to the disk and renames
// it. mode applies to a new file, before the umask; an existing file keeps its mode. If path is not a regular file (a pipe, /dev/stdout), Write
// writes to it directly.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // replace the file, not the link
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return direct(path, write)
	}
	part := fmt.Sprintf("%s.%08x.part", path, rand.Uint32())
	file, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if info != nil {
		err = file.Chmod(info.Mode().Perm())
	}
	err = errors.Join(err, write(file))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

// WriteBytes is like [Write], but for content in memory.
func WriteBytes(path string, mode fs.FileMode, content []byte) error {
	return Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func direct(path string, write func(io.Writer) error) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}
