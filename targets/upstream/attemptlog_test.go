package upstream

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

func TestUnknownTokensHaveNoAttempts(t *testing.T) {
	seen, err := New(Options{}).Seen(context.Background(), "nobody")
	require.NoError(t, err)
	assert.Equal(t, contract.Seen{Attempts: []contract.Attempt{}}, seen)
}

func TestSeenWaitsForEveryAttempt(t *testing.T) {
	l := newAttemptLog(10)
	first := l.begin("a", contract.Attempt{Path: "/1"}, time.Now())
	second := l.begin("a", contract.Attempt{Path: "/2"}, time.Now())

	done, cancel := context.WithCancel(context.Background())
	cancel()
	seen := l.await(done, "a")
	require.Len(t, seen.Attempts, 2)
	assert.True(t, seen.Attempts[0].Open && seen.Attempts[1].Open)
	assert.Positive(t, seen.Attempts[0].Duration)

	answer := make(chan contract.Seen)
	go func() { answer <- l.await(context.Background(), "a") }()
	first.answered(200, nil)
	first.end(false)
	third := l.begin("a", contract.Attempt{Path: "/3"}, time.Now())
	second.end(true)
	select {
	case <-answer:
		assert.Fail(t, "answered while the third attempt was open")
	default:
	}
	third.end(false)
	seen = <-answer
	for i := range seen.Attempts {
		assert.Positive(t, seen.Attempts[i].Duration)
		seen.Attempts[i].Duration = 0
	}
	assert.Equal(t, []contract.Attempt{{Path: "/1", Status: 200}, {Path: "/2", Cancelled: true}, {Path: "/3"}}, seen.Attempts)

	// After an idle time a new attempt is waited for again.
	fourth := l.begin("a", contract.Attempt{}, time.Now())
	go fourth.end(false)
	assert.Len(t, l.await(context.Background(), "a").Attempts, 4)
}

func TestOldestTokenIsDropped(t *testing.T) {
	l := newAttemptLog(2)
	oldest := l.begin("a", contract.Attempt{}, time.Now())
	l.begin("b", contract.Attempt{}, time.Now()).end(false)
	l.begin("a", contract.Attempt{}, time.Now()).end(false)
	l.begin("c", contract.Attempt{}, time.Now()).end(false)
	assert.Empty(t, l.await(context.Background(), "a").Attempts)
	assert.Len(t, l.await(context.Background(), "b").Attempts, 1)
	assert.Len(t, l.await(context.Background(), "c").Attempts, 1)
	oldest.end(false) // forgotten, but no fault
	tokens, attempts, _ := l.counts()
	assert.Equal(t, 2, tokens)
	assert.EqualValues(t, 4, attempts)
}

func TestAttemptsOfOneTokenAreBounded(t *testing.T) {
	l := newAttemptLog(2)
	for range maxAttempts + 5 {
		l.begin("a", contract.Attempt{}, time.Now()).end(false)
	}
	l.begin("", contract.Attempt{}, time.Now()).end(false)
	assert.Len(t, l.await(context.Background(), "a").Attempts, maxAttempts)
	tokens, attempts, _ := l.counts()
	assert.Equal(t, 1, tokens, "no token, no record")
	assert.EqualValues(t, maxAttempts+6, attempts)
}

func TestAttemptLogUnderConcurrency(t *testing.T) {
	l := newAttemptLog(8)
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			for j := range 200 {
				token := fmt.Sprint("t", (i+j)%12)
				a := l.begin(token, contract.Attempt{}, time.Now())
				a.answered(200, nil)
				a.end(j%2 == 0)
				l.await(context.Background(), token)
			}
		})
	}
	callers.Wait()
	tokens, attempts, _ := l.counts()
	assert.Equal(t, 8, tokens)
	assert.EqualValues(t, 16*200, attempts)
}
