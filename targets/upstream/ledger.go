package upstream

import (
	"context"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// maxAttempts bounds what is remembered of one token. A gateway that tries more often has long since failed.
const maxAttempts = 1000

// ledger remembers the attempts by token, the oldest token forgotten first.
type ledger struct {
	mu      sync.Mutex
	limit   int
	records map[string]*record
	// order holds the tokens of records, oldest first.
	order []string
	total int64
	// underWay counts the attempts that have not ended, those without a token too.
	underWay int
}

// record is what is known of one token.
type record struct {
	attempts []*attempt
	open     int
	// idle is closed when no attempt is open, and made anew when one begins.
	idle chan struct{}
}

// attempt is one request while it goes on and after it ended. Its fields are guarded by the ledger's mutex.
type attempt struct {
	contract.Attempt
	ledger  *ledger
	record  *record // nil for an attempt that nobody will ask for
	arrived time.Time
}

func newLedger(limit int) *ledger {
	return &ledger{limit: limit, records: make(map[string]*record)}
}

// begin records an attempt under its token. Without a token it is counted only.
func (l *ledger) begin(token string, what contract.Attempt, arrived time.Time) *attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.underWay++
	a := &attempt{Attempt: what, ledger: l, arrived: arrived}
	a.Open = true
	if token == "" {
		return a
	}
	rec := l.recordLocked(token)
	if len(rec.attempts) == maxAttempts {
		return a
	}
	if rec.open == 0 {
		rec.idle = make(chan struct{})
	}
	rec.open++
	rec.attempts = append(rec.attempts, a)
	a.record = rec
	return a
}

func (l *ledger) recordLocked(token string) *record {
	if rec := l.records[token]; rec != nil {
		return rec
	}
	if len(l.order) == l.limit {
		delete(l.records, l.order[0])
		l.order = l.order[1:]
	}
	rec := &record{}
	l.records[token] = rec
	l.order = append(l.order, token)
	return rec
}

// answered notes the status that leaves.
func (a *attempt) answered(status int) {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	a.Status = status
}

// end closes the attempt; cancelled says that the other side left before its end.
func (a *attempt) end(cancelled bool) {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	a.ledger.underWay--
	a.Open, a.Cancelled, a.Duration = false, cancelled, time.Since(a.arrived)
	if a.record == nil {
		return
	}
	if a.record.open--; a.record.open == 0 {
		close(a.record.idle)
	}
}

// seen waits until no attempt of the token is open, at most until the context is done.
func (l *ledger) seen(ctx context.Context, token string) contract.Seen {
	for {
		seen, idle := l.look(token)
		if idle == nil || ctx.Err() != nil {
			return seen
		}
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
}

// look returns the attempts as they stand, and the channel that tells when none is open; nil when none is.
func (l *ledger) look(token string) (contract.Seen, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := contract.Seen{Attempts: []contract.Attempt{}}
	rec := l.records[token]
	if rec == nil {
		return seen, nil
	}
	for _, a := range rec.attempts {
		known := a.Attempt
		if known.Open {
			known.Duration = time.Since(a.arrived)
		}
		seen.Attempts = append(seen.Attempts, known)
	}
	if rec.open == 0 {
		return seen, nil
	}
	return seen, rec.idle
}

// counts returns the tokens remembered and the attempts since the start.
func (l *ledger) counts() (tokens int, attempts int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records), l.total
}

// going returns the number of attempts that have not ended.
func (l *ledger) going() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.underWay
}
