package load

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Bound is one term of an SLO: a limit that a measurement must meet.
type Bound struct {
	Metric Metric
	// Quantile is the limited quantile of the metric, from 0 to 1. 1 means the maximum, and [Mean] means the mean. It is 0 for [Errors], [Goodput]
	// and [Throughput], which are single numbers.
	Quantile float64
	// Least means that Value is a minimum; otherwise it is a maximum.
	Least bool
	// Value is in nanoseconds for times, a share from 0 to 1 for [Errors] and [Goodput], and tokens per second for the others.
	Value float64
}

// Mean selects the mean if it is passed in place of a quantile.
const Mean = -1

// Metric names the quantity that a term of an SLO limits.
type Metric string

// The metrics. All but the last three are distributions.
const (
	LatencyMetric Metric = "latency"    // from when a request was due to the end of its response
	ServiceMetric Metric = "service"    // from when a request was sent to the end of its response
	TTFBMetric    Metric = "ttfb"       // from when a request was sent to the first byte of its response
	TTFTMetric    Metric = "ttft"       // from when a request was sent to the first token of its response
	ITLMetric     Metric = "itl"        // between two tokens
	TPOTMetric    Metric = "tpot"       // the mean of a stream's tokens after its first
	StallMetric   Metric = "stall"      // the longest time between two tokens of a stream
	RateMetric    Metric = "token-rate" // tokens per second of one stream
	Errors        Metric = "errors"     // the share of the requests that failed, including refusals
	Goodput       Metric = "goodput"    // the share of the offered requests that individually meet every time bound
	Throughput    Metric = "tokens/s"   // output tokens per second of all requests together
)

// metrics are all metrics with what an SLO may say of them.
func metrics() []metricKind {
	times := func(m Metric, of func(Metrics) Histogram) metricKind {
		return metricKind{name: m, quantile: func(x Metrics, q float64) float64 {
			if h := of(x); q != Mean {
				return float64(h.Quantile(q))
			}
			return float64(of(x).Mean())
		}, count: func(x Metrics) uint64 { return of(x).Count() }}
	}
	return []metricKind{
		times(LatencyMetric, func(m Metrics) Histogram { return m.Latency }),
		times(ServiceMetric, func(m Metrics) Histogram { return m.ServiceTime }),
		times(TTFBMetric, func(m Metrics) Histogram { return m.TTFB }),
		times(TTFTMetric, func(m Metrics) Histogram { return m.TTFT }),
		times(ITLMetric, func(m Metrics) Histogram { return m.ITL }),
		times(TPOTMetric, func(m Metrics) Histogram { return m.TPOT }),
		times(StallMetric, func(m Metrics) Histogram { return m.Stall }),
		{name: RateMetric, perSecond: true, quantile: func(m Metrics, q float64) float64 {
			if q == Mean {
				return m.TokenRate.Mean() / 1000
			}
			return float64(m.TokenRate.Quantile(q)) / 1000
		}, count: func(m Metrics) uint64 { return m.TokenRate.Count() }},
		{name: Errors, share: true},
		{name: Goodput, share: true},
		{name: Throughput, perSecond: true},
	}
}

type metricKind struct {
	name             Metric
	share, perSecond bool
	// quantile and count read the distribution of the admitted requests; nil for a single number.
	quantile func(m Metrics, q float64) float64
	count    func(m Metrics) uint64
}

func kindOf(m Metric) (metricKind, bool) {
	for _, k := range metrics() {
		if k.name == m {
			return k, true
		}
	}
	return metricKind{}, false
}

// ErrSLO is returned if an SLO cannot be parsed. Its text names the invalid term and the reason.
var ErrSLO = errors.New("invalid SLO")

// maxBounds bounds the terms of an SLO.
const maxBounds = 32

// ParseSLO parses terms separated by commas, all of which must be met: "ttft.p99<300ms,itl.p99<60ms,errors<0.1%".
//
// A term is a metric, "<", "<=", ">" or ">=", and a value. For a distribution, a suffix names what is bounded: .p99 (or another quantile), .mean or
// .max. Shares are written with or without %, rates with or without /s. An SLO that does not name errors allows 0.1 % of them.
func ParseSLO(text string) (SLO, error) {
	slo := SLO{Only: true}
	for term := range strings.SplitSeq(text, ",") {
		b, err := parseBound(strings.TrimSpace(term))
		if err != nil {
			return SLO{}, fmt.Errorf("%w: %.60q: %w", ErrSLO, strings.TrimSpace(term), err)
		}
		if slo.Bounds = append(slo.Bounds, b); len(slo.Bounds) > maxBounds {
			return SLO{}, fmt.Errorf("%w: an SLO may have at most %d conditions", ErrSLO, maxBounds)
		}
	}
	return slo, nil
}

func parseBound(term string) (Bound, error) {
	at := strings.IndexAny(term, "<>")
	if at < 0 {
		return Bound{}, errors.New("write each condition as a metric, < or >, and a value, such as ttft.p99<300ms")
	}
	name, stat, _ := strings.Cut(strings.TrimSpace(term[:at]), ".")
	if name == "e2e" {
		name = string(LatencyMetric)
	}
	kind, ok := kindOf(Metric(name))
	if !ok {
		var known []string
		for _, k := range metrics() {
			known = append(known, string(k.name))
		}
		return Bound{}, fmt.Errorf("unknown metric %.30q: %s", name, yamlfile.DidYouMean(name, known, "must be one of "+strings.Join(known, ", ")))
	}
	b := Bound{Metric: kind.name, Least: term[at] == '>'}
	var err error
	if b.Quantile, err = parseStat(kind, stat); err != nil {
		return Bound{}, err
	}
	b.Value, err = kind.parseValue(strings.TrimSpace(strings.TrimPrefix(term[at+1:], "=")))
	return b, err
}

