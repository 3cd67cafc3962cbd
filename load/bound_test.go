package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestParseSLO(t *testing.T) {
	slo, err := ParseSLO("ttft.p99<300ms, itl.p99.9<=60ms,errors<0.1%,goodput>95%,token-rate.p5>20/s,tokens/s>=1000,e2e.mean<2s,stall.max<1s")
	require.NoError(t, err)
	assert.Equal(t, []Bound{
		{Metric: TTFTMetric, Quantile: 0.99, Value: float64(300 * ms)},
		{Metric: ITLMetric, Quantile: 0.9990000000000001, Value: float64(60 * ms)},
		{Metric: Errors, Value: 0.001},
		{Metric: Goodput, Least: true, Value: 0.95},
		{Metric: RateMetric, Quantile: 0.05, Least: true, Value: 20},
		{Metric: Throughput, Least: true, Value: 1000},
		{Metric: LatencyMetric, Quantile: Mean, Value: float64(2 * time.Second)},
		{Metric: StallMetric, Quantile: 1, Value: float64(time.Second)},
	}, slo.Terms(), "it has no other latency")
	assert.Equal(t, "p99 TTFT <= 300ms, p99.9 ITL <= 60ms, errors <= 0.1 %, goodput >= 95 %, p5 tokens/s per stream >= 20/s, tokens/s >= 1000/s, "+
		"mean latency <= 2s, longest stall <= 1s", slo.String())

	slo, err = ParseSLO("ttft.p50<1s")
	require.NoError(t, err)
	assert.Equal(t, "errors <= 0.1 %, p50 TTFT <= 1s", slo.String(), "errors are never free")
}

func TestParseSLOThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                `invalid SLO: "": write each condition as a metric, < or >, and a value, such as ttft.p99<300ms`,
		"ttft.p99=3s":     `invalid SLO: "ttft.p99=3s": write each condition as a metric, < or >, and a value, such as ttft.p99<300ms`,
		"tfft.p99<3s":     `invalid SLO: "tfft.p99<3s": unknown metric "tfft": did you mean "ttft"?`,
		"speed.p99<3s":    `invalid SLO: "speed.p99<3s": unknown metric "speed": must be one of latency, service, ttfb, ttft, itl, tpot, stall, token-rate, errors, goodput, tokens/s`,
		"ttft<3s":         `invalid SLO: "ttft<3s": add a quantile, the mean or the maximum: ttft.p99, ttft.mean or ttft.max`,
		"ttft.p100<3s":    `invalid SLO: "ttft.p100<3s": "p100" is not a quantile: write p and a number greater than 0 and less than 100, such as p99, or write mean or max`,
		"ttft.99<3s":      `invalid SLO: "ttft.99<3s": "99" is not a quantile: write p and a number greater than 0 and less than 100, such as p99, or write mean or max`,
		"errors.p99<1%":   `invalid SLO: "errors.p99<1%": the metric errors is a single number: remove .p99`,
		"errors<200%":     `invalid SLO: "errors<200%": "200%" is not a share such as 0.1%`,
		"errors<NaN":      `invalid SLO: "errors<NaN": "NaN" is not a share such as 0.1%`,
		"ttft.p99<300":    `invalid SLO: "ttft.p99<300": "300" is not a positive duration such as 300ms`,
		"tokens/s>5%":     `invalid SLO: "tokens/s>5%": "5%" is not a rate such as 50/s`,
		"errors<1%,,":     `invalid SLO: "": write each condition as a metric, < or >, and a value, such as ttft.p99<300ms`,
		"ttft.p99<-300ms": `invalid SLO: "ttft.p99<-300ms": "-300ms" is not a positive duration such as 300ms`,
	} {
		_, err := ParseSLO(text)
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, ErrSLO)
	}
}

