package hall

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The limits for a folder.
const (
	maxSources = 500      // logs
	maxFiles   = 50_000   // files and folders that are looked at
	maxLog     = 64 << 20 // bytes of a log, after decompression
	maxSmall   = 4 << 20  // bytes of the files of a certificate
)

// ErrFolder is returned if a folder cannot be read, or contains more than a hall can list.
var ErrFolder = errors.New("cannot use the folder of logs")

// The file extensions of logs.
const (
	logExt  = ".ndjson"
	gzipExt = logExt + ".gz"
)

// source is a log in the folder.
type source struct {
	path string
	// certified is set where the file of a certificate lies next to it.
	certified bool
}

// find returns the logs of a folder in the order of their paths: files called *.ndjson or *.ndjson.gz. A folder with a run.ndjson is that
// of a run: its other files are not logs. It looks into no folder whose name begins with a dot, and follows no link.
func find(folder fs.FS) ([]source, error) {
	var found []source
	files := 0
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if files++; files > maxFiles {
			return fmt.Errorf("the folder has more than %d files: specify a folder that contains only logs", maxFiles)
		}
		switch {
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, logExt) && !strings.HasSuffix(name, gzipExt) || strings.HasPrefix(d.Name(), "."):
			return nil
		case otherFile(folder, name):
			return nil
		case len(found) == maxSources:
			return fmt.Errorf("the folder has more than %d logs: move the oldest logs to another folder", maxSources)
		}
		found = append(found, source{path: name, certified: certified(folder, name)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return found, nil
}

// otherFile reports whether a file lies in the folder of a run and is not its log: the journal of a driver, the messages of a run.
func otherFile(folder fs.FS, name string) bool {
	if strings.TrimSuffix(path.Base(name), ".gz") == certificate.LogFile {
		return false
	}
	for _, log := range []string{certificate.LogFile, certificate.LogFile + ".gz"} {
		if _, err := fs.Lstat(folder, path.Join(path.Dir(name), log)); err == nil {
			return true
		}
	}
	return false
}

// certified reports whether a log has the name of one that is certified in its folder, and files of a certificate lie there.
func certified(folder fs.FS, log string) bool {
	if name := strings.TrimSuffix(path.Base(log), ".gz"); name != certificate.LogFile {
		return false
	}
	for _, name := range []string{certificate.EnvelopeFile, certificate.ReportFile} {
		if _, err := fs.Stat(folder, path.Join(path.Dir(log), name)); err == nil {
			return true
		}
	}
	return false
}

// errTooLarge is returned for a file that is larger than is read.
var errTooLarge = errors.New("the file is too large")

// readLog reads a log and decompresses it. Of what does not begin like a log it reads the beginning only.
func readLog(folder fs.FS, name string) ([]byte, error) {
	head, err := openLog(folder, name)
	if err != nil {
		return nil, err
	}
	err = errors.Join(runlog.CheckHeader(head), head.Close())
	if err != nil {
		return nil, err
	}
	whole, err := openLog(folder, name)
	if err != nil {
		return nil, err
	}
	size := int64(0)
	if file, plain := whole.(fs.File); plain {
		if info, err := file.Stat(); err == nil {
			size = info.Size()
		}
	}
	data, err := readAll(whole, size, maxLog)
	return data, errors.Join(err, whole.Close())
}

func readSmall(folder fs.FS, name string) ([]byte, error) {
	file, err := openRegular(folder, name)
	if err != nil {
		return nil, err
	}
	data, err := readAll(file, 0, maxSmall)
	return data, errors.Join(err, file.Close())
}

// readAll reads no more than most bytes. size is how many are expected, 0 if that is not known.
func readAll(r io.Reader, size, most int64) ([]byte, error) {
	if size > most {
		return nil, fmt.Errorf("%w: more than %d MiB", errTooLarge, most>>20)
	}
	var data bytes.Buffer
	data.Grow(int(size) + bytes.MinRead) // growing takes twice the memory
	if _, err := data.ReadFrom(io.LimitReader(r, most+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > most {
		return nil, fmt.Errorf("%w: more than %d MiB", errTooLarge, most>>20)
	}
	return data.Bytes(), nil
}

// openRegular opens a file that is a regular one.
func openRegular(folder fs.FS, name string) (fs.File, error) {
	if info, err := fs.Lstat(folder, name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("this is not a regular file (gatecert does not follow links)")
	}
	return folder.Open(name)
}

// unpacked is a compressed file that is read.
type unpacked struct {
	*gzip.Reader
	file io.Closer
}

func (u unpacked) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

func openLog(folder fs.FS, name string) (io.ReadCloser, error) {
	file, err := openRegular(folder, name)
	if err != nil || !strings.HasSuffix(name, gzipExt) {
		return file, err
	}
	packed, err := gzip.NewReader(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return unpacked{packed, file}, nil
}
