package limits_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the reference gateway with its provider, and an exchange client.
type rig struct {
	server *reference.Server
	client *exchange.Client
	tokens chan int
	seen   func(context.Context, string) (contract.Seen, error)
}

func newRig(t *testing.T, rate reference.RateLimit) *rig {
	t.Helper()
	played := upstream.New(upstream.Options{})
	provider, err := upstream.Listen(t.Context(), "127.0.0.1:0", played)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, provider.Close()) })
	server, err := reference.Serve(t.Context(), "127.0.0.1:0", reference.Options{
		Upstream: provider.URL(), StorePath: t.TempDir() + "/store.db", Rate: rate, Timeout: 20 * time.Second,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	client := exchange.NewClient(exchange.Limits{})
	t.Cleanup(client.Close)
	r := &rig{server: server, client: client, tokens: make(chan int, 1), seen: played.Seen}
	r.tokens <- 0
	return r
}

// prober calls with a key on a surface, and gives the upstream a directive.
func (r *rig) prober(s contract.Surface, key, directive string) limits.Prober {
	return limits.Caller{Client: r.client, Holds: true, Make: func(hold time.Duration) limits.Planned {
		n := <-r.tokens
		r.tokens <- n + 1
		token := fmt.Sprintf("t%d", n)
		words := "token=" + token + directive
		if hold > 0 {
			words += " delay=" + hold.String()
		}
		return limits.Planned{
			Call: exchange.Call{
				Surface: s, BaseURL: r.server.URL(), Key: key, Model: r.server.Gateway.Fixtures().Models.Chat,
				Prompt: "[[gatecert " + words + "]] Say hello.",
			},
			Seen: func(ctx context.Context) (contract.Seen, error) { return r.seen(ctx, token) },
		}
	}}
}

func (r *rig) probers() limits.Probers {
	keys := r.server.Gateway.Fixtures().Keys
	return limits.Probers{
		Limited:   r.prober(contract.Chat, keys.Limited, ""),
		Stream:    r.prober(contract.ChatStream, keys.Limited, ""),
		Other:     r.prober(contract.Chat, keys.Valid, ""),
		Throttled: r.prober(contract.Chat, keys.Valid, " status=429 retry-after=7"),
		Balance:   func(ctx context.Context) (float64, error) { return r.balance(ctx, keys.Limited) },
	}
}

func (r *rig) balance(ctx context.Context, key string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.server.URL()+"/v1/dashboard/balance", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var body struct {
		Quota float64 `json:"quota"`
	}
	return body.Quota, json.NewDecoder(response.Body).Decode(&body)
}

// The five kinds of the reference gateway, over a real network and on a real clock.
func TestReferenceGateway(t *testing.T) {
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("set GATECERT_ACCEPTANCE=1: it measures real clocks, and needs a machine that does nothing else")
	}
	for _, kind := range targets.Limiters() {
		rate := reference.RateLimit{Kind: kind, Requests: 6, Window: 1500 * time.Millisecond}
		t.Run(string(kind)+" is found out", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rate)
			m, experiments, err := limits.Infer(t.Context(), r.probers().Limited, limits.Budget{})
			require.NoError(t, err)
			require.Equal(t, limits.Kind(kind), m.Kind, "%q", m.Evidence)
			require.Equal(t, 6, m.Limit, "%q", m.Evidence)
			require.NotEmpty(t, experiments)
			t.Log(m)
		})
		t.Run(string(kind)+" keeps its word", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rate)
			findings, evidence, err := limits.Verify(t.Context(), r.probers(), limits.Declared{
				Kind: limits.Kind(kind), Limit: 6, Window: rate.Window, Shared: new(true), Attempts: 1, UpstreamRetryAfter: 7,
			}, limits.Budget{})
			require.NoError(t, err)
			findings = slices.DeleteFunc(findings, func(f contract.Finding) bool { return f.Severity == contract.Note })
			require.Empty(t, findings, "%+v", evidence)
			for _, c := range evidence.Checks {
				require.Equal(t, limits.Held, c.Result, "%+v", c)
			}
			t.Log(evidence.Calls, evidence.Took)
		})
	}
}
