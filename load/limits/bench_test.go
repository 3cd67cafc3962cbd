package limits

import (
	"net/http"
	"testing"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// answers returns 4,000 answers of a limiter that calls are made to every millisecond.
func answers(limit int, window time.Duration) []Call {
	origin := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	var admitted []time.Time
	calls := make([]Call, 0, 4000)
	for i := range cap(calls) {
		at := origin.Add(time.Duration(i) * time.Millisecond)
		for len(admitted) > 0 && at.Sub(admitted[0]) >= window {
			admitted = admitted[1:]
		}
		c := Call{Earliest: at, Latest: at.Add(800 * time.Microsecond), Ended: at.Add(900 * time.Microsecond), phase: phaseSustained}
		c.Observation = contract.Observation{Status: http.StatusTooManyRequests}
		if len(admitted) < limit {
			admitted, c.Observation.Status = append(admitted, at), http.StatusOK
		}
		calls = append(calls, c)
	}
	return calls
}

// The analysis of 4,000 answers may take two seconds of processor time. A limit that is not as declared costs most: all others are
// tried.
func BenchmarkAnalysis(b *testing.B) {
	calls, thousands := answers(100, time.Second), answers(1000, 2*time.Second)
	for _, row := range []struct {
		name     string
		declared DeclaredLimit
		calls    []Call
	}{
		{"as declared", DeclaredLimit{Kind: contract.SlidingLog, Limit: 100, Window: time.Second}, calls},
		{"without a kind", DeclaredLimit{Limit: 100, Window: time.Second}, calls},
		{"declared as half", DeclaredLimit{Limit: 50, Window: time.Second}, calls},
		{"declared as twice", DeclaredLimit{Limit: 200, Window: time.Second}, calls},
		{"declared in twice the window", DeclaredLimit{Limit: 100, Window: 2 * time.Second}, calls},
		{"declared as another kind", DeclaredLimit{Kind: contract.TokenBucket, Limit: 100, Window: time.Second, Burst: 20}, calls},
		{"of a thousand, declared as twice", DeclaredLimit{Kind: contract.FixedWindow, Limit: 2000, Window: 2 * time.Second}, thousands},
		{"of a thousand, declared as another kind", DeclaredLimit{Kind: contract.SlidingCounter, Limit: 1000, Window: 2 * time.Second}, thousands},
		{"of a thousand, declared in half the window", DeclaredLimit{Limit: 1000, Window: time.Second}, thousands},
	} {
		row.declared.Slack = defaultSlack
		b.Run(row.name, func(b *testing.B) {
			t := transcript{began: row.calls[0].Earliest, took: 4 * time.Second, calls: row.calls}
			for b.Loop() {
				assess(row.declared, t, nil)
			}
		})
	}
	b.Run("inferred", func(b *testing.B) {
		for b.Loop() {
			i := &inference{recorder: &recorder{calls: calls}, interval: 10 * time.Millisecond, limits: []int{100, 101, 99}}
			i.fits()
		}
	})
}
