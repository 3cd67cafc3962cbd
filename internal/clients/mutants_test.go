package clients

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// onReference plays rows with adapters on the reference gateway, with a mutant where one is named.
func onReference(t *testing.T, mutant string, config Config) clientlog.Log {
	t.Helper()
	var options reference.Options
	if mutant != "" {
		require.NoError(t, mutants.Install(&options, mutant))
	}
	prepared, err := reference.Driver{Options: options}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, prepared.Close(context.WithoutCancel(t.Context()))) }()
	session := targets.NewSession(prepared, targets.Host{})
	defer func() { assert.NoError(t, session.Close()) }()
	config.Session, config.Redactor, config.CallTime = session, redact.New(), enough
	log, err := Play(t.Context(), config)
	require.NoError(t, err)
	return log
}

// installed is the first of these clients that is installed; the test is skipped where none is.
func installed(t *testing.T, names ...string) Adapter {
	t.Helper()
	if os.Getenv("GATECERT_CLIENTS") == "" {
		t.Skip("make clients-test runs it: libraries take their time to start and to retry")
	}
	all, err := ReadManifest("../../clients")
	require.NoError(t, err)
	for _, name := range names {
		for _, a := range all {
			if a.Name == name && a.Missing() == "" {
				return a
			}
		}
	}
	t.Skipf("none of %v is installed: make clients", names)
	return Adapter{}
}

// TestMutantsThroughARealClient shows what a fault of the gateway does to callers. It needs a client of OpenAI's: both count the
// same.
func TestMutantsThroughARealClient(t *testing.T) {
	t.Parallel()
	client := installed(t, "openai-go", "openai-node")
	for _, tt := range []struct {
		mutant        string
		circumstance  string
		variant       string
		surface       dialect.Surface
		before, after string // marks
		outcome       clientlog.Outcome
	}{
		{"spent-account-as-429", "spent-account", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"quota-as-500", "spent-key", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"unknown-model-as-503", "absent-model", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"sensitive-words-as-500", "sensitive-content", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"blocked-prompt-as-502", "blocked-prompt", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"unconvertible-as-501", "unconvertible-request", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"unsupported-api-as-500", "unsupported-api", "", dialect.Chat, "●", "●●●", clientlog.Typed},
		{"no-channel-as-404", "no-channel", "", dialect.Chat, "●●●", "●", clientlog.Typed},
		{"unpriced-model-as-400", "unpriced-model", "", dialect.Chat, "●●●", "●", clientlog.Typed},
		{"no-channel-key-as-403", "channel-without-key", "", dialect.Chat, "●●●", "●", clientlog.Typed},
		{"errors-as-200-on-chat", "absent-model", "", dialect.Chat, "●", "●", clientlog.Accepted},
		{"truncated-stream-ends-well", "truncated-upstream-response", "", dialect.ChatStream, "●", "○", clientlog.Answered},
		{"error-event-flat", "upstream-error", "mid-stream", dialect.ChatStream, "●", "●", clientlog.Accepted},
	} {
		t.Run(tt.mutant, func(t *testing.T) {
			t.Parallel()
			asks := func(k contract.Case) bool {
				return k.Circumstance == tt.circumstance && k.Surface == tt.surface && (tt.variant == "" || k.Variant == tt.variant)
			}
			config := Config{Adapters: []Adapter{client}, Asks: asks}
			before, after := onReference(t, "", config), onReference(t, tt.mutant, config)
			got := func(l clientlog.Log) clientlog.Call {
				for _, c := range l.Calls {
					if c.Case != "" {
						return c
					}
				}
				t.Fatalf("the case was not played: %v", l.Skipped)
				return clientlog.Call{}
			}
			assert.Equal(t, tt.before, clientlog.Marks(got(before)))
			assert.Equal(t, clientlog.Typed, got(before).Outcome)
			assert.Equal(t, tt.after, clientlog.Marks(got(after)))
			assert.Equal(t, tt.outcome, got(after).Outcome)
		})
	}
}

// TestRowsThroughAStub plays every row and probe with an adapter that behaves.
func TestRowsThroughAStub(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range Probes() {
		names = append(names, p.Name)
	}
	begun := time.Now()
	var progress, total int
	log := onReference(t, "", Config{Adapters: []Adapter{adapterOf("honest"), adapterOf("ends")}, Probes: names, Progress: func(done, all int) {
		progress++
		assert.Equal(t, progress, done)
		total = all
	}})
	assert.Less(t, time.Since(begun), time.Minute)
	assert.Equal(t, total, progress)
	for _, row := range contract.Rows() {
		calls := log.OfRow(row.ID)
		assert.NotEmpty(t, calls, "%s: %v", row.ID, log.Skipped)
		for _, c := range calls {
			assert.Equal(t, clientlog.Typed, c.Outcome, c.Case)
			assert.Len(t, c.Attempts, 1, c.Case)
			assert.True(t, row.Status.Accepts(c.Attempts[0].Status), "%s got %d", c.Case, c.Attempts[0].Status)
			assert.Equal(t, row.Code() != "", row.Code() == c.Code && c.Code != "", "%s: code %q", c.Case, c.Code)
			assert.Empty(t, c.Doubts, c.Case)
		}
	}
	assert.Len(t, log.OfProbe(clientlog.StatusProbe(429)), 1)
	assert.Equal(t, clientlog.Answered, log.OfProbe(HealthyProbe)[0].Outcome)
	require.Len(t, log.Clients, 2)
	assert.Contains(t, log.Clients[0].Fault+log.Clients[1].Fault, "the library is missing")
}

func TestACancelledRunKeepsWhatWasSeen(t *testing.T) {
	t.Parallel()
	prepared, err := reference.Driver{}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, prepared.Close(context.WithoutCancel(t.Context()))) }()
	session := targets.NewSession(prepared, targets.Host{})
	defer func() { assert.NoError(t, session.Close()) }()
	ctx, cancel := context.WithCancelCause(t.Context())
	log, err := Play(ctx, Config{
		Session: session, Redactor: redact.New(), CallTime: enough, Adapters: []Adapter{adapterOf("honest")},
		Progress: func(int, int) { cancel(assert.AnError) },
	})
	require.ErrorIs(t, err, assert.AnError)
	assert.True(t, log.Interrupted)
	assert.NotEmpty(t, log.Calls)
}
