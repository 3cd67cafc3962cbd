package reference

import "sync"

// slots are the places of the calls under way, by key. The zero value has none used.
type slots struct {
	mu   sync.Mutex
	used map[int64]int
}

// take takes a place, if fewer than the limit are used. Release gives it back.
func (s *slots) take(key int64, limit int) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used[key] >= limit {
		return nil, false
	}
	if s.used == nil {
		s.used = make(map[int64]int)
	}
	s.used[key]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used[key]--
	}, true
}

// takeSlot takes a place for a call of a limited key, which it gives back when the call ends.
func (g *Gateway) takeSlot(c *Call) error {
	if g.options.Concurrent == 0 {
		return nil
	}
	release, ok := g.slots.take(c.caller.keyID, g.options.Concurrent)
	if !ok {
		return Refuse(RateLimited, nil).WithHeader("Retry-After", "1") // when the next call ends is not known
	}
	c.Reply.onEnd(apply(c, c.hooks.Slot, release))
	return nil
}
