package load

import (
	"fmt"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// SLO is a service level objective: what a gateway has to keep at a rate. Fields that are zero take their default, or are
// not checked when they have none.
type SLO struct {
	// Quantile is the one that Latency and TTFT bound, between 0 and 1. Default 0.99.
	Quantile float64
	// Latency bounds the latency of the admitted requests. Default 1 s.
	Latency time.Duration
	// Errors bounds the share of requests that fail, refusals included. Default 0.001; negative means none.
	Errors float64
	// TTFT bounds the time to first token: from sending a request to the first event of its stream.
	TTFT time.Duration
	// Goodput is the least share of the offered requests that has to be admitted within Latency.
	Goodput float64
}

func (o SLO) withDefaults() SLO {
	setDefault(&o.Quantile, 0.99)
	setDefault(&o.Latency, time.Second)
	setDefault(&o.Errors, 0.001)
	return o
}

// Misses returns in what a measurement misses the SLO, one sentence each.
func (o SLO) Misses(m Measurement) []string {
	o = o.withDefaults()
	admitted := m.Of(AllRequests, runlog.Admitted)
	var misses []string
	missf := func(format string, args ...any) { misses = append(misses, fmt.Sprintf(format, args...)) }
	if admitted.Count == 0 {
		return []string{"no request succeeded"}
	}
	if rate := m.ErrorRate(); rate > max(o.Errors, 0) {
		missf("%.3g %% of the requests failed", rate*100)
	}
	if got := admitted.Latency.Quantile(o.Quantile); got > o.Latency {
		missf("%s latency was %s", quantileName(o.Quantile), round(got))
	}
	if o.TTFT > 0 {
		if got := admitted.TTFT.Quantile(o.Quantile); got > o.TTFT {
			missf("%s TTFT was %s", quantileName(o.Quantile), round(got))
		}
		if admitted.TTFT.Count() == 0 {
			missf("no response was a stream")
		}
	}
	if good := float64(admitted.Latency.Within(o.Latency)) / float64(max(m.Offered, 1)); good < o.Goodput {
		missf("goodput was %.3g %%", good*100)
	}
	// What was never sent, because every connection was in use, counts like an error.
	if unsent := float64(m.Offered-m.Sent) / float64(max(m.Offered, 1)); unsent > max(o.Errors, 0) {
		missf("%.3g %% of the requests found no free connection in time", unsent*100)
	}
	return misses
}

// String returns the SLO in one line.
func (o SLO) String() string {
	o = o.withDefaults()
	text := fmt.Sprintf("%s latency <= %s, errors <= %.3g %%", quantileName(o.Quantile), o.Latency, max(o.Errors, 0)*100)
	if o.TTFT > 0 {
		text += fmt.Sprintf(", %s TTFT <= %s", quantileName(o.Quantile), o.TTFT)
	}
	if o.Goodput > 0 {
		text += fmt.Sprintf(", goodput >= %.3g %%", o.Goodput*100)
	}
	return text
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
