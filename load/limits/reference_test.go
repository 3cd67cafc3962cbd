package limits_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

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
	return &gateway{server: server, client: client, accounts: &http.Client{Transport: transport}, seen: mock.Seen}
}

// prober calls with a key on a surface, and gives the upstream a directive.
func (g *gateway) prober(s dialect.Surface, key, directive string) limits.Prober {
	return limits.ClientProber{Client: g.client, CanHold: true, NewRequest: func(hold time.Duration) limits.Request {
		token := fmt.Sprintf("t%d", g.calls.Add(1))
		words := "token=" + token + directive
		if hold > 0 {
			words += " delay=" + hold.String()
		}
		return limits.Request{
			Call: exchange.Call{
				Surface: s, BaseURL: g.server.URL(), Key: key, Model: g.server.Gateway.Fixtures().Models.Chat,
				Prompt: "[[gatecert " + words + "]] Say hello.",
			},
			Seen: func(ctx context.Context) (contract.Seen, error) { return g.seen(ctx, token) },
		}
	}}.Probe
}

func (g *gateway) probers() limits.Probers {
	keys := g.server.Gateway.Fixtures().Keys
	return limits.Probers{
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
	findings, evidence, err := limits.Verify(ctx, g.probers(), limits.DeclaredLimit{
		Kind: rate.Kind, Limit: rate.Requests, Window: rate.Window, Shared: new(true), Attempts: 3, UpstreamRetryAfter: 7,
	}, limits.Budget{})
	return slices.DeleteFunc(findings, func(f contract.Finding) bool { return f.Level == contract.Note }), evidence, err
}

// verified is the result of verifying a gateway with a mutant or a permitted behaviour.
type verified struct {
	name     string
	gateway  *gateway
	findings []contract.Finding
	evidence runlog.LoadSummary
	err      error
}

// parallel is how many verifications run at the same time. They mostly wait; but of twelve that began with a burst at the same
// time, with the race detector, each was too slow to use its limit up within a window.
const parallel = 6

// verifyAll verifies the gateway with each mutant or permitted behaviour.
func verifyAll(t *testing.T, names []string) []verified {
	t.Helper()
	all := make([]verified, len(names))
	rate := reference.RateLimit{Kind: contract.SlidingLog, Requests: 8, Window: 2 * time.Second}
	for i, name := range names {
		all[i] = verified{name: name, gateway: newGateway(t, rate, name)}
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for i := range all {
		group.Go(func() error {
			v := &all[i]
			v.findings, v.evidence, v.err = v.gateway.verify(t.Context(), rate)
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	return all
}

func TestEveryMutantBreaksItsRequirement(t *testing.T) {
	if limits.RaceEnabled {
		t.Skip("it takes a minute with the race detector; make test runs it without, and gatecert selftest --load has the same")
	}
	t.Parallel() // with the permitted behaviours: both wait more than they work
	breaks := map[string]contract.Requirement{}
	var names []string
	for _, m := range mutants.All() {
		c := contract.CaseOf(contract.OverRateLimit, dialect.Chat, contract.LoadVariant)
		if expected := m.Expected(c); m.Load && expected != nil {
			breaks[m.Name] = expected.Breaks[0]
			names = append(names, m.Name)
		}
	}
	// What a mutant breaks besides its own requirement.
	also := map[string]contract.Requirement{
		"one-call-over-the-limit": contract.LimitBurst, "refusals-empty-in-a-burst": contract.Envelope,
	}
	// What a mutant may break on a slow machine: where the limit is free again more than a second before the one that streaming
	// calls have, their Retry-After looks too long.
	perhaps := map[string]contract.Requirement{"streams-limited-apart": contract.RetryAfterTrue}
	violated := map[contract.Requirement]bool{}
	for _, v := range verifyAll(t, names) {
		want := []contract.Requirement{breaks[v.name]}
		if r, more := also[v.name]; more {
			want = append(want, r)
		}
		var got []contract.Requirement
		for _, f := range v.findings {
			violated[f.Requirement] = true
			if !slices.Contains(got, f.Requirement) && f.Requirement != perhaps[v.name] {
				got = append(got, f.Requirement)
			}
		}
		t.Run(v.name, func(t *testing.T) {
			require.NoError(t, v.err)
			require.ElementsMatch(t, want, got, "%v\n%+v", v.findings, v.evidence.Checks)
		})
	}
	for _, r := range contract.LoadRequirements(contract.LimitLoad) {
		require.True(t, violated[r], "no mutant violates %s", r)
	}
}

func TestNoPermittedBehaviourRaisesAnAlarm(t *testing.T) {
	if limits.RaceEnabled {
		t.Skip("it takes a minute with the race detector; make test runs it without, and gatecert selftest --load has the same")
	}
	t.Parallel()
	var names []string
	for _, p := range mutants.Permitted() {
		if p.UnderLoad() {
			names = append(names, p.Name)
		}
	}
	for _, v := range verifyAll(t, names) {
		t.Run(v.name, func(t *testing.T) {
			require.NoError(t, v.err)
			require.Empty(t, v.findings, "%+v", v.evidence.Checks)
			for _, c := range v.evidence.Checks {
				require.Equal(t, contract.Held, c.Result, "%+v", c)
			}
		})
	}
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
							require.Equal(t, contract.Held, c.Result, "%+v", c)
						}
						t.Log(evidence.Calls, evidence.Took.Round(time.Millisecond))
					})
				}
			}
		})
		stop()
	}
}
