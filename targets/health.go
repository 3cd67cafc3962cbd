package targets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/wait"
)

// ErrNotRecovered is returned if a gateway does not become healthy again within the permitted time.
var ErrNotRecovered = errors.New("the gateway has not recovered")

const (
	// firstPause and longestPause are between two healthy calls while a gateway recovers. They double from one to the
	// other, because a limiter may count refused calls: a call every 500 ms would never let it fill up again.
	firstPause   = 100 * time.Millisecond
	longestPause = 20 * time.Second
	// breakerPause is the longest pause where no limit is at work: calls to an open breaker do not keep it open.
	breakerPause = 5 * time.Second
	// recoveryBudget bounds the waiting of a whole run, unless the profile permits a longer single wait. Without it a
	// gateway that cools down for 60 s after every failure would make a run of 150 relay cases last hours.
	recoveryBudget = 2 * time.Minute
)

// health is what a session has learnt about the gateway's own state. The zero value is that of a healthy gateway.
type health struct {
	mu sync.Mutex
	// pace is the time from one call to the next, 0 for none; last is when the last one was made.
	pace time.Duration
	last time.Time
	// trips counts how often healthy calls failed for a while, longest is the longest of these times, waited their sum.
	trips           int
	longest, waited time.Duration
	limited         bool
	// down is set when the gateway did not recover in time once: nothing waits for it a second time.
	down bool
	// relay counts how often the run went on to the next relay model.
	relay int
	// answers are the answers that healthy calls got while the gateway was not healthy, see [words].
	answers map[string]bool
	// recovering is held by the one who waits until the gateway is healthy again: others learn it from him.
	recovering sync.Mutex
}

// awaitTurn waits until the pace allows the next call.
func (h *health) awaitTurn(ctx context.Context) error {
	h.mu.Lock()
	now := time.Now()
	turn := now
	if next := h.last.Add(h.pace); h.pace > 0 && next.After(now) {
		turn = next
	}
	h.last = turn
	h.mu.Unlock()
	return wait.For(ctx, turn.Sub(now))
}

// slowDown makes the pace at least as slow as given.
func (h *health) slowDown(pace time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pace, h.limited = max(h.pace, pace), true
}

// tripped records that healthy calls failed for a while.
func (h *health) tripped(limit bool, lasted time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waited += lasted
	h.longest = max(h.longest, lasted)
	if limit {
		h.limited = true
	} else {
		h.trips++
	}
}

// left is how long the run may still wait, for single waits of at most single.
func (h *health) left(single time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return 0
	}
	return max(0, min(single, max(recoveryBudget, single)-h.waited))
}

// AtOnce returns how many cases may run at once, with most as the upper limit, and whether the gateway has stopped serving healthy calls before. Each
// time that the gateway stops serving healthy calls, the number is halved: a breaker that opens after five consecutive failures stays closed if four
// cases run at once, with a healthy call before each case.
func (s *Session) AtOnce(most int) (n int, fragile bool) {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	return max(1, most>>s.health.trips), s.health.trips > 0
}

// words is what an answer says, whatever ids and numbers are in it.
func words(o contract.Observation) string {
	body := o.Body[:min(len(o.Body), wordsBound)]
	return strconv.Itoa(o.Status) + " " + withDigit.ReplaceAllString(string(body), "#")
}

// wordsBound is how much of an answer is compared. Errors are shorter.
const wordsBound = 4 << 10

var withDigit = regexp.MustCompile(`\w*\d\w*`)

// remember keeps the answer to a healthy call on a surface that has served healthy calls before.
func (s *Session) remember(surface dialect.Surface, o contract.Observation) {
	if _, served := s.serviceTimes.Load(surface); !served || o.Failure != nil {
		return
	}
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	if s.health.answers == nil {
		s.health.answers = make(map[string]bool)
	}
	s.health.answers[words(o)] = true
}

// AnswersUnhealthy reports whether a response resembles one that a healthy call received while the gateway was not healthy. Such a response may come
// from a breaker, even if the call had reached the upstream before.
func (s *Session) AnswersUnhealthy(o contract.Observation) bool {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	// Most gateways are always healthy: their answers need not be brought into words.
	return o.Failure == nil && len(s.health.answers) > 0 && s.health.answers[words(o)]
}

