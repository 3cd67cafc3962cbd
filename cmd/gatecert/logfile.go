package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/measured"
)

const (
	logName = "run.ndjson"
	// partName is the log before its header is in it. A run that is killed by then has left the earlier one as it was.
	partName = logName + ".part"
)

// logFile is the log of a run in its folder. Its first Write, which is the header, puts it in the place of the log of an
// earlier run and removes that one's reports: next to another log they would be taken for its reports.
type logFile struct {
	dir string
	// began is called when the header is in place.
	began   func()
	file    *os.File
	inPlace bool
}

// Write implements io.Writer.
func (l *logFile) Write(line []byte) (int, error) {
	if l.file != nil {
		return l.file.Write(line)
	}
	if err := l.begin(line); err != nil {
		return 0, err
	}
	l.inPlace = true
	l.began()
	return len(line), nil
}

func (l *logFile) begin(header []byte) (err error) {
	part := filepath.Join(l.dir, partName)
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open the run log: %w (use --out to choose another folder)", err)
	}
	// O_EXCL and the renaming follow no link: what a link in the folder leads to is not this run's to overwrite.
	file, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return fmt.Errorf("open the run log: %w (use --out to choose another folder)", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(part))
		}
	}()
	if _, err := file.Write(header); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	earlier := []string{resultsName, clientsName}
	for _, f := range reports.Formats() {
		earlier = append(earlier, f.File)
	}
	for _, f := range measured.Formats() {
		earlier = append(earlier, f.File)
	}
	for _, name := range earlier {
		if err := os.Remove(filepath.Join(l.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an earlier report: %w", err)
		}
	}
	if err := os.Rename(part, filepath.Join(l.dir, logName)); err != nil {
		return fmt.Errorf("open the run log: %w (use --out to choose another folder)", err)
	}
	l.file = file
	return nil
}

// close closes the log, which may never have begun.
func (l *logFile) close() error {
	if l.file == nil {
		return nil
	}
	return errors.Join(l.file.Sync(), l.file.Close())
}
