package measured_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

const ms = time.Millisecond

var started = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func header(kind runlog.MeasuredKind) runlog.MeasuredHeader {
	return runlog.MeasuredHeader{
		RunID: "run-1", Tool: "gatecert test", Started: started, Kind: kind, Surfaces: []dialect.Surface{dialect.ChatStream},
		Target: runlog.TargetInfo{Name: "my-gateway", BaseURL: "http://gateway.example", Driver: "static", Profile: "name: my-gateway\n"},
		SLO:    "p99 TTFT <= 300ms, errors <= 0.1 %",
		Bounds: []runlog.Bound{
			{Metric: "ttft", Quantile: 0.99, Value: float64(300 * ms), Text: "p99 TTFT <= 300ms"}, {Metric: "errors", Value: 0.001, Text: "errors <= 0.1 %"},
		},
		Facts: []runlog.MeasuredFact{{Name: "arrivals", Text: "constant"}},
	}
}

// times are quantiles around a median.
func times(p50 time.Duration) runlog.Quantiles {
	return runlog.Quantiles{P50: p50, P95: 2 * p50, P99: 3 * p50, Max: 4 * p50}
}

// metric is a distribution of 1000 values around a median.
func metric(name, unit string, outcome runlog.Outcome, median int64) runlog.Metric {
	m := runlog.Metric{Metric: name, Unit: unit, Request: "chat-stream", Outcome: outcome, Count: 1000, Mean: float64(median)}
	for i, n := range []int64{1, 49, 450, 400, 90, 9, 1} {
		m.Bars = append(m.Bars, runlog.Bar{median * int64(i+6) / 8, n})
	}
	return m
}

// capacityRun is a search on a gateway of 200/s, with streams.
func capacityRun() runlog.Measured {
	m := runlog.Measured{MeasuredHeader: header(runlog.CapacityKind)}
	point := func(part string, rate float64, ttft time.Duration, refused uint64, misses ...string) {
		m.Points = append(m.Points, runlog.Point{
			Part: part, Rate: rate, Lasted: 5 * time.Second, Misses: misses,
			Sample: runlog.Sample{
				Offered: uint64(5 * rate), Sent: uint64(5 * rate), Good: uint64(5*rate) - refused,
				Counts: map[runlog.Outcome]uint64{runlog.Admitted: uint64(5*rate) - refused, runlog.Refused: refused},
				Times:  map[string]runlog.Quantiles{"latency": times(3 * ttft), "ttft": times(ttft), "itl": times(20 * ms)}, TokensPerSecond: 50 * rate,
			},
		})
	}
	point("search", 10, 50*ms, 0)
	point("search", 100, 60*ms, 0)
	point("search", 400, 900*ms, 300, "p99 TTFT was 2.7s", "15 % of the requests failed")
	point("search", 200, 95*ms, 0)
	point("search", 210, 150*ms, 0, "p99 TTFT was 450ms")
	point("search", 205, 150*ms, 0)
	m.Points[5].Inconclusive = []string{"this process used 95 % of 2 cores"}
	point("curve", 20, 50*ms, 0)
	point("curve", 100, 60*ms, 0)
	point("curve", 200, 95*ms, 0)
	for i := range 20 {
		p50 := 90*ms + time.Duration(i%5)*ms
		m.Windows = append(m.Windows, runlog.MeasuredWindow{
			Start: time.Duration(i) * 250 * ms, Length: 250 * ms, Counts: map[runlog.Outcome]uint64{runlog.Admitted: 50},
			P50: 3 * p50, P99: 8 * p50, TTFT50: p50, TTFT99: 3 * p50, ITL50: 20 * ms, ITL99: 21 * ms, Tokens: 2500,
		})
	}
	m.Metrics = []runlog.Metric{
		metric("latency", "ns", runlog.Admitted, int64(285*ms)), metric("service", "ns", runlog.Admitted, int64(284*ms)), metric("ttft", "ns", runlog.Admitted, int64(95*ms)),
		metric("itl", "ns", runlog.Admitted, int64(20*ms)), metric("token-rate", "tokens/1000s", runlog.Admitted, 50_000), metric("tokens", "tokens", runlog.Admitted, 50),
		metric("latency", "ns", runlog.Refused, int64(2*ms)),
	}
	sample := m.Points[3].Sample
	m.Footer = &runlog.MeasuredFooter{
		Ended: started.Add(2 * time.Minute), Verdict: contract.Warn, Result: "between 200 and 210/s", Rate: 200, Sample: &sample,
		Capacity: &runlog.FoundCapacity{Lower: 200, Upper: 210}, Tokens: 50_000, Input: 4000, Counted: map[string]uint64{"usage": 990, "tokenizer": 10},
		Generator: runlog.MeasuredGenerator{LagP99: 2 * ms, Late: 3, Waited: 7, CPU: 0.41, Cores: 2},
		Workers: []runlog.MeasuredWorker{
			{Name: "w1xabcde", Host: "a-host", Source: "127.0.0.2", Sent: 500, Offset: 5 * time.Second, Within: 80 * time.Microsecond, Begun: 400 * time.Microsecond, LagP99: 2 * ms, Late: 3, CPU: 0.2, Cores: 2},
			{Name: "w2xfghij", Host: "a-host", Sent: 500, Offset: -time.Millisecond, Within: 90 * time.Microsecond, Begun: 700 * time.Microsecond, LagP99: ms, CPU: -1, Cores: 2},
		},
		Compared: &runlog.Compared{A: "upstream", B: "gateway", Rate: 50, Rounds: 10, Differences: []runlog.Difference{
			{Metric: "service.p50", A: 0.001, B: 0.003, Added: 0.002, Low: 0.0019, High: 0.0021, Detectable: 0.0002},
			{Metric: "errors", Share: true, B: 0.001, Added: 0.001, Low: -0.001, High: 0.003, Detectable: 0.004},
		}},
		Violations: []runlog.MeasuredViolation{{
			Request: "chat-stream", Count: 3, Finding: contract.Finding{Requirement: "retry-after", Level: contract.Should, Want: "an integer", Got: "soon"},
		}},
		Gates: []runlog.Gate{{Text: "at least 200/s", Result: contract.Held, Why: "between 200 and 210/s"}},
		Notes: []string{"the key's own rate limit refused 15 % of the requests"},
	}
	return m
}

