package upstream

import (
	"net/http"
	"sync"
	"time"

	"github.com/gatecert/gatecert/internal/histogram"
)

// Played describes what the upstream has sent while imitating a model since its start, by its own clock. It is the response to GET /_gatecert/model.
type Played struct {
	// Model is the model in the options, or "" if there is none. Directives may request other models.
	Model string `json:"model,omitempty"`
	// Answers counts the complete responses, and Streams those of them that were streams. Broken counts the responses for which the client did not
	// wait.
	Answers uint64 `json:"answers"`
	Streams uint64 `json:"streams"`
	Broken  uint64 `json:"broken"`
	// Tokens is the total number of tokens in all complete responses.
	Tokens uint64 `json:"tokens"`
	// TTFT is the time from the arrival of a request to the first token of its stream. ITL is the time between two tokens of a stream.
	TTFT PlayedTimes `json:"ttft"`
	ITL  PlayedTimes `json:"itl"`
	// TokenRate50 and TokenRate99 are quantiles of the tokens per second of a stream after its first token.
	TokenRate50 float64 `json:"token_rate_p50"`
	TokenRate99 float64 `json:"token_rate_p99"`
}

// PlayedTimes are quantiles of the imitated times.
type PlayedTimes struct {
	Count uint64        `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// playedLog sums up the answers that were played. It is safe for concurrent use, and its size is bounded.
type playedLog struct {
	mu        sync.Mutex
	sum       Played
	ttft, itl histogram.Histogram
	rate      histogram.Counts
}

// add counts one answer.
func (l *playedLog) add(p *playing, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !whole {
		l.sum.Broken++
		return
	}
	l.sum.Answers++
	l.sum.Tokens += uint64(p.tokens) //nolint:gosec // a count
	if !p.streamed {
		return
	}
	l.sum.Streams++
	first, last := p.sentAt[0], p.sentAt[len(p.sentAt)-1]
	l.ttft.Add(first.Sub(p.arrived))
	for n := 1; n < len(p.sentAt); n++ {
		l.itl.Add(p.sentAt[n].Sub(p.sentAt[n-1]))
	}
	if took := last.Sub(first); took > 0 {
		l.rate.Add(int64(1000 * float64(p.tokens-1) / took.Seconds()))
	}
}

// Played returns what the upstream has sent while imitating a model.
func (u *Upstream) Played() Played {
	l := &u.played
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := l.sum
	sum.Model = u.model.String()
	sum.TTFT, sum.ITL = playedTimes(l.ttft), playedTimes(l.itl)
	sum.TokenRate50, sum.TokenRate99 = float64(l.rate.Quantile(0.5))/1000, float64(l.rate.Quantile(0.99))/1000
	return sum
}

func playedTimes(h histogram.Histogram) PlayedTimes {
	return PlayedTimes{Count: h.Count(), P50: h.Quantile(0.5), P95: h.Quantile(0.95), P99: h.Quantile(0.99), Max: h.Max()}
}

func (u *Upstream) serveModel(w http.ResponseWriter, _ *http.Request) { writeJSON(w, u.Played()) }