// Limited reports whether the calls of the run are paced because the valid key has a rate limit.
func (s *Session) Limited() bool {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	return s.health.limited
}

// SlowDown doubles the time between two calls after another call was refused.
func (s *Session) SlowDown() {
	s.health.mu.Lock()
	pace := s.health.pace
	s.health.mu.Unlock()
	s.health.slowDown(max(2*pace, firstPause))
}

// HealthNotes describes, in one sentence each, what was learnt about the gateway's state. It returns nothing if the gateway was always healthy.
func (s *Session) HealthNotes() []string {
	h := &s.health
	h.mu.Lock()
	defer h.mu.Unlock()
	var notes []string
	if !s.persist {
		for _, surface := range s.overdue.givenUp() {
			notes = append(notes, s.overdueNote(surface))
		}
	}
	switch {
	case h.pace > 0:
		notes = append(notes, fmt.Sprintf(
			"the valid key is rate-limited, so the run made only one call every %s; declare the limit in a profile (limits.valid)", h.pace.Round(10*time.Millisecond)))
	case h.limited:
		notes = append(notes, fmt.Sprintf(
			"the valid key is rate-limited, so the run waited before some calls, for up to %s each time; declare the limit in a profile (limits.valid)", h.longest.Round(100*time.Millisecond)))
	}
	if h.trips > 0 {
		times := "once"
		if h.trips > 1 {
			times = fmt.Sprintf("%d times", h.trips)
		}
		if h.longest > 0 {
			times += fmt.Sprintf(", for up to %s,", h.longest.Round(100*time.Millisecond))
		}
		notes = append(notes, fmt.Sprintf(
			"the gateway stopped serving healthy calls %s after failures that the cases caused: it seems to have a circuit breaker or a limit; "+
				"disable the breaker or the limit for the run, list more relay models, or set settle.recovery%s", times, s.relayNote()))
	}
	return notes
}

// Healthy makes the healthy call for a case once, with the relay model that the case used. If the call does not succeed, Healthy returns the reason.
func (s *Session) Healthy(ctx context.Context, c contract.Case) (ok bool, detail string, err error) {
	place, _ := s.relays.Load(c)
	used, _ := place.(int)
	_, ok, detail, err = s.healthyFor(ctx, s.withRelay(used), c)
	return ok, detail, err
}

// AwaitRecovery waits until the healthy call for a case succeeds. It returns how long that took, or 0 if the gateway was healthy at once or is
// healthy with another relay model. If the next call is refused again at once, the key has a rate limit, and all calls of the session are paced from
// then on. AwaitRecovery returns [ErrNotRecovered] when settle.recovery or the run's waiting time is used up.
func (s *Session) AwaitRecovery(ctx context.Context, c contract.Case) (time.Duration, error) {
	_, waited, err := s.recover(ctx, c)
	return waited, err
}

// recover is AwaitRecovery, which also says how long the wait could be: less than settle.recovery when the budget of the
// run is nearly used up.
func (s *Session) recover(ctx context.Context, c contract.Case) (most, waited time.Duration, err error) {
	s.health.recovering.Lock()
	defer s.health.recovering.Unlock()
	most = s.health.left(s.Profile.Settle.Recovery)
	waited, err = s.awaitRecovery(ctx, c, most)
	if errors.Is(err, ErrNotRecovered) {
		s.health.mu.Lock()
		s.health.down = true
		s.health.mu.Unlock()
	}
	return most, waited, err
}

// Aftermath implements the wait of the requirement no-collateral: the healthy call must succeed within settle.recovery. It returns nil if nothing can
// be concluded: because the key is limited, because the gateway was down before, or because less than settle.recovery is left of the run's waiting
// time.
func (s *Session) Aftermath(ctx context.Context, surface dialect.Surface) (*contract.Aftermath, error) {
	if s.Limited() || s.health.isDown() {
		return nil, nil //nolint:nilnil // nothing can be said
	}
	most, waited, err := s.recover(ctx, contract.Case{Surface: surface})
	switch {
	case err == nil && s.Limited():
		return nil, nil //nolint:nilnil // nothing can be said
	case err == nil:
		return &contract.Aftermath{Served: true, After: waited}, nil
	case !errors.Is(err, ErrNotRecovered):
		return nil, err
	case most < s.Profile.Settle.Recovery:
		return nil, nil //nolint:nilnil // nothing can be said
	}
	ok, detail, err := s.Healthy(ctx, contract.Case{Surface: surface})
	return &contract.Aftermath{Served: ok, After: s.Profile.Settle.Recovery, Detail: detail}, err
}

