package load

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/upstream"
)

// What is measured of a model that the mock upstream plays is what that says it played, within 2 % or 1 ms, for one stream at a time
// and for a thousand at once.
func TestStreamsOfAPlayedModel(t *testing.T) {
	for _, row := range []struct {
		streams int
		model   string
		rate    float64
		length  time.Duration
		tokens  int
	}{
		{1, "ttft=lognormal:200ms,itl=20ms,tokens=50", 0.5, 60 * time.Second, 50},
		{1000, "ttft=lognormal:500ms:0.3,itl=normal:500ms:50ms,tokens=20", 200, 5 * time.Second, 20}, // none ends before the last begins
	} {
		for _, surface := range []dialect.Surface{dialect.ChatStream, dialect.MessagesStream, dialect.ResponsesStream, dialect.GenerateStream} {
			if row.streams > 1 && surface != dialect.ChatStream {
				continue // one endpoint is enough of it
			}
			t.Run(fmt.Sprint(row.streams, " streams of ", surface), func(t *testing.T) {
				model, err := upstream.ParseModel(row.model)
				require.NoError(t, err)
				mock := upstream.New(upstream.Options{Model: model})
				simulate(t, mock.ServeHTTP, func(t *testing.T, e *Engine, url string) {
					m, err := e.Run(t.Context(), modelPhase(url, surface, row.rate, row.length, row.streams))
					require.NoError(t, err)
					requireAgreement(t, m, mock.Played())
					assert.Equal(t, m.Sent*uint64(row.tokens), m.Of(0, runlog.Admitted).OutputTokens)
				})
			})
		}
	}
}

// modelPhase asks for streams with as many tokens as the model gives.
func modelPhase(url string, surface dialect.Surface, rate float64, length time.Duration, connections int) Phase {
	call := exchange.Call{Surface: surface, BaseURL: url, Key: "k", Model: "m", Prompt: "hello", MaxTokens: 1000}
	if surface == dialect.ChatStream {
		call.Edits = []exchange.Edit{{Path: "stream_options.include_usage", Value: true}}
	}
	return Phase{
		Name: "model", Mix: []Request{{Name: string(surface), Call: call}}, Rate: rate, For: length, Connections: connections,
		Timeout: time.Minute, Generator: lenient(),
	}
}

func requireAgreement(t *testing.T, m Measurement, played upstream.Played) {
	t.Helper()
	got := m.Of(0, runlog.Admitted)
	require.Equal(t, m.Sent, got.Count, "%v", m.Violations)
	require.Equal(t, played.Streams, got.Count)
	require.Equal(t, played.Tokens, got.OutputTokens)
	require.Equal(t, map[TokenSource]uint64{TokensOfUsage: got.Count}, got.Counted)
	require.Equal(t, played.ITL.Count, got.ITL.Count())
	t.Logf("TTFT p50 %s p99 %s, played %s %s; ITL p50 %s p99 %s, played %s %s; tokens/s p50 %.2f p99 %.2f, played %.2f %.2f",
		got.TTFT.Quantile(0.5), got.TTFT.Quantile(0.99), played.TTFT.P50, played.TTFT.P99, got.ITL.Quantile(0.5), got.ITL.Quantile(0.99), played.ITL.P50, played.ITL.P99,
		float64(got.TokenRate.Quantile(0.5))/1000, float64(got.TokenRate.Quantile(0.99))/1000, played.TokenRate50, played.TokenRate99)
	assert.Empty(t, disagreements(m, played))
}

// disagreements are in what a measurement of streams differs from what the model says it played, by more than 2 % and 1 ms.
func disagreements(m Measurement, played upstream.Played) (names []string) {
	got := m.Of(0, runlog.Admitted)
	check := func(name string, got, want, allowed float64) {
		if math.Abs(got-want) > max(0.02*want, allowed) {
			names = append(names, fmt.Sprintf("%s: %.6g, played %.6g", name, got, want))
		}
	}
	times := func(name string, got, want time.Duration) {
		check(name, got.Seconds()*1000, want.Seconds()*1000, 1)
	}
	times("TTFT p50, ms", got.TTFT.Quantile(0.5), played.TTFT.P50)
	times("TTFT p99, ms", got.TTFT.Quantile(0.99), played.TTFT.P99)
	times("ITL p50, ms", got.ITL.Quantile(0.5), played.ITL.P50)
	times("ITL p99, ms", got.ITL.Quantile(0.99), played.ITL.P99)
	check("tokens/s p50", float64(got.TokenRate.Quantile(0.5))/1000, played.TokenRate50, 0)
	check("tokens/s p99", float64(got.TokenRate.Quantile(0.99))/1000, played.TokenRate99, 0)
	if played.Streams != got.Count {
		names = append(names, fmt.Sprintf("streams: %d, played %d", got.Count, played.Streams))
	}
	return names
}