// soakRun is a soak of a minute, with a pause in the middle.
func soakRun() runlog.Measured {
	m := runlog.Measured{MeasuredHeader: header(runlog.SoakKind)}
	for i := range 60 {
		w := runlog.MeasuredWindow{
			Start: time.Duration(i) * time.Second, Length: time.Second, Counts: map[runlog.Outcome]uint64{runlog.Admitted: 20}, P50: 10 * ms, P99: 30*ms + time.Duration(i)*ms,
		}
		if i == 30 {
			w = runlog.MeasuredWindow{Start: w.Start, Length: w.Length, Counts: map[runlog.Outcome]uint64{runlog.Error5xx: 15, runlog.Timeout: 5}}
		}
		m.Windows = append(m.Windows, w)
	}
	m.Metrics = []runlog.Metric{metric("latency", "ns", runlog.Admitted, int64(11*ms)), metric("service", "ns", runlog.Admitted, int64(10*ms))}
	m.Footer = &runlog.MeasuredFooter{
		Ended: started.Add(time.Minute), Verdict: contract.Fail, Result: "20/s for 1m: 1180 of 1200 requests admitted, 1.67 % errors", Rate: 20, Interrupted: true,
		Sample: &runlog.Sample{
			Offered: 1200, Sent: 1200, Good: 1180, Counts: map[runlog.Outcome]uint64{runlog.Admitted: 1180, runlog.Error5xx: 15, runlog.Timeout: 5},
			Times: map[string]runlog.Quantiles{"latency": times(10 * ms)},
		},
		Generator: runlog.MeasuredGenerator{CPU: -1, Cores: 2, Problems: []string{"this machine sent 40 of 1200 requests more than 25ms late (at most 1 % may be late)"}},
		Trends:    []runlog.MeasuredTrend{{Name: "p99", Grows: true, Text: "p99 +59 ms in 60s (+50 to +70), from 30 ms"}, {Name: "p50", Text: "p50 +0 ms in 60s (-1 to +1), from 10 ms"}},
		Gates:     []runlog.Gate{{Text: "SLO errors <= 0.1 %", Result: contract.Violated, Why: "1.67 % of the requests failed"}},
	}
	return m
}

