package watch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gatecert/gatecert/internal/atomicfile"
)

// The names of files and folders in the folder of a watch.
const (
	historyName = "history.ndjson"
	stateName   = "state.json"
	runsName    = "runs"
)

const (
	// maxEntries is how many rounds the history keeps: at one in 15 minutes they are three weeks.
	maxEntries = 2_000
	// maxLine bounds a line of the history that is read, in bytes. A round in which every cell changed has 60 KiB.
	maxLine = 1 << 20
	// maxState bounds the state that is read, in bytes.
	maxState = 4 << 20
)

// folder is where a watch keeps its runs, their history and the last state.
type folder struct{ dir string }

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

// runFolder matches the folders of runs: nothing else in the folder is ever removed.
var runFolder = regexp.MustCompile(`^\d{8}T\d{6}(\.\d{3})?$`)

const idTime = "20060102T150405.000"

// load reads the history, oldest first, and the last state. A line that was cut when the machine died is left out.
func (f folder) load() ([]Entry, state, error) {
	entries, err := f.history()
	if err != nil {
		return nil, state{}, err
	}
	var last state
	raw, err := readAtMost(f.path(stateName), maxState)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, state{}, fmt.Errorf("read the last watch state: %w", err)
	default:
		if err := json.Unmarshal(raw, &last); err != nil {
			return nil, state{}, fmt.Errorf("%s is not a state file of gatecert watch: %w; remove it to continue without the last known verdicts", f.path(stateName), err)
		}
	}
	// The history is written before the state: a watch that was killed between the two has told the changes of the last entry.
	if n := len(entries); n > 0 && last.Last != "" && entries[n-1].ID > last.Last {
		last = last.replay(entries[n-1])
	}
	return entries, last, nil
}

func (f folder) history() ([]Entry, error) {
	file, err := os.Open(f.path(historyName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the watch history: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	var entries []Entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e Entry
		if json.Unmarshal(lines.Bytes(), &e) != nil || !runFolder.MatchString(e.ID) {
			continue
		}
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.path(historyName), err)
	}
	return entries[max(0, len(entries)-maxEntries):], nil
}

// save adds an entry to the history, and then replaces the state.
func (f folder) save(entries []Entry, s state) error {
	if err := f.append(entries); err != nil {
		return fmt.Errorf("write the watch history: %w", err)
	}
	raw, err := json.Marshal(s)
	if err == nil {
		err = atomicfile.WriteBytes(f.path(stateName), 0o600, append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the watch state: %w", err)
	}
	return nil
}

// append writes the last of the entries. Once in a while it writes all of those that are kept.
func (f folder) append(entries []Entry) error {
	var out bytes.Buffer
	encode := json.NewEncoder(&out)
	if len(entries) > maxEntries {
		for _, e := range entries[len(entries)-maxEntries/2:] {
			if err := encode.Encode(e); err != nil {
				return err
			}
		}
		return atomicfile.WriteBytes(f.path(historyName), 0o600, out.Bytes())
	}
	if err := encode.Encode(entries[len(entries)-1]); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path(historyName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err = endLine(file); err == nil {
		_, err = file.Write(out.Bytes())
	}
	return errors.Join(err, file.Close())
}

// endLine moves to the end of a file, and ends the line there if it was cut.
func endLine(file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = file.Write([]byte{'\n'})
	return err
}

// prune removes the oldest runs but the newest keep. It removes only folders that a watch made.
func (f folder) prune(keep int) error {
	found, err := os.ReadDir(f.path(runsName)) // sorted by name, and so by time
	if err != nil {
		return fmt.Errorf("list the watch runs: %w", err)
	}
	var runs []string
	for _, entry := range found {
		if entry.IsDir() && runFolder.MatchString(entry.Name()) {
			runs = append(runs, entry.Name())
		}
	}
	for _, name := range runs[:max(0, len(runs)-keep)] {
		if err := os.RemoveAll(filepath.Join(f.path(runsName), name)); err != nil {
			return fmt.Errorf("remove an old run: %w", err)
		}
	}
	return nil
}

// readAtMost reads a file that may have n bytes.
func readAtMost(path string, n int64) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // a fixed name in the user's own folder
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(file, n+1))
	if err == nil && int64(len(raw)) > n {
		err = fmt.Errorf("%s is larger than the maximum of %d bytes; remove it to continue without the last known verdicts", path, n)
	}
	return raw, err
}
