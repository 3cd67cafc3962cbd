package load

import (
	"fmt"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// SLO is what a gateway has to keep to at a rate. Fields that are zero take their default or are not asked for.
type SLO struct {
	// Quantile is that of Latency and FirstEvent. Default 0.99.
	Quantile float64
	// Latency bounds the response time of the admitted, from when a request was due. Default 1 s.
	Latency time.Duration
	// Errors is the greatest share of requests that may not be answered as asked, refusals included. Default 0.001;
	// negative means none.
	Errors float64
	// TTFT bounds the time from sending a request to the first event of its stream. 0: not asked for.
	TTFT time.Duration
	// Goodput is the least share of the offered requests that must be admitted within Latency. 0: not asked for.
	Goodput float64
}

func (o SLO) withDefaults() SLO {
	setDefault(&o.Quantile, 0.99)
	setDefault(&o.Latency, time.Second)
	setDefault(&o.Errors, 0.001)
	return o
}

// Misses lists in what a measurement misses the objective, one sentence each.
func (o SLO) Misses(m Measurement) []string {
	o = o.withDefaults()
	admitted := m.Of(AllRequests, runlog.Admitted)
	var misses []string
	miss := func(format string, args ...any) { misses = append(misses, fmt.Sprintf(format, args...)) }
	if admitted.Count == 0 {
		return []string{"nothing was admitted"}
	}
	if share := m.ErrorShare(); share > max(o.Errors, 0) {
		miss("%.3g %% of the requests were not answered as asked", share*100)
	}
	if got := admitted.Latency.Quantile(o.Quantile); got > o.Latency {
		miss("%s took %s", quantileName(o.Quantile), round(got))
	}
	if o.TTFT > 0 {
		if got := admitted.TTFT.Quantile(o.Quantile); got > o.TTFT {
			miss("the first event of %s took %s", quantileName(o.Quantile), round(got))
		}
		if admitted.TTFT.Count() == 0 {
			miss("no answer was a stream")
		}
	}
	if good := float64(admitted.Latency.Within(o.Latency)) / float64(max(m.Offered, 1)); good < o.Goodput {
		miss("%.3g %% of the requests were answered in time", good*100)
	}
	// More than the errors that are allowed was not even sent, because all connections were in use.
	if left := float64(m.Offered-m.Sent) / float64(max(m.Offered, 1)); left > max(o.Errors, 0) {
		miss("%.3g %% of the requests found no connection in time", left*100)
	}
	return misses
}

// String is the objective in words.
func (o SLO) String() string {
	o = o.withDefaults()
	words := fmt.Sprintf("%s within %s, at most %.3g %% errors", quantileName(o.Quantile), o.Latency, max(o.Errors, 0)*100)
	if o.TTFT > 0 {
		words += fmt.Sprintf(", first event within %s", o.TTFT)
	}
	if o.Goodput > 0 {
		words += fmt.Sprintf(", at least %.3g %% in time", o.Goodput*100)
	}
	return words
}

func quantileName(q float64) string { return fmt.Sprintf("p%g", q*100) }

// round leaves three digits or so: more are noise, and nobody reads them.
func round(d time.Duration) time.Duration {
	for unit := time.Second; unit > 0; unit /= 10 {
		if d >= unit {
			return d.Round(max(unit/100, 1))
		}
	}
	return d
}
