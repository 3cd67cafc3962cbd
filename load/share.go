package load

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Share is the part of a phase that one of several generators sends: the requests whose number in the schedule, modulo Of, is Index.
// Together the shares make up the phase: each request is sent by exactly one of them, at its instant in the common schedule, whatever
// the arrivals. Connections are divided too. The zero value is the whole phase.
type Share struct{ Index, Of int }

// maxShares bounds into how many shares a phase is divided.
const maxShares = 10_000

// whole reports whether the share is the whole phase.
func (s Share) whole() bool { return s.Of <= 1 }

// number returns the number in the whole schedule of the n-th request of the share, both counted from 0.
func (s Share) number(n uint64) uint64 {
	if s.whole() {
		return n
	}
	return n*uint64(s.Of) + uint64(s.Index) //nolint:gosec // checked
}

// turn returns whose turn it is at a request of a closed loop, as an index of [Phase.turns]: the shares go at their own speeds, and each has
// to have the whole mix.
func (s Share) turn(seq uint64) uint64 {
	if s.whole() {
		return seq
	}
	return seq/uint64(s.Of) + uint64(s.Index) //nolint:gosec // checked
}

// requests returns how many of so many requests belong to the share.
func (s Share) requests(all uint64) uint64 {
	if s.whole() {
		return all
	}
	of, index := uint64(s.Of), uint64(s.Index) //nolint:gosec // checked
	if all <= index {
		return 0
	}
	return (all-index-1)/of + 1
}

// connections returns how many of so many connections belong to the share.
func (s Share) connections(all int) int { return int(s.requests(uint64(max(all, 0)))) } //nolint:gosec // no more than all

func (s Share) check() error {
	if s.Of < 0 || s.Of > maxShares || s.Index < 0 || s.Index >= max(s.Of, 1) {
		return fmt.Errorf("%w: invalid share %d of %d", ErrInvalid, s.Index, s.Of)
	}
	return nil
}

// Lease is a permission to send that a coordinator grants to a generator. After the lease ends, the generator sends no more requests.
// The end of the lease can be postponed. The zero value has already ended. It is safe for concurrent use.
type Lease struct {
	until   atomic.Pointer[time.Time]
	revoked atomic.Bool
}

// Extend moves the end of the lease. An instant before its current end changes nothing.
func (l *Lease) Extend(until time.Time) {
	for {
		end := l.until.Load()
		if end != nil && !until.After(*end) || l.until.CompareAndSwap(end, &until) {
			return
		}
	}
}

// Revoke ends the lease for good.
func (l *Lease) Revoke() { l.revoked.Store(true) }

// Ended reports whether the lease has ended, so that nothing may be sent. A nil lease never ends; a generator without a coordinator has such a lease.
func (l *Lease) Ended() bool {
	if l == nil {
		return false
	}
	until := l.until.Load()
	return l.revoked.Load() || until == nil || !time.Now().Before(*until)
}
