package newapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// ErrJournal is returned when a journal cannot be read, or was written by a newer gatecert.
var ErrJournal = errors.New("journal")

// Clean undoes what a run that died has left behind, as its journal tells. Every thing that is undone is written to done,
// in the journal's own form. It returns how many things there were to undo; when it fails, those that are left can be
// tried again.
//
// It returns [ErrJournal] when the journal cannot be read, and [targets.ErrCredential] when the gateway does not accept
// the profile's administrator.
func (d Driver) Clean(ctx context.Context, p profile.Profile, journal io.Reader, done io.Writer) (int, error) {
	open, err := outstanding(journal)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, takingDown)
	defer cancel()
	l := &ledger{admin: d.client(p), store: targets.NewLazyStore(p.Store, d.OpenStore), journal: done, open: open}
	errs := []error{l.undoAll(ctx), l.admin.leave(ctx), l.store.Close()}
	for _, note := range l.notes {
		errs = append(errs, errors.New(note))
	}
	return len(open), errors.Join(errs...)
}

// Outstanding counts the things in a journal that are not undone.
func Outstanding(journal io.Reader) (int, error) {
	open, err := outstanding(journal)
	return len(open), err
}

// outstanding reads a journal. A last line that is cut is one whose change was never made: it was written first.
func outstanding(journal io.Reader) ([]entry, error) {
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
		for i, o := range open {
			if o.Seq == e.Undone {
				open = append(open[:i], open[i+1:]...)
				break
			}
		}
	}
}
