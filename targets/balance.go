package targets

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/wait"
)

// ReadsBalance selects the cases whose cost is checked. These cases run one at a time, because the cost of another call would be attributed to them.
// Slow cases are left out, because each of them would take the gateway's time limit.
func (s *Session) ReadsBalance(c contract.Case) bool {
	return s.Profile.Balance.Path != "" && c.Reach() == contract.ReachMust && c.Circumstance != contract.SlowUpstream
}

// lastBalance is the balance of a key after a case. Where nothing was sent since, it is the one before the next case: it is
// read once a case, not twice.
type lastBalance struct {
	mu    sync.Mutex
	key   string
	left  float64
	calls int64 // that the session's client had made
}

func (l *lastBalance) keep(key string, left float64, calls int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.key, l.left, l.calls = key, left, calls
}

// balanceBefore is the balance of a key before a case.
func (s *Session) balanceBefore(ctx context.Context, key string) (float64, error) {
	l := &s.lastBalance
	l.mu.Lock()
	left, known := l.left, l.key == key && l.calls > 0 && l.calls == s.client.Calls()
	l.mu.Unlock()
	if known {
		return left, nil
	}
	return s.Balance(ctx, key)
}

// settlePolls limits the wait for a refund that a gateway books only after its response: in total, the wait is at most one second.
const (
	settlePolls = 20
	settlePoll  = 50 * time.Millisecond
)

// settledBalance reads the balance until it is back at what it was, or the wait is over.
func (s *Session) settledBalance(ctx context.Context, key string, before float64) (float64, error) {
	for poll := 0; ; poll++ {
		after, err := s.Balance(ctx, key)
		if err != nil || after >= before || poll == settlePolls {
			return after, err
		}
		if err := wait.For(ctx, settlePoll); err != nil {
			return after, err
		}
	}
}

// Balance reads the remaining balance of a key's owner. The profile must state where to find the balance.
func (s *Session) Balance(ctx context.Context, key string) (float64, error) {
	o, err := s.client.Do(ctx, exchange.Call{
		Surface: dialect.Chat, BaseURL: s.Profile.BaseURL, Key: key,
		Method: "GET", Path: s.Profile.Balance.Path, Header: s.Profile.Headers,
	})
	path := s.Profile.ShownPath(s.Profile.Balance.Path)
	if err != nil {
		return 0, fmt.Errorf("read the balance: %w", err)
	}
	var body any
	if err := json.Unmarshal(o.Body, &body); err != nil || o.Status != 200 {
		return 0, fmt.Errorf("read the balance at %s: balance.path must return status 200 and a JSON body; the response has status %d", path, o.Status)
	}
	for name := range strings.SplitSeq(s.Profile.Balance.Field, ".") {
		object, _ := body.(map[string]any)
		body = object[name]
	}
	number, ok := body.(float64)
	if !ok {
		return 0, fmt.Errorf("read the balance at %s: the response has no number at %q", path, s.Profile.Balance.Field)
	}
	return number, nil
}