func (h *health) isDown() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.down
}

// firstRecovery bounds the wait for a gateway that is not healthy when the run begins: nothing of the run has made it so,
// except the control calls themselves, which may have been too many at once for a limit.
const firstRecovery = 20 * time.Second

// AwaitStart is like [Session.AwaitRecovery], but is used before the cases of a run and waits for at most 20 s.
func (s *Session) AwaitStart(ctx context.Context, surface dialect.Surface) (time.Duration, error) {
	return s.awaitRecovery(ctx, contract.Case{Surface: surface}, s.health.left(min(firstRecovery, s.Profile.Settle.Recovery)))
}

func (s *Session) awaitRecovery(ctx context.Context, c contract.Case, left time.Duration) (time.Duration, error) {
	started := time.Now()
	refused := false // the last healthy call was, with 429
	longest := breakerPause
	tried := 0 // further relay models
	for pause := firstPause; ; pause = min(2*pause, longest) {
		p, _ := s.current()
		o, ok, detail, err := s.healthyFor(ctx, p, c)
		waited := time.Since(started)
		switch {
		case err != nil:
			return 0, err
		case ok && pause == firstPause:
			return 0, nil
		case ok:
			limited, err := s.findPace(ctx, c, pause/2)
			s.health.tripped(limited || refused, waited)
			return waited, err
		case c.Reach() == contract.ReachMust && s.nextRelay():
			if tried++; tried == 1 {
				s.health.tripped(false, 0)
			}
			if tried < len(p.Models.Relay) {
				pause /= 2 // at once
				continue
			}
		}
		if refused = o.Status == http.StatusTooManyRequests; refused {
			longest = longestPause
		}
		pause = max(pause, retryAfter(o))
		if waited+pause > left {
			return 0, s.notRecovered(refused, waited, left, detail)
		}
		if err := wait.For(ctx, pause); err != nil {
			return 0, err
		}
	}
}

// notRecovered is the error for a gateway that is not healthy again after the given time of what was left.
func (s *Session) notRecovered(refused bool, waited, left time.Duration, detail string) error {
	if left == 0 {
		return fmt.Errorf("%w; gatecert did not wait again, because the gateway did not recover during an earlier wait or the run has used up its total waiting time; the healthy call failed: %s", ErrNotRecovered, detail)
	}
	s.health.tripped(refused, waited)
	return fmt.Errorf("%w within %s: %s", ErrNotRecovered, left.Round(time.Second), detail)
}

// FindLimit makes two consecutive healthy calls on a surface, and paces the session if the second one is refused. It returns [ErrNotRecovered] if the
// gateway does not serve the first call.
func (s *Session) FindLimit(ctx context.Context, surface dialect.Surface) error {
	if _, err := s.AwaitStart(ctx, surface); err != nil {
		return err
	}
	_, err := s.findPace(ctx, contract.Case{Surface: surface}, firstPause)
	return err
}

// findPace finds out whether a limit refuses the calls of the session: then the next healthy call is refused again. If so
// it doubles the pace until two calls in a row succeed.
func (s *Session) findPace(ctx context.Context, c contract.Case, pace time.Duration) (limited bool, err error) {
	for inRow := 0; inRow < 2; {
		p, _ := s.current()
		_, ok, detail, err := s.healthyFor(ctx, p, c)
		switch {
		case err != nil:
			return limited, err
		case ok:
			if inRow++; !limited {
				return false, nil
			}
		case pace > longestPause:
			return true, fmt.Errorf("%w: the gateway refuses healthy calls even if gatecert sends only one every %s: %s", ErrNotRecovered, pace/2, detail)
		default:
			inRow, limited = 0, true
			s.health.slowDown(pace + pace/2) // a pace that only just fits would be refused now and then
			pace *= 2
		}
	}
	return limited, nil
}

// retryAfter is what a refusal asks its client to wait, 0 for nothing.
func retryAfter(o contract.Observation) time.Duration {
	if o.Status != http.StatusTooManyRequests && o.Status != http.StatusServiceUnavailable {
		return 0
	}
	return contract.RetryWaitOf(o).From(time.Now())
}
