package steps

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// selection is a file system of features in which the Examples rows of other cases are blank lines: godog spends
// 0.2 ms on a scenario it only passes over, and line numbers have to stay what they are.
type selection struct {
	fs.FS
	ids map[string]bool
}

// Open implements [fs.FS].
func (s selection) Open(name string) (fs.File, error) {
	file, err := s.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".feature") {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		_ = file.Close() // it was only read
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return feature{File: file, text: bytes.NewReader(s.blank(text))}, nil
}

// blank empties the lines that begin with the id of a case that is not selected. An id is known by its slashes: a header
// has none.
func (s selection) blank(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		cells := strings.Split(string(line), "|")
		if len(cells) < 3 || strings.TrimSpace(cells[0]) != "" {
			continue
		}
		if id := strings.TrimSpace(cells[1]); strings.Contains(id, "/") && !s.ids[id] {
			lines[i] = nil
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

// feature is a file whose text was changed.
type feature struct {
	fs.File
	text *bytes.Reader
}

// Read implements [fs.File].
func (f feature) Read(b []byte) (int, error) { return f.text.Read(b) }
