package load

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// SLO is a service level objective: what a gateway must achieve at a rate. Fields that are zero take their default, or are not checked if they have
// none. [ParseSLO] parses an SLO.
type SLO struct {
	// Quantile is the quantile to which Latency and TTFT apply, between 0 and 1. Default 0.99.
	Quantile float64
	// Latency is the maximum latency of the admitted requests. Default 1 s.
	Latency time.Duration
	// Errors is the maximum share of requests that fail, including refusals. Default 0.001; a negative value means that no errors are allowed.
	Errors float64
	// TTFT is the maximum time to first token: from sending a request to the first event of its stream that adds to the response.
	TTFT time.Duration
	// Goodput is the minimum share of the offered requests that must be admitted and individually meet every time bound.
	Goodput float64
	// Bounds are additional terms.
	Bounds []Bound
	// Only means that Latency has no default: apart from Errors, only the bounds that are set are checked.
	Only bool
}

func (o SLO) withDefaults() SLO {
	setDefault(&o.Quantile, 0.99)
	if !o.Only {
		setDefault(&o.Latency, time.Second)
	}
	setDefault(&o.Errors, 0.001)
	return o
}

// Terms returns all terms of the SLO, including defaults.
func (o SLO) Terms() []Bound {
	o = o.withDefaults()
	var terms []Bound
	if o.Latency > 0 {
		terms = append(terms, Bound{Metric: LatencyMetric, Quantile: o.Quantile, Value: float64(o.Latency)})
	}
	named := false
	for _, b := range o.Bounds {
		named = named || b.Metric == Errors
	}
	if !named {
		terms = append(terms, Bound{Metric: Errors, Value: max(o.Errors, 0)})
	}
	if o.TTFT > 0 {
		terms = append(terms, Bound{Metric: TTFTMetric, Quantile: o.Quantile, Value: float64(o.TTFT)})
	}
	if o.Goodput > 0 {
		terms = append(terms, Bound{Metric: Goodput, Least: true, Value: o.Goodput})
	}
	return append(terms, o.Bounds...)
}

// errorShare is the share of the requests that may fail.
func (o SLO) errorShare() float64 {
	share := 1.0
	for _, b := range o.Terms() {
		if b.Metric == Errors && !b.Least {
			share = min(share, b.Value)
		}
	}
	return share
}

// Misses returns the ways in which a measurement misses the SLO, one sentence each.
func (o SLO) Misses(m Measurement) []string {
	admitted := m.Of(AllRequests, runlog.Admitted)
	if admitted.Count == 0 {
		return []string{"no request succeeded"}
	}
	var misses []string
	terms := o.Terms()
	if !m.judged { // the measurement was not asked for its goodput
		m.Good = admitted.Count
		for _, b := range terms {
			if b.Metric == LatencyMetric {
				m.Good = min(m.Good, admitted.Latency.Within(time.Duration(b.Value)))
			}
		}
	}
	for _, b := range terms {
		if why := b.miss(m, admitted); why != "" {
			misses = append(misses, why)
		}
	}
	// What was never sent, because every connection was in use, counts like an error.
	if unsent := float64(m.Offered-m.Sent) / float64(max(m.Offered, 1)); unsent > o.errorShare() {
		misses = append(misses, fmt.Sprintf("%.3g %% of the requests were never sent because no connection became free in time "+
			"(the SLO's limit for errors, %.3g %%, also applies to unsent requests)", unsent*100, o.errorShare()*100))
	}
	return misses
}

// String returns the SLO in one line.
func (o SLO) String() string {
	var terms []string
	for _, b := range o.Terms() {
		terms = append(terms, b.String())
	}
	return strings.Join(terms, ", ")
}

func quantileName(q float64) string { return fmt.Sprintf("p%g", q*100) }

// round leaves about three digits. More are noise.
func round(d time.Duration) time.Duration {
	for unit := time.Second; unit > 0; unit /= 10 {
		if d >= unit {
			return d.Round(max(unit/100, 1))
		}
	}
	return d
}