func parseStat(kind metricKind, stat string) (float64, error) {
	switch {
	case kind.quantile == nil && stat == "":
		return 0, nil
	case kind.quantile == nil:
		return 0, fmt.Errorf("the metric %s is a single number: remove .%.20s", kind.name, stat)
	case stat == "":
		return 0, fmt.Errorf("add a quantile, the mean or the maximum: %s.p99, %[1]s.mean or %[1]s.max", kind.name)
	case stat == "mean":
		return Mean, nil
	case stat == "max":
		return 1, nil
	}
	percent, found := strings.CutPrefix(stat, "p")
	q, err := strconv.ParseFloat(percent, 64)
	if !found || err != nil || !(q > 0) || q >= 100 {
		return 0, fmt.Errorf("%.20q is not a quantile: write p and a number greater than 0 and less than 100, such as p99, or write mean or max", stat)
	}
	return q / 100, nil
}

func (k metricKind) parseValue(text string) (float64, error) {
	if k.share || k.perSecond {
		number, percent := strings.CutSuffix(text, "%")
		number = strings.TrimSpace(strings.TrimSuffix(number, "/s"))
		value, err := strconv.ParseFloat(number, 64)
		if percent {
			value /= 100
		}
		if err != nil || !(value >= 0) || k.share && value > 1 || math.IsInf(value, 0) || percent && !k.share {
			return 0, fmt.Errorf("%.20q is not a %s", text, map[bool]string{true: "share such as 0.1%", false: "rate such as 50/s"}[k.share])
		}
		return value, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%.20q is not a positive duration such as 300ms", text)
	}
	return float64(d), nil
}

// String returns the term as reports show it: "p99 TTFT <= 300ms".
func (b Bound) String() string {
	sign := "<="
	if b.Least {
		sign = ">="
	}
	return fmt.Sprintf("%s %s %s", b.name(), sign, b.text(b.Value))
}

func (b Bound) name() string {
	name := string(b.Metric)
	switch b.Metric {
	case TTFBMetric, TTFTMetric, ITLMetric, TPOTMetric:
		name = strings.ToUpper(name)
	case ServiceMetric:
		name = "service time"
	case RateMetric:
		name = "tokens/s per stream"
	default: // as in the SLO
	}
	switch {
	case b.Quantile == Mean:
		return "mean " + name
	case b.Quantile == 1:
		return "longest " + name
	case b.Quantile > 0:
		return quantileName(b.Quantile) + " " + name
	default:
		return name
	}
}

// text is a value of the metric.
func (b Bound) text(value float64) string {
	switch kind, _ := kindOf(b.Metric); {
	case kind.share:
		return fmt.Sprintf("%.3g %%", value*100)
	case kind.perSecond:
		return fmt.Sprintf("%.4g/s", value)
	default:
		return plain.Duration(round(time.Duration(value)))
	}
}

// of returns what a measurement has. ok is false when it has nothing of the kind: no response was a stream, or none was long enough.
func (b Bound) of(m Measurement, admitted Metrics) (value float64, ok bool) {
	switch b.Metric {
	case Errors:
		return m.ErrorRate(), true
	case Goodput:
		return m.Goodput(), true
	case Throughput:
		return m.TokensPerSecond(), admitted.OutputTokens > 0
	default:
		kind, _ := kindOf(b.Metric)
		return kind.quantile(admitted, b.Quantile), kind.count(admitted) > 0
	}
}

// miss says in what a measurement misses the term, "" when it keeps it.
func (b Bound) miss(m Measurement, admitted Metrics) string {
	value, ok := b.of(m, admitted)
	switch {
	case !ok:
		return b.name() + " could not be measured because no successful response contained the events or tokens for this metric"
	case b.Least && value >= b.Value, !b.Least && value <= b.Value:
		return ""
	case b.Metric == Errors:
		return fmt.Sprintf("%.3g %% of the requests failed", value*100)
	default:
		return fmt.Sprintf("%s was %s", b.name(), b.text(value))
	}
}

// keptBy reports whether one request keeps the term for itself: of the gaps of its stream the same quantile. A term that bounds no
// request by itself is kept.
func (b Bound) keptBy(r Result, gaps []uint32) bool {
	var value float64
	switch b.Metric {
	case LatencyMetric:
		value = float64(r.Latency())
	case ServiceMetric:
		value = float64(r.ServiceTime())
	case TTFBMetric:
		value = float64(r.FirstByte - r.Sent)
	case TTFTMetric:
		if r.FirstToken == 0 {
			return false
		}
		value = float64(r.FirstToken - r.Sent)
	case TPOTMetric:
		value = float64(r.TPOT())
	case StallMetric:
		value = float64(r.Stall)
	case RateMetric:
		value = r.TokenRate()
	case ITLMetric:
		switch b.Quantile {
		case Mean:
			value = float64(r.TPOT())
		case 1:
			value = float64(r.Stall)
		default:
			over := 0
			for _, gap := range gaps {
				if float64(gap)*1000 > b.Value {
					over++
				}
			}
			return float64(over) <= (1-b.Quantile)*float64(len(gaps))+1e-9 // 1 - 0.9 is not exact
		}
	default:
		return true // it bounds no request by itself
	}
	if b.Least {
		return value >= b.Value
	}
	return value <= b.Value
}

// good reports whether a request was admitted and keeps each bound that can be asked of a single one.
func good(bounds []Bound, r Result, gaps []uint32) bool {
	if r.Outcome != runlog.Admitted {
		return false
	}
	for _, b := range bounds {
		if !b.keptBy(r, gaps) {
			return false
		}
	}
	return true
}
