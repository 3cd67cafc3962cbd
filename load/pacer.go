package load

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// ticket is a request that the pacer has released to the workers.
type ticket struct {
	seq uint64
	due time.Duration
	// bunching is how long the arrivals alone would have let the request wait, see [schedule.due].
	bunching time.Duration
	waited   bool
}

// overrun is how long after the end of its schedule a phase may still send late requests. It is not patience with the
// gateway: a phase that late has missed its rate anyway.
const overrun = time.Second

// pacer drives vegeta's Attacker at the rate of a phase. vegeta asks it once before each hit. It sleeps itself, because
// vegeta's sleep does not end with a context and is no finer than 1 ms, and it records what was due and when: vegeta's own
// pacers report neither lag nor what was never sent.
//
// One goroutine calls Pace. In a closed loop, workers call take as well, which reads only what is set before the first ticket. Others may read the
// other fields when the attack is over.
type pacer struct {
	ctx        context.Context //nolint:containedctx // vegeta's Pacer has no parameter for one
	phase      Phase
	schedule   *schedule
	requests   uint64
	sleepUntil func(context.Context, time.Time) error
	// start is called at the first request. It returns the instant at which the phase begins.
	start   func() time.Time
	started time.Time

	out   chan<- ticket // to the workers, in the order of seq
	conns *saturation
	// sent is the number of the next request. In a closed loop it may exceed requests.
	sent atomic.Uint64
	// gaveUpWaiting says that the phase ended before a request that waited for a connection could be released.
	gaveUpWaiting bool
}

// Pace implements vegeta's Pacer.
func (p *pacer) Pace(time.Duration, uint64) (wait time.Duration, stop bool) {
	if p.started.IsZero() {
		p.started = p.start()
	}
	now := time.Since(p.started)
	p.conns.observe(now)
	if p.phase.Closed {
		next, more := p.take()
		if !more || p.ctx.Err() != nil {
			return 0, true
		}
		p.conns.acquire()
		p.out <- next
		return 0, false
	}
	if p.sent.Load() >= p.requests || p.ctx.Err() != nil {
		return 0, true
	}
	seq, due, bunching := p.next()
	if due > now && p.sleepUntil(p.ctx, p.started.Add(due)) != nil || now > p.phase.For+overrun {
		p.gaveUpWaiting = due < p.conns.until
		return 0, true
	}
	p.conns.acquire()
	p.out <- ticket{seq, due, bunching, p.conns.delays(due)} // never blocks: it has room for a ticket for each worker and one more
	p.sent.Add(1)
	return 0, false
}

// take returns the next request of a closed loop, which is due when a worker sends it. There are no more after the last request of the plan and
// after the end of the phase.
func (p *pacer) take() (next ticket, more bool) {
	if time.Since(p.started) >= p.phase.For {
		return ticket{}, false
	}
	n := p.sent.Add(1)
	return ticket{seq: p.phase.Share.number(n - 1)}, n <= p.requests
}

// next returns the next request of the share, with when it is due.
func (p *pacer) next() (seq uint64, due, bunching time.Duration) {
	seq = p.phase.Share.number(p.sent.Load())
	for {
		due, bunching = p.schedule.due()
		if p.schedule.next > seq {
			return seq, due, bunching
		}
	}
}

// Rate implements vegeta's Pacer. vegeta's Attacker does not call it.
func (p *pacer) Rate(time.Duration) float64 { return math.NaN() }

// saturated reports whether the last requests could not be sent because every connection was in use.
func (p *pacer) saturated() bool { return p.conns.full || p.gaveUpWaiting }

// saturation records when every connection of a phase is in use. Requests that are due then wait for the gateway, and
// their delay is not lag of the generator.
type saturation struct {
	connections int64
	inFlight    atomic.Int64
	// full says that every connection was in use when the last request was released.
	full bool
	// until is the last instant, since the phase began, at which every connection was in use.
	until time.Duration
}

// observe is called before a request is released.
func (s *saturation) observe(now time.Duration) {
	if s.full {
		s.until = now
	}
}

// acquire counts a request that is released, release one that has ended.
func (s *saturation) acquire() { s.full = s.inFlight.Add(1) > s.connections }
func (s *saturation) release() { s.inFlight.Add(-1) }

// delays reports whether a request due at that instant has to wait, or had to, for a connection.
func (s *saturation) delays(due time.Duration) bool { return s.full || due < s.until }
