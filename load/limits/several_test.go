//go:build !race

package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// severalLimits is a gateway with limits on requests, tokens and calls in flight on one key.
type severalLimits struct {
	requests      []*simulatedLimiter
	tokens        tokenCounter
	concurrent    int
	prepaid       bool // tokens are counted before the call, by what it asks for
	onlyPrompts   bool // only those of prompts count
	onlyAnswers   bool // only those of answers count
	ignoresTokens bool

	mu       sync.Mutex
	random   *rand.Rand
	inFlight int
}

// tokenCounter says how many tokens are left, and takes some.
type tokenCounter interface {
	left(now time.Time) float64
	take(now time.Time, n float64)
}

type tokenBucketCounter struct {
	capacity, perSecond, content float64
	at                           time.Time
}

func (b *tokenBucketCounter) left(now time.Time) float64 {
	if b.at.IsZero() {
		b.content = b.capacity
	} else {
		b.content = min(b.capacity, b.content+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
	return b.content
}

func (b *tokenBucketCounter) take(now time.Time, n float64) { b.content = b.left(now) - n }

// tokenWindow is a sliding log, or a fixed window of a clock.
type tokenWindow struct {
	limit  float64
	window time.Duration
	fixed  bool
	at     []time.Time
	n      []float64
}

func (w *tokenWindow) left(now time.Time) float64 {
	since := now.Add(-w.window)
	if w.fixed {
		since = now.Truncate(w.window)
	}
	left := w.limit
	for i, at := range w.at {
		if at.After(since) {
			left -= w.n[i]
		}
	}
	return left
}

func (w *tokenWindow) take(now time.Time, n float64) { w.at, w.n = append(w.at, now), append(w.n, n) }

func (g *severalLimits) probers() Probers {
	return Probers{
		Limited: func(ctx context.Context, hold time.Duration) (Call, error) { return g.call(ctx, 6, 2, hold) },
		Sized: func(ctx context.Context, prompt, answer int) (Call, error) {
			c, err := g.call(ctx, prompt, answer, 0)
			c.Asked = TokenCount{prompt, answer}
			return c, err
		},
	}
}

func (g *severalLimits) call(ctx context.Context, prompt, answer int, hold time.Duration) (Call, error) {
	g.mu.Lock()
	travel := time.Duration(200+g.random.IntN(800)) * time.Microsecond
	g.mu.Unlock()
	c := Call{Earliest: time.Now()}
	time.Sleep(travel)
	tokens := float64(prompt + answer)
	if g.onlyPrompts {
		tokens = float64(prompt)
	}
	if g.onlyAnswers {
		tokens = float64(answer)
	}
	g.mu.Lock()
	ok := g.admit(time.Now(), tokens)
	g.mu.Unlock()
	c.Observation = contract.Observation{Status: http.StatusTooManyRequests, Header: map[string][]string{"Content-Type": {"application/json"}, "Retry-After": {"1"}, "X-Request-Id": {"r"}}}
	c.Observation.Body = contract.Bytes(`{"error":{"message":"Too many requests.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`)
	c.Observation.Sent.Surface = dialect.Chat
	if ok {
		time.Sleep(hold)
		c.Held, c.Tokens = hold, TokenCount{prompt, answer}
		c.Observation = contract.Observation{Status: http.StatusOK}
		g.mu.Lock()
		g.inFlight--
		if !g.prepaid && !g.ignoresTokens {
			g.tokens.take(time.Now(), tokens)
		}
		g.mu.Unlock()
	}
	time.Sleep(travel)
	c.Ended = time.Now()
	c.Latest = c.Ended.Add(-c.Held)
	return c, ctx.Err()
}

func (g *severalLimits) admit(now time.Time, tokens float64) bool {
	if g.concurrent > 0 && g.inFlight >= g.concurrent {
		return false
	}
	if left := g.tokens.left(now); !g.ignoresTokens && (left <= 0 || g.prepaid && left < tokens) {
		return false
	}
	for _, l := range g.requests {
		if !l.allow(now) {
			return false
		}
		l.admitted = append(l.admitted, now)
	}
	if g.prepaid {
		g.tokens.take(now, tokens)
	}
	g.inFlight++
	return true
}

// verifySeveral verifies a gateway with 30 requests in 3 s, 1,000 tokens in 5 s, and 6 calls in flight.
func verifySeveral(t *testing.T, g *severalLimits, change func([]DeclaredLimit)) ([]contract.Finding, runlog.LoadSummary) {
	t.Helper()
	all := []DeclaredLimit{
		{Kind: contract.SlidingLog, Limit: 30, Window: 3 * time.Second},
		{Limit: 1000, Tokens: true, Window: 5 * time.Second},
		{Kind: contract.Concurrency, Limit: 6},
		{Limit: 10_000, Window: 24 * time.Hour},
	}
	if change != nil {
		change(all)
	}
	findings, summary, err := VerifyAll(t.Context(), g.probers(), all, Budget{})
	require.NoError(t, err)
	return slices.DeleteFunc(findings, func(f contract.Finding) bool {
		return f.Level == contract.Note || f.Requirement == contract.RetryAfterTrue
	}), summary
}

func newSeveral(run uint64) *severalLimits {
	g := &severalLimits{random: rand.New(rand.NewPCG(run, 41)), concurrent: 6}
	g.requests = []*simulatedLimiter{{kind: contract.SlidingLog, limit: 30, window: 3 * time.Second}}
	switch run % 3 {
	case 0:
		g.tokens = &tokenBucketCounter{capacity: 1000, perSecond: 200}
	case 1:
		g.tokens = &tokenWindow{limit: 1000, window: 5 * time.Second}
	default:
		g.tokens = &tokenWindow{limit: 1000, window: 5 * time.Second, fixed: true}
	}
	g.prepaid = run%2 == 0
	return g
}

func TestVerifyKnowsSeveralLimitsOnOneKey(t *testing.T) {
	tokens := func(scale float64) func([]DeclaredLimit) {
		return func(all []DeclaredLimit) { all[1].Limit = int(scale * float64(all[1].Limit)) }
	}
	for _, row := range []struct {
		name    string
		gateway func(*severalLimits)
		declare func([]DeclaredLimit)
		want    []string // of each finding: level, requirement, limit
	}{
		{"as declared", nil, nil, nil},
		{"with half of the tokens", nil, tokens(2), []string{"SHOULD limit-exact 2000 tokens"}},
		{"with twice the tokens", nil, tokens(0.5), []string{"MUST limit-exact 500 tokens"}},
		{"without a limit on tokens", func(g *severalLimits) { g.ignoresTokens = true }, nil, []string{"MUST limit-exact 1000 tokens"}},
		{"with a limit on prompts only", func(g *severalLimits) { g.onlyPrompts = true }, nil, []string{" limit-exact 1000 tokens"}},
		{"with twice the requests", func(g *severalLimits) { g.requests[0].limit = 60 }, nil, []string{"MUST limit-exact 30 in 3s"}},
		{"with half of the requests", func(g *severalLimits) { g.requests[0].limit = 15 }, nil, []string{"SHOULD  30 in 3s"}},
		{"with twice the calls in flight", func(g *severalLimits) { g.concurrent = 12 }, nil, []string{"MUST limit-burst 6 calls in flight"}},
		{"with half of the calls in flight", func(g *severalLimits) { g.concurrent = 3 }, nil, []string{"SHOULD limit-burst 6 calls in flight"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for run := range runsOf(2, 30) {
				synctest.Test(t, func(t *testing.T) {
					g := newSeveral(run)
					if row.gateway != nil {
						row.gateway(g)
					}
					findings, summary := verifySeveral(t, g, row.declare)
					if row.want == nil {
						require.Empty(t, findings, "run %d: %+v", run, summary.Checks)
						require.Equal(t, contract.Held, checkOf(summary, contract.LimitExact).Result)
						require.Contains(t, checkOf(summary, contract.LimitExact).Sentence, "(a limit of 1000 tokens in 5s)")
						require.Contains(t, checkOf(summary, contract.LimitExact).Sentence, "the window of 24h exceeds the longest time that gatecert waits (15m)")
						require.Less(t, summary.Took, time.Minute)
					}
					for _, want := range row.want {
						words := strings.SplitN(want, " ", 3)
						require.True(t, slices.ContainsFunc(findings, func(f contract.Finding) bool {
							return (words[0] == "" || string(f.Level) == words[0]) && (words[1] == "" || string(f.Requirement) == words[1]) && strings.Contains(f.Want, words[2])
						}), "run %d: %v: %v", run, want, findings)
					}
					for _, f := range findings {
						if f.Level == contract.Must && row.want != nil {
							require.Contains(t, f.Want, strings.SplitN(row.want[0], " ", 3)[2], fmt.Sprintf("run %d: a limit that holds is accused: %v", run, findings))
						}
					}
				})
			}
		})
	}
}

// A limit on the tokens of prompts, or on those of answers, is not taken for one on the others.
func TestVerifyKnowsTokensOfPromptsAndOfAnswers(t *testing.T) {
	counting := map[string]func(*severalLimits){
		"prompts": func(g *severalLimits) { g.onlyPrompts = true },
		"answers": func(g *severalLimits) { g.onlyAnswers = true },
		"all":     func(*severalLimits) {},
	}
	for _, row := range []struct {
		counts   string
		part     TokenPart
		declared int
		want     contract.RequirementLevel // "": no finding
	}{
		{"prompts", InputTokens, 1000, ""},
		{"answers", OutputTokens, 1000, ""},
		{"prompts", InputTokens, 500, contract.Must},
		{"answers", OutputTokens, 500, contract.Must},
		{"prompts", InputTokens, 2000, contract.Should},
		{"answers", OutputTokens, 2000, contract.Should},
		{"answers", InputTokens, 1000, "any"},
		{"prompts", OutputTokens, 1000, "any"},
		{"all", InputTokens, 1000, contract.Should},
		{"all", OutputTokens, 1000, contract.Should},
	} {
		t.Run(fmt.Sprintf("%d %s tokens, counting %s", row.declared, row.part, row.counts), func(t *testing.T) {
			t.Parallel()
			for run := range runsOf(3, 30) {
				synctest.Test(t, func(t *testing.T) {
					g := newSeveral(run)
					counting[row.counts](g)
					findings, summary, err := VerifyAll(t.Context(), g.probers(), []DeclaredLimit{
						{Kind: contract.SlidingLog, Limit: 30, Window: 3 * time.Second}, {Tokens: true, Part: row.part, Limit: row.declared, Window: 5 * time.Second},
					}, Budget{})
					require.NoError(t, err)
					findings = slices.DeleteFunc(findings, func(f contract.Finding) bool {
						return f.Level == contract.Note || f.Requirement != contract.LimitExact && f.Requirement != contract.LimitBurst
					})
					if row.want == "" {
						require.Empty(t, findings, "run %d: %+v", run, summary.Checks)
						return
					}
					require.True(t, slices.ContainsFunc(findings, func(f contract.Finding) bool {
						return (f.Level == row.want || row.want == "any") && strings.Contains(f.Want, string(row.part)+" tokens")
					}), "run %d: %v %+v", run, findings, summary.Checks)
				})
			}
		})
	}
}
