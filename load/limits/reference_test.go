package limits_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway is a reference gateway with its mock upstream, and the clients of a test.
type gateway struct {
	server *reference.Server
	client *exchange.Client
	calls  atomic.Int64
	// accounts reads balances.
	accounts *http.Client
	seen     func(context.Context, string) (contract.Seen, error)
	// tokens is the gateway's limit on tokens, if any.
	tokens, input, output reference.TokenLimit
	// concurrent is its limit on calls under way, if any.
	concurrent int
}

func newGateway(t *testing.T, rate reference.RateLimit, names ...string) *gateway {
	t.Helper()
	mock := upstream.New(upstream.Options{})
	listener, err := upstream.Listen(t.Context(), "127.0.0.1:0", mock)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	options := reference.Options{Upstream: listener.URL(), StorePath: t.TempDir() + "/store.db", Rate: rate, Timeout: 20 * time.Second}
	require.NoError(t, mutants.Install(&options, names...))
	server, err := reference.Serve(t.Context(), "127.0.0.1:0", options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	var roots *x509.CertPool
	if server.Certificate != nil {
		roots = x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM(server.Certificate))
	}
	client := exchange.NewClient(exchange.Limits{}, roots)
	t.Cleanup(client.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &gateway{server: server, client: client, accounts: &http.Client{Transport: transport}, seen: mock.Seen, tokens: options.Tokens, input: options.InputTokens, output: options.OutputTokens, concurrent: options.Concurrent}
}

// prober calls with a key on a surface, and gives the upstream a directive.
func (g *gateway) prober(s dialect.Surface, key, directive string, more ...string) limits.Prober {
	return limits.ClientProber{Client: g.client, CanHold: true, NewRequest: func(hold time.Duration) limits.Request {
		token := fmt.Sprintf("t%d", g.calls.Add(1))
		words := "token=" + token + directive
		if hold > 0 {
			words += " delay=" + hold.String()
		}
		return limits.Request{
			Call: exchange.Call{
				Surface: s, BaseURL: g.server.URL(), Key: key, Model: g.server.Gateway.Fixtures().Models.Chat,
				Prompt: "[[gatecert " + words + "]] Say hello." + strings.Join(more, ""),
			},
			Seen: func(ctx context.Context) (contract.Seen, error) { return g.seen(ctx, token) },
		}
	}}.Probe
}

func (g *gateway) sized(ctx context.Context, prompt, answer int) (limits.Call, error) {
	key := g.server.Gateway.Fixtures().Keys.Limited
	c, err := g.prober(dialect.Chat, key, fmt.Sprintf(" chunks=%d", answer), strings.Repeat(" cat", prompt))(ctx, 0)
	c.Asked = limits.TokenCount{Input: prompt, Output: answer}
	return c, err
}

func (g *gateway) probers() limits.Probers {
	keys := g.server.Gateway.Fixtures().Keys
	return limits.Probers{
		Sized:     g.sized,
		Limited:   g.prober(dialect.Chat, keys.Limited, ""),
		Stream:    g.prober(dialect.ChatStream, keys.Limited, ""),
		Control:   g.prober(dialect.Chat, keys.Valid, ""),
		Throttled: g.prober(dialect.Chat, keys.Valid, " status=429 retry-after=7"),
		Balance:   func(ctx context.Context) (float64, error) { return g.balance(ctx, keys.Limited) },
	}
}

func (g *gateway) balance(ctx context.Context, key string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.server.URL()+"/v1/dashboard/balance", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := g.accounts.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var body struct {
		Quota float64 `json:"quota"`
	}
	return body.Quota, json.NewDecoder(response.Body).Decode(&body)
}

// verify is a verification of the limit that the gateway declares.
func (g *gateway) verify(ctx context.Context, rate reference.RateLimit) ([]contract.Finding, runlog.LoadSummary, error) {
	all := []limits.DeclaredLimit{{
		Kind: rate.Kind, Limit: rate.Requests, Window: rate.Window, Shared: new(true), Attempts: 3, UpstreamRetryAfter: 7,
	}}
	for part, l := range map[limits.TokenPart]reference.TokenLimit{limits.AllTokens: g.tokens, limits.InputTokens: g.input, limits.OutputTokens: g.output} {
		if l.Tokens > 0 {
			all = append(all, limits.DeclaredLimit{Kind: contract.SlidingLog, Tokens: true, Part: part, Limit: l.Tokens, Window: l.Window})
		}
	}
	if g.concurrent > 0 {
		all = append(all, limits.DeclaredLimit{Kind: contract.Concurrency, Limit: g.concurrent})
	}
	findings, evidence, err := limits.VerifyAll(ctx, g.probers(), all, limits.Budget{})
	return slices.DeleteFunc(findings, func(f contract.Finding) bool { return f.Level == contract.Note }), evidence, err
}

// The five kinds of the reference gateway, over a real network and on a real clock.
func TestVerifyKnowsTheReferenceGatewaysKinds(t *testing.T) {
	if !limits.Accepting {
		t.Skip("make accept-limits")
	}
	for round := range rounds {
		stop := func() {}
		if round%2 == 1 {
			stop = spin()
		}
		t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
			for _, kind := range contract.LimiterKinds() {
				for _, rate := range []reference.RateLimit{
					{Requests: 5, Window: time.Second}, {Requests: 20, Window: 2 * time.Second},
					{Requests: 50, Window: 3 * time.Second}, {Requests: 20, Window: 10 * time.Second},
				} {
					rate.Kind = kind
					t.Run(fmt.Sprintf("%s of %d in %s", kind, rate.Requests, rate.Window), func(t *testing.T) {
						t.Parallel()
						findings, evidence, err := newGateway(t, rate).verify(t.Context(), rate)
						require.NoError(t, err)
						require.Empty(t, findings, "%+v", evidence.Checks)
						for _, c := range evidence.Checks {
							untested := c.Requirement == contract.DepartedFree && kind != contract.Concurrency
							require.True(t, c.Result == contract.Held || untested && c.Result == contract.Untested, "%+v", c)
						}
						t.Log(evidence.Calls, evidence.Took.Round(time.Millisecond))
					})
				}
			}
		})
		stop()
	}
}
