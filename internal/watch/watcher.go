package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

// MinEvery is the shortest interval of a watch. It leaves a pause between two runs.
const MinEvery = 5 * time.Second

// jitter is the part of the interval by which a round comes earlier or later, so that many watches do not all call at once.
const jitter = 0.1

// pause is the least time between two rounds. A run that takes longer than the interval delays the next one.
const pause = time.Second

// Config configures a watch.
type Config struct {
	// Target is the name of the watched target in metrics and messages. It contains no secrets.
	Target string
	// Every is the time from the beginning of one round to that of the next, at least [MinEvery].
	Every time.Duration
	// Rounds is the number of rounds after which the watch ends; 0 means that it does not end.
	Rounds int
	// Dir is the folder for the runs, their history and the last state. If a watch is restarted in the same folder, it continues.
	Dir string
	// Keep is the number of runs that stay in Dir, at least 1. The history keeps more rounds,
	// without their reports.
	Keep int
	// Play performs one run and writes its log and report.html to dir, which exists. It returns when ctx is done.
	Play func(ctx context.Context, dir string) Round
	// Ended, when not nil, is called after each round.
	Ended func(Entry)
	// Webhook receives the changes, unless its URL is "".
	Webhook Webhook
	// Problem, if not nil, is called with secondary errors, such as a webhook that does not respond. It must be safe for concurrent use.
	Problem func(error)
	// Random returns a number from 0 up to 1, for the jitter.
	Random func() float64
}

// Watcher runs the rounds of a watch.
type Watcher struct {
	config  Config
	folder  folder
	metrics *metrics

	mu      sync.Mutex
	entries []Entry
	last    state
}

// New reads the data of earlier watches in the folder. It returns an error if this data cannot be read or written.
func New(config Config) (*Watcher, error) {
	if config.Every < MinEvery || config.Keep < 1 || config.Rounds < 0 {
		return nil, fmt.Errorf("watch: the interval (%s) must be at least %s, the number of runs to keep (%d) must be at least 1, and the number of rounds (%d) must not be negative",
			config.Every, MinEvery, config.Keep, config.Rounds)
	}
	w := &Watcher{config: config, folder: folder{config.Dir}, metrics: newMetrics(config.Target)}
	if err := os.MkdirAll(w.folder.path(runsName), 0o750); err != nil {
		return nil, fmt.Errorf("create the watch folder: %w", err)
	}
	var err error
	if w.entries, w.last, err = w.folder.load(); err != nil {
		return nil, err
	}
	if n := len(w.entries); n > 0 {
		w.metrics.show(w.entries[n-1], w.last)
		w.metrics.showLastVerdict(w.entries)
	}
	return w, nil
}

// Run runs rounds until ctx is done or all rounds are complete. In both cases, it returns nil. It returns an error if the folder can no longer be
// written.
func (w *Watcher) Run(ctx context.Context) error {
	sender := newSender(w.config.Webhook, w.config.Problem)
	defer sender.close()
	for n := 0; w.config.Rounds == 0 || n < w.config.Rounds; n++ {
		started := time.Now()
		entry, err := w.round(ctx, started)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if len(entry.Changes) > 0 {
			sender.send(newMessage(w.config.Target, entry))
		}
		if w.config.Rounds > 0 && n+1 == w.config.Rounds {
			return nil
		}
		interval := time.Duration(float64(w.config.Every) * (1 + jitter*(2*w.config.Random()-1)))
		if wait.For(ctx, max(interval-time.Since(started), pause)) != nil {
			return nil
		}
	}
	return nil
}

// round plays one run and keeps what came of it. A run that ends because the watch does leaves no entry.
func (w *Watcher) round(ctx context.Context, started time.Time) (Entry, error) {
	id := started.UTC().Format(idTime)
	dir := w.folder.path(runsName) + string(os.PathSeparator) + id
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return Entry{}, fmt.Errorf("create the run folder: %w", err)
	}
	r := w.config.Play(ctx, dir)
	if r.Run == nil {
		_ = os.Remove(dir) // fails where anything is left in it
	}
	if ctx.Err() != nil {
		return Entry{}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	after, changes := w.last.next(id, r)
	entry := Entry{
		ID: id, Started: started.UTC(), Ended: time.Now().UTC(), Outcome: after.Outcome, Sentence: r.sentence(),
		Report: r.Run != nil, Cases: counts(r), Changes: worstFirst(changes),
	}
	w.entries, w.last = append(w.entries, entry), after
	if err := w.folder.save(w.entries, after); err != nil {
		return entry, err
	}
	if len(w.entries) > maxEntries {
		w.entries = slices.Clone(w.entries[len(w.entries)-maxEntries/2:])
	}
	if err := w.folder.prune(w.config.Keep); err != nil {
		return entry, err
	}
	w.metrics.add(entry, r, after)
	if w.config.Ended != nil {
		w.config.Ended(entry)
	}
	return entry, nil
}

// History returns the rounds, newest first, at most n.
func (w *Watcher) History(n int) []Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Clone(w.entries[max(0, len(w.entries)-n):])
	slices.Reverse(list)
	return list
}