// A request is good when it keeps each time bound for itself: of its own gaps the share that the quantile leaves may be longer.
func TestGoodput(t *testing.T) {
	slo, err := ParseSLO("ttft.p99<100ms,itl.p90<20ms,errors<50%")
	require.NoError(t, err)
	stream := Result{Outcome: runlog.Admitted, FirstToken: 90 * ms, LastToken: 300 * ms, Pieces: 11, Tokens: 11, End: 310 * ms, Stall: 50 * ms}
	gaps := []uint32{15000, 15000, 15000, 15000, 15000, 15000, 15000, 15000, 15000, 50000}
	assert.True(t, good(slo.Terms(), stream, gaps), "one gap in ten may be longer")
	gaps[0] = 30000
	assert.False(t, good(slo.Terms(), stream, gaps), "two may not")
	gaps[0], stream.FirstToken = 15000, 110*ms
	assert.False(t, good(slo.Terms(), stream, gaps), "a late first token")
	stream.FirstToken = 0
	assert.False(t, good(slo.Terms(), stream, nil), "no token at all")
	stream.FirstToken, stream.Outcome = 90*ms, runlog.Refused
	assert.False(t, good(slo.Terms(), stream, gaps))
}

// What is measured of streams by hand is what the metrics hold.
func TestMetricsOfStreams(t *testing.T) {
	m := Measurement{metrics: map[metricsKey]*Metrics{}, Requests: []string{"a"}}
	slo, err := ParseSLO("stall.max<300ms,goodput>60%")
	require.NoError(t, err)
	a := newAggregator(&m, Phase{For: time.Second, SLO: slo}.withDefaults())
	for i, stall := range []time.Duration{100 * ms, 200 * ms, 400 * ms} {
		a.add(sample{
			Result: Result{
				Outcome: runlog.Admitted, Sent: 10 * ms, FirstByte: 20 * ms, FirstToken: 110 * ms, LastToken: 110*ms + stall + 100*ms, Pieces: 3,
				Tokens: 5, Input: 7, TokensFrom: TokenSources()[i], Stall: stall, End: 800 * ms,
			},
			gaps: &gaps{micros: []uint32{100_000, uint32(stall.Microseconds())}},
		})
	}
	a.close()
	m.Offered = m.Sent
	got := m.Of(AllRequests, runlog.Admitted)
	assert.InDelta(t, 100*ms, got.TTFT.Quantile(0.5), float64(ms))
	assert.Equal(t, uint64(6), got.ITL.Count())
	assert.InDelta(t, 400*ms, got.ITL.Max(), float64(ms))
	assert.InDelta(t, 75*ms, got.TPOT.Quantile(0.5), float64(ms), "300 ms for four tokens")
	assert.InDelta(t, 400*ms, got.Stall.Max(), float64(ms))
	assert.InDelta(t, 4000/0.3, got.TokenRate.Quantile(0.5), 20)
	assert.Equal(t, uint64(15), got.OutputTokens)
	assert.Equal(t, uint64(21), got.InputTokens)
	assert.Equal(t, map[TokenSource]uint64{TokensOfUsage: 1, TokensOfTokenizer: 1, TokensOfEvents: 1}, got.Counted)
	assert.InDelta(t, 15/0.8, m.TokensPerSecond(), 0.01)
	assert.Equal(t, uint64(2), m.Good)
	assert.Equal(t, []string{"longest stall was 400ms"}, slo.Misses(m))
	assert.InDelta(t, 100*ms, m.Windows[0].TTFT50, float64(ms))
	assert.InDelta(t, 400*ms, m.Windows[0].ITL99, float64(ms))
	assert.Equal(t, uint64(15), m.Windows[0].Tokens)
}

func TestTokensAreCountedByTheSurestSource(t *testing.T) {
	marks, _ := dialect.ChatStream.PieceMarks()
	r := &wireRequest{surface: dialect.ChatStream, pieces: marks}
	body := []byte("data: {\"choices\":[{\"delta\":{\"content\":\"a \\\"b\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\" c\"}}]}\n\n")
	resp := response{status: 200, body: body, streamTimes: streamTimes{pieces: 2}}
	var seen string
	tokenizer := tokenCounter{func(text string) int { seen = text; return 3 }}

	n, _, from := tokenizer.count(r, resp)
	assert.Equal(t, 3, n)
	assert.Equal(t, TokensOfTokenizer, from)
	assert.Equal(t, `a "b c`, seen)
	n, _, from = tokenCounter{}.count(r, resp)
	assert.Equal(t, 2, n)
	assert.Equal(t, TokensOfEvents, from)
	resp.body = append(resp.body, "data: {\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":9}}\n\n"...)
	n, input, from := tokenizer.count(r, resp)
	assert.Equal(t, []int{9, 4}, []int{n, input})
	assert.Equal(t, TokensOfUsage, from)
	resp.status = 429
	_, _, from = tokenizer.count(r, resp)
	assert.Equal(t, TokensUnknown, from)
}
