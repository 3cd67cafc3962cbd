package targets

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
)

// LateGrace is how long gatecert waits after the last refused call before it reads the upstream's record again. A gateway that sends a refused prompt
// from a queue does so within milliseconds.
const LateGrace = 500 * time.Millisecond

// recordedCalls is, by case, what the upstream had seen of the judged call.
type recordedCalls struct {
	mu     sync.Mutex
	byCase map[string]recordedCall
	// refused is when the last call ended that must not reach the upstream.
	refused time.Time
}

type recordedCall struct {
	token string
	seen  contract.Seen
}

func (r *recordedCalls) add(c contract.Case, token string, seen contract.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byCase == nil {
		r.byCase = make(map[string]recordedCall)
	}
	r.byCase[c.ID()] = recordedCall{token, seen}
	if c.Reach() == contract.ReachNever {
		r.refused = time.Now()
	}
}

// askedAtOnce bounds how many records are asked for at once: the mock upstream may be far away.
const askedAtOnce = 8

// LateCalls asks the upstream again for its record of the judged calls, at the earliest [LateGrace] after the last refused call. It returns the
// records, by case id, of all cases whose call arrived again after the case was judged.
func (s *Session) LateCalls(ctx context.Context) (map[string]contract.Seen, error) {
	if s.upstream == nil {
		return nil, nil //nolint:nilnil // no record, no late calls
	}
	s.recorded.mu.Lock()
	defer s.recorded.mu.Unlock()
	if left := LateGrace - time.Since(s.recorded.refused); left > 0 {
		if err := wait.For(ctx, left); err != nil {
			return nil, err
		}
	}
	late := make(map[string]contract.Seen)
	var mu sync.Mutex
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(askedAtOnce)
	for id, before := range s.recorded.byCase {
		group.Go(func() error {
			now, cancel := context.WithTimeout(inner, 0) // calls that are still open are not waited for
			defer cancel()
			seen, err := s.upstream.Seen(now, before.token)
			if err != nil {
				return fmt.Errorf("read the mock upstream's record again: %w", err)
			}
			if n := len(before.seen.Attempts); len(seen.Attempts) > n {
				mu.Lock()
				defer mu.Unlock()
				for i := range seen.Attempts[n:] {
					seen.Attempts[n+i].Late = true
				}
				before.seen.Attempts = append(before.seen.Attempts[:n:n], seen.Attempts[n:]...) // what was open may have ended
				late[id] = before.seen
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return late, ctx.Err()
}
