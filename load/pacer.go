package load

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// planned is a shot that the pacer has let go.
type planned struct {
	seq    uint64
	due    time.Duration
	waited bool
}

// overrun is how long after the end of its schedule a stage may still send what is late. It is no patience with
// the gateway: a stage that is that late has missed its rate anyway.
const overrun = time.Second

// pacer drives vegeta's Attacker by a schedule. vegeta asks it once before every hit; it sleeps itself, because
// vegeta's sleep neither ends when the caller gives up nor is finer than 1 ms, and it writes down what was due when.
// vegeta's own pacers have no answer to what came of the schedule: neither lag nor what was never sent.
//
// One goroutine calls Pace. The rest may be read when the attack is over.
type pacer struct {
	ctx    context.Context //nolint:containedctx // vegeta's Pacer has no place for one
	next   func() (time.Duration, bool)
	sleep  sleeper
	closed bool // a closed loop: nothing is due at any time
	lasts  time.Duration
	// most bounds the shots, whatever the schedule says.
	most uint64

	// begin is called at the first shot and says when the stage began.
	begin func() time.Time
	began time.Time
	// out hands the shots to the workers in the order in which they were due.
	out chan<- planned
	// flying counts the shots that are under way, connections is how many can be.
	flying      *atomic.Int64
	connections int64

	sent uint64
	// blocked is until when all connections were in use: what was due before it waited for the gateway.
	blocked time.Duration
	full    bool // all connections were in use when the last shot was let go
	pending bool // a shot was taken from the schedule and not let go any more
	behind  bool // and it was due while all connections were in use
}

// Pace implements vegeta's Pacer.
func (p *pacer) Pace(time.Duration, uint64) (wait time.Duration, stop bool) {
	if p.began.IsZero() {
		p.began = p.begin()
	}
	now := time.Since(p.began)
	if p.full {
		p.blocked = now
	}
	due, ok := p.next()
	if p.closed {
		due = now
		ok = ok && now < p.lasts
	}
	if !ok || p.sent >= p.most || p.ctx.Err() != nil {
		return 0, true
	}
	shot := planned{seq: p.sent, due: due}
	if due > now && !p.sleep.until(p.ctx, p.began.Add(due)) || now > p.lasts+overrun {
		p.pending, p.behind = true, due < p.blocked
		return 0, true
	}
	p.full = p.flying.Add(1) > p.connections
	shot.waited = !p.closed && (p.full || due < p.blocked)
	p.sent++
	p.out <- shot // never blocks: there is room for every worker's shot and one more
	return 0, false
}

// Rate implements vegeta's Pacer; vegeta's Attacker does not ask for it.
func (p *pacer) Rate(time.Duration) float64 { return math.NaN() }

// left counts the shots that were due beyond those that were sent. It empties the schedule.
func (p *pacer) left(sent uint64) uint64 {
	if p.closed {
		return 0
	}
	n := p.sent - sent // let go, when nobody took it any more
	if p.pending {
		n++
	}
	for sent+n < p.most {
		if _, ok := p.next(); !ok {
			break
		}
		n++
	}
	return n
}

// held reports whether the last shots could not go because all connections were in use.
func (p *pacer) held() bool { return p.full || p.behind }
