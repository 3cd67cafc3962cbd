package newapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrJournal is returned if a journal cannot be read, or if a newer gatecert wrote it.
var ErrJournal = errors.New("journal")

// entry is one line of the journal: a change that is about to be made, with all that undoing it takes, or the note that an
// earlier one was undone.
type entry struct {
	// Seq numbers the entries of a run, from 1. Undone is the Seq of an entry that was undone; it is then the only field.
	Seq    int `json:"seq,omitempty"`
	Undone int `json:"undone,omitempty"`

	Kind  entryKind `json:"kind,omitempty"`
	Name  string    `json:"name,omitempty"`
	Names []string  `json:"names,omitempty"`
	Was   string    `json:"was,omitempty"`
	Set   string    `json:"set,omitempty"`
	Probe string    `json:"probe,omitempty"`
}

// entryKind says what an entry changes and how that is undone.
type entryKind string

const (
	// Those whose names begin with Name are deleted.
	usersEntry    entryKind = "users"
	channelsEntry entryKind = "channels"
	// Option Name was Was and is set to Set. It is restored unless somebody else has changed it since.
	optionEntry entryKind = "option"
	// Names are added to the JSON object in option Name, which was Was and is set to Set. They are removed again.
	objectEntry entryKind = "entries"
	// Set is executed in the database. Probe succeeds when there is nothing to repair.
	storeEntry entryKind = "store"
)

// Outstanding returns the number of changes in a journal that were not undone. It returns [ErrJournal] if the journal cannot be read.
func Outstanding(journal io.Reader) (int, error) {
	open, err := openEntries(journal)
	return len(open), err
}

// openEntries reads a journal. An incomplete last line is ignored: its change was never made, because the line comes first.
func openEntries(journal io.Reader) ([]entry, error) {
	var open []entry
	lines := bufio.NewReader(journal)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return open, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrJournal, err)
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrJournal, number, err)
		}
		if e.Undone == 0 {
			open = append(open, e)
			continue
		}
		if at := slices.IndexFunc(open, func(o entry) bool { return o.Seq == e.Undone }); at >= 0 {
			open = slices.Delete(open, at, at+1)
		}
	}
}
