package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert/load"
)

// resultsName is the name of a file in vegeta's JSON lines format. It is written during the load and cannot be rendered from the log. Until the
// measurement has ended, partSuffix is appended to its name.
const (
	resultsName = "results.json"
	partSuffix  = ".part"
)

// mainResults is the name of the only measurement of a command.
const mainResults = "main"

// resultsFile writes the results of a measurement into a folder that the user named, while the load goes on. A search makes many measurements
// and cannot know which will be the main one: each that may be is kept under a name, and one of them becomes the file in the end. nil
// writes nothing.
type resultsFile struct {
	dir string
	// file is that of the phase that runs now.
	file *os.File
	// kept are the files of earlier phases by the name of their measurement.
	kept map[string]string
	// err is the first error. Nothing is written after it.
	err error
}

// results returns what writes the results, nil without --out.
func (f loadFlags) results() *resultsFile {
	if f.Out == "" || f.asked() {
		return nil
	}
	return &resultsFile{dir: f.Out, kept: map[string]string{}}
}

// record returns what begins the file of a phase, for [load.Phase]; nil where none is written.
func (r *resultsFile) record() func() io.Writer {
	if r == nil {
		return nil
	}
	return r.begin
}

// begin begins the file of a phase in place of that of the phase before, unless it was kept.
func (r *resultsFile) begin() io.Writer {
	r.drop()
	if r.err == nil {
		r.file, r.err = os.OpenFile(filepath.Join(r.dir, resultsName+partSuffix), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	}
	if r.err != nil {
		return io.Discard
	}
	return r.file
}

// keep keeps the file of the phase that is over under the name of its measurement, in place of an earlier one.
func (r *resultsFile) keep(name string) {
	if r == nil || r.file == nil {
		return
	}
	path := filepath.Join(r.dir, fmt.Sprintf("%s.%d%s", resultsName, len(r.kept), partSuffix))
	if earlier, ok := r.kept[name]; ok {
		path = earlier
	}
	r.err = errors.Join(r.err, r.file.Close(), os.Rename(r.file.Name(), path))
	r.file, r.kept[name] = nil, path
}

// drop closes the file of the phase that is over, and removes it.
func (r *resultsFile) drop() {
	if r.file != nil {
		r.err = errors.Join(r.err, r.file.Close(), os.Remove(r.file.Name()))
		r.file = nil
	}
}

// finish leaves the file of one measurement under its final name, and removes all others. Nothing is left where the measurement has none.
func (r *resultsFile) finish(name string, m load.Measurement) error {
	if r == nil {
		return nil
	}
	r.drop()
	for of, path := range r.kept {
		if of == name && m.Sent > 0 && m.RecordError == nil {
			r.err = errors.Join(r.err, os.Rename(path, filepath.Join(r.dir, resultsName)))
			continue
		}
		r.err = errors.Join(r.err, os.Remove(path))
	}
	if err := errors.Join(r.err, m.RecordError); err != nil {
		return fmt.Errorf("%s: %w", resultsName, err)
	}
	return nil
}
