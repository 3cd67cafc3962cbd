package load

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Probe is one stretch of constant rate and how it went.
type Probe struct {
	// Rate is what was asked for, in requests a second; Lasts for how long.
	Rate  float64
	Duration time.Duration
	// Misses say in what the objective was missed; none: it was met.
	Misses []string
	// Inconclusive say why the trial proves nothing about the gateway; none: it does.
	Inconclusive []string

	Offered, Sent, Admitted, Refused, Failed uint64
	// P50, P90, P99 and P999 are quantiles of the admitted's response time.
	P50, P90, P99, P999 time.Duration
	// TTFT is the 99th percentile of the time to the first event, 0 without streams.
	TTFT time.Duration
	// LagP99 is our own.
	LagP99 time.Duration
}

// Met reports whether the objective was met, and the trial is evidence.
func (t Probe) Met() bool { return len(t.Misses) == 0 && len(t.Inconclusive) == 0 }

// missed reports whether the gateway, and not this machine, missed the objective.
func (t Probe) missed() bool { return len(t.Misses) > 0 && len(t.Inconclusive) == 0 }

// newTrial reads a trial off its measurement. usual is the median service time when the gateway is not under load.
//
// A trial in which this machine was not fit may not blame the gateway. When it met the objective all the same, it is
// evidence: late shots and a busy processor make a gateway look worse, not better. Only what was never sent does.
func newTrial(rate float64, lasts time.Duration, s Phase, m Measurement, o SLO, usual time.Duration) Probe {
	admitted := m.Of(AllRequests, runlog.Admitted)
	t := Probe{
		Rate: rate, Duration: lasts, Misses: o.Misses(m),
		Offered: m.Offered, Sent: m.Sent, Admitted: admitted.Count, Refused: m.Count(runlog.Refused),
		Failed: m.Count(runlog.Error4xx, runlog.Error5xx, runlog.Timeout, runlog.TransportError, runlog.Wrong),
		P50:    admitted.Latency.Quantile(0.5), P90: admitted.Latency.Quantile(0.9),
		P99: admitted.Latency.Quantile(0.99), P999: admitted.Latency.Quantile(0.999),
		TTFT: admitted.TTFT.Quantile(0.99), LagP99: m.Generator.LagP99,
	}
	if len(t.Misses) > 0 || m.Generator.Undersent {
		t.Inconclusive = m.Generator.Problems
	}
	// A call takes a connection for its service time: so many are in use at this rate when nothing is amiss. With fewer
	// than twice as many, calls queue up here and not at the gateway.
	needed := int(math.Ceil(2 * rate * usual.Seconds()))
	if len(t.Misses) > 0 && m.Waited > 0 && s.Connections < needed {
		t.Inconclusive = append(slices.Clone(t.Inconclusive), fmt.Sprintf("%d connections are too few: this rate needs %d", s.Connections, needed))
	}
	return t
}

// worstBreaches keeps the breaches of several measurements, one for each obligation and part.
func worstBreaches(all []Violation, more []Violation) []Violation {
	for _, b := range more {
		known := false
		for i := range all {
			if all[i].Request == b.Request && all[i].Finding.Requirement == b.Finding.Requirement && all[i].Finding.Level == b.Finding.Level {
				all[i].Count += b.Count
				known = true
			}
		}
		if !known {
			all = append(all, b)
		}
	}
	return all
}

// verdictOf is the verdict of breaches alone.
func verdictOf(breaches []Violation) contract.Verdict {
	findings := make([]contract.Finding, len(breaches))
	for i, b := range breaches {
		findings[i] = b.Finding
	}
	return contract.VerdictOf(findings)
}
