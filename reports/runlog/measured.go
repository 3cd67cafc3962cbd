package runlog

import (
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// MeasuredSchema is the version of the log of a measurement. [ReadMeasured] rejects a log with any other version.
const MeasuredSchema = "gatecert.load/1"

// Measured is the content of the log of a measurement: of load capacity, load soak, load compare, or load rate-limit when it infers a limit. Every
// renderer is a pure function of it.
type Measured struct {
	MeasuredHeader
	// Points are the probes of a search, or the rounds of a comparison, in the order in which they ran.
	Points []Point
	// Windows cover the main measurement: the soak, or the last probe at the lower bound of a capacity search.
	Windows []MeasuredWindow
	// Metrics are the distributions of the main measurement.
	Metrics []Metric
	// Experiments are the experiments of an inference, in order.
	Experiments []MeasuredExperiment
	// Footer is nil if the log has none because the measurement was killed.
	Footer *MeasuredFooter
	// Torn is set if a crash truncated the last line, which was ignored.
	Torn bool
}

// MeasuredKind is the kind of a measurement.
type MeasuredKind string

// The kinds of measurements.
const (
	CapacityKind MeasuredKind = "capacity"
	SoakKind     MeasuredKind = "soak"
	CompareKind  MeasuredKind = "compare"
	// RateLimitKind is the inference of a rate limit.
	RateLimitKind MeasuredKind = "rate-limit"
)

// MeasuredHeader is the first line of the log. It contains what is known before anything is sent.
type MeasuredHeader struct {
	Type    string       `json:"type"`   // "header"
	Schema  string       `json:"schema"` // [MeasuredSchema]
	RunID   string       `json:"run_id"`
	Tool    string       `json:"tool"`
	Started time.Time    `json:"started"`
	Kind    MeasuredKind `json:"kind"`
	Target  TargetInfo   `json:"target"`
	// Command is the command line with its secrets redacted.
	Command  []string          `json:"command,omitempty"`
	Surfaces []dialect.Surface `json:"surfaces"`
	// SLO is the SLO in one line. Bounds are its terms.
	SLO    string  `json:"slo,omitempty"`
	Bounds []Bound `json:"bounds,omitempty"`
	// Facts describe further properties of the load: its arrivals, its workload, and the model that the mock upstream imitates.
	Facts []MeasuredFact `json:"facts,omitempty"`
}

// MeasuredFact is a fact about a measurement.
type MeasuredFact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Bound is a term of an SLO.
type Bound struct {
	// Metric is one of the metrics of [Metric], or "errors", "goodput" or "tokens/s".
	Metric string `json:"metric"`
	// Quantile is from 0 to 1. It is -1 for the mean, and 0 for a metric that is a single number.
	Quantile float64 `json:"quantile,omitempty"`
	// Least means that Value is a minimum. Value is in nanoseconds, a share from 0 to 1, or a rate per second.
	Least bool    `json:"least,omitempty"`
	Value float64 `json:"value"`
	Text  string  `json:"text"`
}

// Point is one probe, that is, a rate that was held for some time.
type Point struct {
	Type string `json:"type"` // "point"
	Link
	// Part is "search" for the probes that decided, "curve" for the probes after the search, "ramp" for a step of a ramp, and "callers" for a level
	// of a closed loop.
	Part string `json:"part"`
	// Callers is how many requests were in flight at a level of a closed loop.
	Callers int `json:"callers,omitempty"`
	// Rate is in requests per second. Lasted is how long the rate was held.
	Rate   float64       `json:"rate"`
	Lasted time.Duration `json:"lasted_ns"`
	Sample
	// Misses describes how the SLO was missed. Inconclusive lists the reasons why the probe is not evidence about the gateway.
	Misses       []string `json:"misses,omitempty"`
	Inconclusive []string `json:"inconclusive,omitempty"`
}

// The parts of a measurement.
const (
	SearchPart  = "search"
	CurvePart   = "curve"
	RampPart    = "ramp"
	CallersPart = "callers"
)

// Met reports whether a probe is conclusive and met the SLO.
func (p Point) Met() bool { return len(p.Misses) == 0 && len(p.Inconclusive) == 0 }

// Sample summarises a measurement in a few numbers, without the requests of its warm-up.
type Sample struct {
	WarmUp  time.Duration      `json:"warm_up_ns,omitempty"`
	Offered uint64             `json:"offered"`
	Sent    uint64             `json:"sent"`
	Good    uint64             `json:"good"`
	Counts  map[Outcome]uint64 `json:"counts"`
	// Times are the quantiles of the admitted requests, by metric.
	Times map[string]Quantiles `json:"times"`
	// TokensPerSecond is the number of output tokens per second of all admitted requests.
	TokensPerSecond float64 `json:"tokens_per_second,omitempty"`
}

// Quantiles are the quantiles of a distribution of times.
type Quantiles struct {
	P50 time.Duration `json:"p50_ns"`
	P95 time.Duration `json:"p95_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

// MeasuredWindow is a period of the main measurement. A response belongs to the window in which it ended.
type MeasuredWindow struct {
	Type string `json:"type"` // "window"
	Link
	Start  time.Duration      `json:"start_ns"`
	Length time.Duration      `json:"length_ns"`
	Counts map[Outcome]uint64 `json:"counts"`
	// P50 to ITL99 are quantiles of the service time, the TTFT and the ITL of admitted requests. They are 0 if there are none.
	P50    time.Duration `json:"p50_ns,omitempty"`
	P99    time.Duration `json:"p99_ns,omitempty"`
	TTFT50 time.Duration `json:"ttft_p50_ns,omitempty"`
	TTFT99 time.Duration `json:"ttft_p99_ns,omitempty"`
	ITL50  time.Duration `json:"itl_p50_ns,omitempty"`
	ITL99  time.Duration `json:"itl_p99_ns,omitempty"`
	Tokens uint64        `json:"tokens,omitempty"`
}

// Metric is one distribution of the main measurement: that of one metric and one outcome, for one kind of request.
type Metric struct {
	Type string `json:"type"` // "metric"
	Link
	// Metric is "latency", "service", "ttfb", "ttft", "itl", "tpot", "stall", "tokens" or "token-rate".
	Metric  string  `json:"metric"`
	Unit    string  `json:"unit"` // [UnitTime], [UnitTokens] or [UnitRate]
	Request string  `json:"request"`
	Outcome Outcome `json:"outcome"`
	Count   uint64  `json:"count"`
	Mean    float64 `json:"mean"`
	// Bars are [greatest value, number of values], in ascending order. Values that differ by less than 0.1 % share one bar.
	Bars []Bar `json:"bars"`
}

// The units of metrics.
const (
	UnitTime   = "ns"
	UnitTokens = "tokens"
	UnitRate   = "tokens/1000s" // thousandths of tokens per second
)

// Bar is [greatest value, number of values].
type Bar [2]int64

// Quantile returns the value that a share q of all values (0 to 1) does not exceed, or 0 for an empty distribution.
func (m Metric) Quantile(q float64) float64 {
	total := uint64(0)
	for _, b := range m.Bars {
		total += b.count()
	}
	rank, seen := uint64(math.Ceil(q*float64(total))), uint64(0)
	for _, b := range m.Bars {
		if seen += b.count(); seen >= max(rank, 1) {
			return float64(b[0])
		}
	}
	return 0
}

func (b Bar) count() uint64 { return uint64(max(b[1], 0)) }

// MeasuredFooter is the last line of the log. It contains the result of the measurement.
type MeasuredFooter struct {
	Type string `json:"type"` // "footer"
	Link
	Ended time.Time `json:"ended"`
	// Verdict is the verdict on the responses. A low capacity is not a violation.
	Verdict contract.Verdict `json:"verdict"`
	// Interrupted means that the measurement was stopped before its end.
	Interrupted bool `json:"interrupted,omitempty"`
	// Result is the result in one line.
	Result string `json:"result"`
	// Capacity is the result of a search. It is nil for other measurements.
	Capacity *FoundCapacity `json:"capacity,omitempty"`
	// Limiter is the limit that was inferred. It is nil for other measurements.
	Limiter *FoundLimiter `json:"limiter,omitempty"`
	// Sample summarises the main measurement. It is nil if there is none.
	Sample *Sample `json:"sample,omitempty"`
	// Rate is the rate of the main measurement in requests per second.
	Rate float64 `json:"rate,omitempty"`
	// Tokens is the number of output tokens, Input is the number of tokens of the requests, and Counted is the number of responses for each source of
	// token counts.
	Tokens  uint64            `json:"tokens,omitempty"`
	Input   uint64            `json:"input_tokens,omitempty"`
	Counted map[string]uint64 `json:"counted,omitempty"`
	// Generator states whether this machine generated the load of the main measurement as planned.
	Generator MeasuredGenerator `json:"generator"`
	// Workers are the workers of the fleet that sent the load. The list is empty if a single process sent it.
	Workers []MeasuredWorker `json:"workers,omitempty"`
	Trends  []MeasuredTrend  `json:"trends,omitempty"`
	// Compared is a comparison of two targets or of a gateway and its upstream. It is nil if there is none.
	Compared   *Compared           `json:"compared,omitempty"`
	Violations []MeasuredViolation `json:"violations,omitempty"`
	// Gates are the conditions that the command line sets for the result.
	Gates []Gate `json:"gates,omitempty"`
	// Notes are facts about the measurement as a whole, such as the key's own rate limit or bounds that are far apart.
	Notes []string `json:"notes,omitempty"`
}

// FoundCapacity contains the bounds that a search found, in requests per second.
type FoundCapacity struct {
	// Lower is the highest rate that is known to meet the SLO, or 0 if no rate met it. Upper is the lowest rate that misses it, or 0 if every rate
	// met it.
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
	// GeneratorLimited means that the load generator, not the gateway, could not keep up at Upper. Unstable and Partial qualify the bounds.
	GeneratorLimited bool `json:"generator_limited,omitempty"`
	Unstable         bool `json:"unstable,omitempty"`
	Partial          bool `json:"partial,omitempty"`
}

// MeasuredGenerator describes how well this machine generated the load.
type MeasuredGenerator struct {
	Problems []string      `json:"problems,omitempty"`
	LagP99   time.Duration `json:"lag_p99_ns"`
	Late     uint64        `json:"late"`
	Waited   uint64        `json:"waited"`
	// CPU is the share of all cores that it used. It is negative if unknown.
	CPU   float64 `json:"cpu"`
	Cores int     `json:"cores"`
}

// MeasuredWorker is what one worker of a fleet did in the main measurement.
type MeasuredWorker struct {
	Name string `json:"name"`
	// Host is the name of the worker's machine. Source is the address that its requests came from, or "" for any address.
	Host   string `json:"host,omitempty"`
	Source string `json:"source,omitempty"`
	Sent   uint64 `json:"sent"`
	// Offset is how far the worker's clock was ahead of the coordinator's clock. It was corrected, and the correction is off by at most Within.
	Offset time.Duration `json:"clock_offset_ns"`
	Within time.Duration `json:"clock_within_ns"`
	// Begun is how long after the agreed instant the worker began.
	Begun  time.Duration `json:"begun_ns"`
	LagP99 time.Duration `json:"lag_p99_ns"`
	Late   uint64        `json:"late"`
	// CPU is the share of the cores that the worker's process used. It is negative if unknown.
	CPU   float64 `json:"cpu"`
	Cores int     `json:"cores"`
}

// MeasuredTrend is how a quantity changed in a soak.
type MeasuredTrend struct {
	Name  string `json:"name"`
	Grows bool   `json:"grows"`
	Text  string `json:"text"`
}

// Compared is the difference between two targets.
type Compared struct {
	// A and B are the names of the targets. Rounds is how often both were measured.
	A      string  `json:"a"`
	B      string  `json:"b"`
	Rate   float64 `json:"rate"`
	Rounds int     `json:"rounds"`
	// Discarded counts the rounds that were measured again.
	Discarded   int          `json:"discarded,omitempty"`
	Differences []Difference `json:"differences"`
}

// Difference is the difference between two targets in one metric.
type Difference struct {
	// Metric is, for example, "service.p50", "ttft.p99" or "errors". Values are in seconds; those of "errors" are shares.
	Metric string `json:"metric"`
	Share  bool   `json:"share,omitempty"`
	// A and B are the two values, Added is B minus A, and Low and High are its 95 % confidence interval.
	A     float64 `json:"a"`
	B     float64 `json:"b"`
	Added float64 `json:"added"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Detectable is the smallest difference that these rounds could have detected.
	Detectable float64 `json:"detectable"`
}

// Found reports whether there is a difference, that is, whether the interval excludes 0.
func (d Difference) Found() bool { return d.Low > 0 || d.High < 0 }

// MeasuredViolation is a requirement of the contract that responses violated.
type MeasuredViolation struct {
	Request string           `json:"request"`
	Finding contract.Finding `json:"finding"`
	Count   uint64           `json:"count"`
}

// Gate is a condition from the command line, such as "at least 200/s".
type Gate struct {
	Text   string          `json:"text"`
	Result contract.Result `json:"result"` // held, violated, or untested if the measurement does not decide it
	Why    string          `json:"why"`
}

// Complete reports whether the measurement ran to its end.
func (m Measured) Complete() bool { return m.Footer != nil && !m.Footer.Interrupted }

// Verdict returns the verdict in the footer, or [contract.Error] if there is no footer.
func (m Measured) Verdict() contract.Verdict {
	if m.Footer == nil {
		return contract.Error
	}
	return m.Footer.Verdict.OrError()
}

// Metric returns the distribution of a metric of the admitted requests, over all kinds of requests. ok is false if there is none.
func (m Measured) Metric(name string) (sum Metric, ok bool) {
	bars := map[int64]int64{}
	total := 0.0
	for _, x := range m.Metrics {
		if x.Metric != name || x.Outcome != Admitted || len(x.Bars) == 0 {
			continue
		}
		if !ok {
			sum, ok = x, true
			sum.Request, sum.Count = "", 0
		}
		sum.Count += x.Count
		total += x.Mean * float64(x.Count)
		for _, b := range x.Bars {
			bars[b[0]] += b[1]
		}
	}
	if !ok {
		return sum, false
	}
	sum.Mean, sum.Bars = total/float64(max(sum.Count, 1)), nil
	for value, n := range bars {
		sum.Bars = append(sum.Bars, Bar{value, n})
	}
	slices.SortFunc(sum.Bars, func(a, b Bar) int { return int(min(max(a[0]-b[0], -1), 1)) })
	return sum, true
}
