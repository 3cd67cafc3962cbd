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

// entry is one line of the journal: a thing that is about to be made or changed, with all that undoing it takes, or
// the news that an earlier one is undone.
type entry struct {
	// Seq counts the entries of a run from 1; Undone names one that is undone, in an entry of its own.
	Seq    int `json:"seq,omitempty"`
	Undone int `json:"undone,omitempty"`
	// Kind says what is undone, and how:
	//
	//	users, channels   those whose name begins with Name are deleted
	//	option            Name was Was and is set to Set: put back, unless somebody else has changed it since
	//	entries           Names are added to the JSON object in option Name, which was Was and is set to Set: taken out again
	//	store             Set is executed; Probe tells, by succeeding, that there is nothing to mend
	Kind  string   `json:"kind,omitempty"`
	Name  string   `json:"name,omitempty"`
	Names []string `json:"names,omitempty"`
	Was   string   `json:"was,omitempty"`
	Set   string   `json:"set,omitempty"`
	Probe string   `json:"probe,omitempty"`
}

// ledger makes changes that can be undone: each is in the journal before it happens.
type ledger struct {
	admin *client
	store targets.Store
	// mu makes one change at a time: options are read, changed and written.
	mu      sync.Mutex
	journal io.Writer
	seq     int
	open    []entry
	// notes are about things that could not be put back because somebody else had changed them.
	notes []string
}

// begin writes an entry before its change is made. A journal that cannot be written stops the change.
func (l *ledger) begin(e entry) (entry, error) {
	l.seq++
	e.Seq = l.seq
	if err := l.write(e); err != nil {
		return e, err
	}
	l.open = append(l.open, e)
	return e, nil
}

func (l *ledger) write(e entry) error {
	if l.journal == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.journal.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// make notes that things of a kind will be made under names that begin with prefix.
func (l *ledger) make(kind, prefix string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.begin(entry{Kind: kind, Name: prefix})
	return err
}

// setOption changes an option and returns what puts it back.
func (l *ledger) setOption(ctx context.Context, key, value string) (func(context.Context) error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	options, err := l.admin.options(ctx)
	if err != nil {
		return nil, err
	}
	e, err := l.begin(entry{Kind: "option", Name: key, Was: options[key], Set: value})
	if err != nil {
		return nil, err
	}
	return l.undoing(e), l.admin.setOption(ctx, key, value)
}

// addEntries adds entries to the JSON object in an option; they stay until the end of the run.
func (l *ledger) addEntries(ctx context.Context, key string, entries map[string]any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	options, err := l.admin.options(ctx)
	if err != nil {
		return err
	}
	object, err := jsonObject(options[key])
	if err != nil {
		return fmt.Errorf("%w: option %s: %w", targets.ErrUnfit, key, err)
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
	e := entry{Kind: "entries", Name: key, Names: slices.Sorted(maps.Keys(entries)), Was: options[key], Set: string(set)}
	if _, err := l.begin(e); err != nil {
		return err
	}
	return l.admin.setOption(ctx, key, string(set))
}

// jsonObject reads an option that holds a JSON object. Values stay as they are spelt.
func jsonObject(text string) (map[string]json.RawMessage, error) {
	object := map[string]json.RawMessage{}
	if strings.TrimSpace(text) == "" {
		return object, nil
	}
	return object, json.Unmarshal([]byte(text), &object)
}

// breakStore executes a statement that another one mends, and returns what does so.
func (l *ledger) breakStore(ctx context.Context, f fault) (func(context.Context) error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, err := l.begin(entry{Kind: "store", Set: f.mend, Probe: f.probe})
	if err != nil {
		return nil, err
	}
	return l.undoing(e), l.store.Exec(ctx, f.harm)
}

func (l *ledger) undoing(e entry) func(context.Context) error {
	return func(ctx context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.undo(ctx, e)
	}
}

// undoAll undoes what is not undone yet, the last first. One failure does not keep the rest from being undone.
func (l *ledger) undoAll(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, e := range slices.Backward(slices.Clone(l.open)) {
		if err := l.undo(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("undo %s %s: %w", e.Kind, e.Name, err))
		}
	}
	return errors.Join(errs...)
}

// undo undoes one entry, if that has not happened already, and says so in the journal.
func (l *ledger) undo(ctx context.Context, e entry) error {
	at := slices.IndexFunc(l.open, func(o entry) bool { return o.Seq == e.Seq })
	if at < 0 {
		return nil
	}
	var err error
	switch e.Kind {
	case "users":
		err = l.deleteAll(ctx, e.Name, l.admin.users, l.admin.deleteUser)
	case "channels":
		err = l.deleteAll(ctx, e.Name, l.admin.channels, l.admin.deleteChannel)
	case "option", "entries":
		err = l.restore(ctx, e)
	case "store":
		err = l.mend(ctx, e)
	default:
		err = fmt.Errorf("%w: kind %q", ErrJournal, e.Kind)
	}
	if err != nil {
		return err
	}
	l.open = slices.Delete(l.open, at, at+1)
	return l.write(entry{Undone: e.Seq})
}

// deleteAll deletes what a search for the prefix finds. Finding nothing is no error: it may never have been made.
func (l *ledger) deleteAll(
	ctx context.Context, prefix string,
	find func(context.Context, string) (map[string]int, error), remove func(context.Context, string, int) error,
) error {
	found, err := find(ctx, prefix)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if err := remove(ctx, name, found[name]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// restore puts an option back to the letter, as long as it is what we made it. Somebody else's change stays: of an object,
// only our entries are taken out.
func (l *ledger) restore(ctx context.Context, e entry) error {
	options, err := l.admin.options(ctx)
	if err != nil {
		return err
	}
	switch now := options[e.Name]; {
	case now == e.Was:
		return nil
	case now == e.Set:
		return l.admin.setOption(ctx, e.Name, e.Was)
	case e.Kind == "option":
		l.notes = append(l.notes, fmt.Sprintf("option %s was %q, was set to %q and is %q now: somebody else has changed it, so it stays", e.Name, e.Was, e.Set, now))
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

// mend executes a mending statement. When it fails, the probe decides: a statement that was never broken cannot be mended.
func (l *ledger) mend(ctx context.Context, e entry) error {
	err := l.store.Exec(ctx, e.Set)
	if err == nil || l.store.Exec(ctx, e.Probe) == nil {
		return nil
	}
	return err
}
