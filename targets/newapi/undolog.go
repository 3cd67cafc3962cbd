package newapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gatecert/gatecert/targets"
)

// undoLog makes changes that can be undone: each is in the journal before it is made.
type undoLog struct {
	admin *client
	store targets.Store
	// mu makes one change at a time: options are read, changed and written.
	mu      sync.Mutex
	journal io.Writer
	seq     int
	open    []entry
	// notes are about changes that were not undone because somebody else had changed the same thing.
	notes []string
}

// close undoes what is not undone yet, signs out and closes the store. Its error includes the notes.
func (l *undoLog) close(ctx context.Context) error {
	errs := []error{l.undoAll(ctx), l.admin.signOut(ctx), l.store.Close()}
	for _, note := range l.notes {
		errs = append(errs, errors.New(note))
	}
	return errors.Join(errs...)
}

// record writes an entry before its change is made. A journal that cannot be written prevents the change.
func (l *undoLog) record(e entry) (entry, error) {
	l.seq++
	e.Seq = l.seq
	if err := l.write(e); err != nil {
		return e, err
	}
	l.open = append(l.open, e)
	return e, nil
}

func (l *undoLog) write(e entry) error {
	if l.journal == nil {
		return nil
	}
	return about("write the journal", json.NewEncoder(l.journal).Encode(e))
}

// recordCreation records that objects of a kind will be created with names that begin with prefix.
func (l *undoLog) recordCreation(kind entryKind, prefix string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.record(entry{Kind: kind, Name: prefix})
	return err
}

// setOption changes an option and returns what restores it.
func (l *undoLog) setOption(ctx context.Context, key, value string) (undoFunc, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	options, err := l.admin.options(ctx)
	if err != nil {
		return nil, err
	}
	e, err := l.record(entry{Kind: optionEntry, Name: key, Was: options[key], Set: value})
	if err != nil {
		return nil, err
	}
	return l.undoFunc(e), l.admin.setOption(ctx, key, value)
}

// addEntries adds entries to the JSON object in an option, until the end of the run.
func (l *undoLog) addEntries(ctx context.Context, key string, entries map[string]any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	options, err := l.admin.options(ctx)
	if err != nil {
		return err
	}
	object, err := jsonObject(options[key])
	if err != nil {
		return fmt.Errorf("%w: option %s: %w", targets.ErrCannotPrepare, key, err)
	}
	for name, value := range entries {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("option %s: %w", key, err)
		}
		object[name] = raw
	}
	set, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("option %s: %w", key, err)
	}
	e := entry{Kind: objectEntry, Name: key, Names: slices.Sorted(maps.Keys(entries)), Was: options[key], Set: string(set)}
	if _, err := l.record(e); err != nil {
		return err
	}
	return l.admin.setOption(ctx, key, string(set))
}

// jsonObject reads an option that holds a JSON object. Its values keep their spelling.
func jsonObject(text string) (map[string]json.RawMessage, error) {
	object := map[string]json.RawMessage{}
	if strings.TrimSpace(text) == "" {
		return object, nil
	}
	return object, json.Unmarshal([]byte(text), &object)
}

// breakStore breaks the database and returns what repairs it.
func (l *undoLog) breakStore(ctx context.Context, f storeFault) (undoFunc, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, err := l.record(entry{Kind: storeEntry, Set: f.repairSQL, Probe: f.probe})
	if err != nil {
		return nil, err
	}
	return l.undoFunc(e), l.store.Exec(ctx, f.breakSQL)
}

func (l *undoLog) undoFunc(e entry) undoFunc {
	return func(ctx context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.undo(ctx, e)
	}
}

// undoAll undoes what is not undone yet, the last change first. It goes on after an error.
func (l *undoLog) undoAll(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, e := range slices.Backward(slices.Clone(l.open)) {
		errs = append(errs, about(fmt.Sprintf("undo %s %s", e.Kind, e.Name), l.undo(ctx, e)))
	}
	return errors.Join(errs...)
}

// undo undoes one entry, unless it was undone before, and records that.
func (l *undoLog) undo(ctx context.Context, e entry) error {
	at := slices.IndexFunc(l.open, func(o entry) bool { return o.Seq == e.Seq })
	if at < 0 {
		return nil
	}
	var err error
	switch e.Kind {
	case usersEntry:
		err = l.deleteAll(ctx, e.Name, l.admin.users, l.admin.deleteUser)
	case channelsEntry:
		err = l.deleteAll(ctx, e.Name, l.admin.channels, l.admin.deleteChannel)
	case optionEntry, objectEntry:
		err = l.restore(ctx, e)
	case storeEntry:
		err = l.repairStore(ctx, e)
	default:
		err = fmt.Errorf("%w: unknown kind of entry %q; a newer gatecert may have written the journal", ErrJournal, e.Kind)
	}
	if err != nil {
		return err
	}
	l.open = slices.Delete(l.open, at, at+1)
	return l.write(entry{Undone: e.Seq})
}

// deleteAll deletes the objects whose names begin with prefix. There may be none: the run may have died before it created them.
func (l *undoLog) deleteAll(
	ctx context.Context, prefix string,
	find func(context.Context, string) (map[string]int, error), remove func(context.Context, string, int) error,
) error {
	found, err := find(ctx, prefix)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(found)) {
		errs = append(errs, about(name, remove(ctx, name, found[name])))
	}
	return errors.Join(errs...)
}

// restore restores an option exactly, unless somebody else has changed it. Of a JSON object that somebody else has changed, it
// removes the entries that were added.
func (l *undoLog) restore(ctx context.Context, e entry) error {
	options, err := l.admin.options(ctx)
	if err != nil {
		return err
	}
	switch now := options[e.Name]; {
	case now == e.Was:
		return nil
	case now == e.Set:
		return l.admin.setOption(ctx, e.Name, e.Was)
	case e.Kind == optionEntry:
		l.notes = append(l.notes, fmt.Sprintf("option %s was not restored: it was %q, the run set it to %q, but someone else has since set it to %q", e.Name, e.Was, e.Set, now))
		return nil
	default:
		object, err := jsonObject(now)
		if err != nil {
			return fmt.Errorf("option %s: %w", e.Name, err)
		}
		for _, name := range e.Names {
			delete(object, name)
		}
		rest, err := json.Marshal(object)
		if err != nil {
			return fmt.Errorf("option %s: %w", e.Name, err)
		}
		return l.admin.setOption(ctx, e.Name, string(rest))
	}
}

// repairStore executes a repair. When it fails, the probe decides: a database that was never broken cannot be repaired.
func (l *undoLog) repairStore(ctx context.Context, e entry) error {
	err := l.store.Exec(ctx, e.Set)
	if err == nil || l.store.Exec(ctx, e.Probe) == nil {
		return nil
	}
	return err
}
