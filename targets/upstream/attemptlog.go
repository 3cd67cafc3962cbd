package upstream

import (
	"context"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// maxAttempts bounds the attempts that are recorded for one token. A gateway that retries more often has failed anyway.
const maxAttempts = 1000

// attemptLog records attempts by token. It drops the oldest token when there are more than limit.
type attemptLog struct {
	mu      sync.Mutex
	limit   int
	byToken map[string]*tokenAttempts
	// order are the tokens of byToken, oldest first.
	order []string
	total int64
	// open counts the attempts that have not ended, also those without a token.
	open int
}

// tokenAttempts are the attempts of one token.
type tokenAttempts struct {
	attempts []*attempt
	open     int
	// idle is closed when no attempt is open, and replaced when one begins.
	idle chan struct{}
}

// attempt is one request, open or ended. The mutex of its log guards its fields.
type attempt struct {
	contract.Attempt
	log     *attemptLog
	ofToken *tokenAttempts // nil for an attempt that is only counted
	arrived time.Time
}

func newAttemptLog(limit int) *attemptLog {
	return &attemptLog{limit: limit, byToken: make(map[string]*tokenAttempts)}
}

// begin records an attempt under its token. Without a token it is only counted.
func (l *attemptLog) begin(token string, what contract.Attempt, arrived time.Time) *attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.open++
	a := &attempt{Attempt: what, log: l, arrived: arrived}
	a.Open = true
	if token == "" {
		return a
	}
	of := l.ofTokenLocked(token)
	if len(of.attempts) == maxAttempts {
		return a
	}
	if of.open == 0 {
		of.idle = make(chan struct{})
	}
	of.open++
	of.attempts = append(of.attempts, a)
	a.ofToken = of
	return a
}

func (l *attemptLog) ofTokenLocked(token string) *tokenAttempts {
	if of := l.byToken[token]; of != nil {
		return of
	}
	if len(l.order) == l.limit {
		delete(l.byToken, l.order[0])
		l.order = l.order[1:]
	}
	of := &tokenAttempts{}
	l.byToken[token] = of
	l.order = append(l.order, token)
	return of
}

// answered records the status, and the error in the answer; nil for none.
func (a *attempt) answered(status int, problem []byte) {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	a.Status = status
	if len(problem) <= contract.MaxUpstreamError {
		a.Error = string(problem)
	}
}

// end ends the attempt; cancelled says that the gateway closed the connection before.
func (a *attempt) end(cancelled bool) {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	a.log.open--
	a.Open, a.Cancelled, a.Duration = false, cancelled, time.Since(a.arrived)
	if a.ofToken == nil {
		return
	}
	if a.ofToken.open--; a.ofToken.open == 0 {
		close(a.ofToken.idle)
	}
}

// await waits until no attempt of the token is open, or ctx is done, and returns its attempts.
func (l *attemptLog) await(ctx context.Context, token string) contract.Seen {
	for {
		seen, idle := l.snapshot(token)
		if idle == nil || ctx.Err() != nil {
			return seen
		}
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
}

// snapshot returns the attempts as they are now, and a channel that is closed when none is open; nil when none is.
func (l *attemptLog) snapshot(token string) (contract.Seen, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := contract.Seen{Attempts: []contract.Attempt{}}
	of := l.byToken[token]
	if of == nil {
		return seen, nil
	}
	for _, a := range of.attempts {
		now := a.Attempt
		if now.Open {
			now.Duration = time.Since(a.arrived)
		}
		seen.Attempts = append(seen.Attempts, now)
	}
	if of.open == 0 {
		return seen, nil
	}
	return seen, of.idle
}

// counts returns the number of recorded tokens, of all attempts since the start, and of those that have not ended.
func (l *attemptLog) counts() (tokens int, attempts int64, open int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byToken), l.total, l.open
}