// compareRun compares two gateways.
func compareRun() runlog.Measured {
	m := runlog.Measured{MeasuredHeader: header(runlog.CompareKind)}
	m.SLO, m.Bounds = "", nil
	m.Footer = &runlog.MeasuredFooter{
		Ended: started.Add(time.Minute), Verdict: contract.Pass, Result: "A and B differ in 2 of 3 metrics at 50 requests/s",
		Compared: &runlog.Compared{A: "A", B: "B", Rate: 50, Rounds: 20, Discarded: 1, Differences: []runlog.Difference{
			{Metric: "service.p50", A: 0.010, B: 0.012, Added: 0.002, Low: 0.0018, High: 0.0022, Detectable: 0.0003},
			{Metric: "service.p99", A: 0.020, B: 0.021, Added: 0.001, Low: -0.001, High: 0.003, Detectable: 0.0025},
			{Metric: "ttft.p50", A: 0.015, B: 0.011, Added: -0.004, Low: -0.005, High: -0.003, Detectable: 0.001},
			{Metric: "errors", Share: true, Detectable: 0.004},
		}},
		Gates: []runlog.Gate{{Text: "B adds at most 5ms to service.p99", Result: contract.Held, Why: "the entire 95 % confidence interval of the difference is within this limit"}},
	}
	return m
}

// limitRun is the inference of a fixed window of 20 in 2 s: a drain, its refill, and a round with another key, which has the limit to itself.
func limitRun() runlog.Measured {
	m := runlog.Measured{MeasuredHeader: header(runlog.RateLimitKind)}
	m.SLO, m.Bounds, m.Facts = "", nil, []runlog.MeasuredFact{{Name: "budget", Text: "at most 4000 calls in 3m"}}
	var left int
	var window time.Duration = -1
	experiment := func(name, text string, start, every time.Duration, calls int, byOther bool) {
		e := runlog.MeasuredExperiment{Name: name, Text: text, Start: start, Took: time.Duration(calls) * every, Calls: calls}
		for i := range calls {
			at := start + time.Duration(i)*every
			if w := at / (2 * time.Second); w != window {
				window, left = w, 20
			}
			a := runlog.MeasuredAnswer{Sent: at, Answered: at + ms, Outcome: runlog.Refused, Status: 429, ByOther: byOther}
			if byOther || left > 0 {
				a.Outcome, a.Status = runlog.Admitted, 200
			}
			if !byOther {
				left--
			}
			e.Answers = append(e.Answers, a)
		}
		m.Experiments = append(m.Experiments, e)
	}
	experiment("drain", "20 calls were admitted, the next was refused", 10*ms, 5*ms, 24, false)
	experiment("refill", "calls without a pause after the limit was used up: the first was admitted after 1.87s, at most 20 in a row", 200*ms, 50*ms, 100, false)
	experiment("boundary", "after a pause, 10 calls were admitted, half a window later 10 more", 6700*ms, 40*ms, 60, false)
	experiment("key", "another key: in two rounds, the last of which is: with the limit used up, 8 of 8 calls were admitted", 9900*ms, 10*ms, 8, true)
	m.Experiments[1].Answers[7].Outcome, m.Experiments[1].Answers[7].Status = runlog.Error5xx, 502
	m.Footer = &runlog.MeasuredFooter{
		Ended: started.Add(11 * time.Second), Verdict: contract.Pass, Result: "fixed-window of 20 in 2s",
		Limiter: &runlog.FoundLimiter{
			Kind: "fixed-window", Limit: 20, Window: 2 * time.Second, LimitRange: &runlog.Range{From: 20, To: 20}, WindowRange: &runlog.Range{From: 1.996e9, To: 2.004e9},
			Addresses: "unclear", Keys: "apart", Scope: "these two keys do not share it",
			Evidence: []string{"drain: 20 calls were admitted, the next was refused", "fixed-window of 20 in 2s: contradicted by 0 of 192 responses", "sliding-log of 20 in 1.9s: contradicted by 41 of 192 responses"},
		},
	}
	return m
}

// unclearRun is an inference that did not decide.
func unclearRun() runlog.Measured {
	m := limitRun()
	m.Experiments = m.Experiments[:2]
	f := m.Footer
	f.Verdict, f.Result = contract.Error, "unclear: inconclusive: no single limiter explains 29 of 124 answers"
	f.Limiter = &runlog.FoundLimiter{Limit: 20, Window: 2 * time.Second}
	return m
}

// hostileRun is what a stranger could have written: markup, control characters and numbers that make no sense.
func hostileRun() runlog.Measured {
	const bad = "<script>document.title='owned'</script>\x1b[2J\u202e|](javascript:alert(1))"
	m := capacityRun()
	m.Target.Name, m.Target.Version, m.Kind, m.SLO, m.RunID = bad, bad, runlog.MeasuredKind(bad), bad, bad
	m.Surfaces = []dialect.Surface{dialect.Surface(bad)}
	m.Target.Profile = bad
	m.Bounds[0].Text, m.Bounds[0].Value = bad, -1
	m.Facts = []runlog.MeasuredFact{{Name: bad, Text: strings.Repeat(bad, 100)}}
	m.Points[0].Rate, m.Points[1].Lasted, m.Points[2].Misses = 1e300, -5, []string{bad}
	m.Points[3].Times = nil
	m.Points[4].Counts = map[runlog.Outcome]uint64{runlog.Outcome(bad): 1 << 63, runlog.Admitted: 1<<64 - 1}
	m.Windows[0].Length, m.Windows[1].Start, m.Windows[2].P50 = 0, -1<<62, -7
	m.Metrics[0].Request, m.Metrics[0].Outcome = bad, runlog.Outcome(bad)
	m.Metrics[2].Bars = []runlog.Bar{{0, 0}, {1 << 62, 1 << 39}}
	m.Metrics[3].Unit = bad
	m.Experiments = []runlog.MeasuredExperiment{
		{Name: bad, Text: bad, Start: -1 << 62, Took: 1<<63 - 1, Calls: -7, Answers: []runlog.MeasuredAnswer{{Sent: 1 << 62, Answered: -1 << 62, Outcome: runlog.Outcome(bad), Status: -1}}},
		{Answers: []runlog.MeasuredAnswer{{Answered: 1 << 62, Outcome: runlog.Admitted}, {Outcome: runlog.Refused, ByOther: true}}},
	}
	f := m.Footer
	f.Limiter = &runlog.FoundLimiter{
		Kind: bad, Limit: 1 << 62, Window: -5, Refill: 1e308, LimitRange: &runlog.Range{From: 1e308, To: -1e308}, RefillRange: &runlog.Range{From: -1, To: 1e300},
		Addresses: bad, Keys: bad, Scope: bad, Evidence: []string{bad},
	}
	f.Result, f.Notes, f.Gates[0].Text, f.Gates[0].Result = bad, []string{bad}, bad, contract.Result(bad)
	f.Capacity.Lower, f.Capacity.Upper, f.Rate, f.Generator.CPU = -1e308, 1e308, -1, 1e300
	f.Compared.A, f.Compared.Differences[0].Metric, f.Compared.Differences[0].High = bad, bad, 1e300
	f.Violations[0].Finding.Got, f.Violations[0].Count = bad, 1<<64-1
	return m
}

// unfinishedRun was killed.
func unfinishedRun() runlog.Measured {
	m := capacityRun()
	m.Footer, m.Metrics, m.Windows, m.Torn = nil, nil, nil, true
	return m
}

// logged is a run as it is read from its log.
func logged(t testing.TB, m runlog.Measured) runlog.Measured {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, runlog.NewMeasuredWriter(&out).Measured(m))
	if m.Footer == nil && m.Torn {
		out.WriteString(`{"type":"poi`)
	}
	read, err := runlog.ReadMeasured(&out)
	require.NoError(t, err)
	return read
}

func runs() map[string]runlog.Measured {
	strange := hostileRun()
	strange.Kind = runlog.RateLimitKind
	return map[string]runlog.Measured{
		"capacity": capacityRun(), "soak": soakRun(), "compare": compareRun(), "hostile": hostileRun(), "unfinished": unfinishedRun(),
		"limit": limitRun(), "limit-unclear": unclearRun(), "limit-hostile": strange,
	}
}
