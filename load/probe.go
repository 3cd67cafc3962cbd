package load

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Probe is one attempt of a capacity search at a constant rate.
type Probe struct {
	// Rate is in requests per second.
	Rate     float64
	Duration time.Duration
	// Misses lists the ways in which the SLO was missed. If it is empty, the SLO was met.
	Misses []string
	// Inconclusive lists the reasons why the probe is not evidence about the gateway. If there are none, the probe is conclusive.
	Inconclusive []string

	Admitted uint64
	// Refused is the share of requests that a rate limit refused, 0 to 1.
	Refused float64
	Pace    Pace
	// Throughput is how many requests per second were admitted while the gateway was saturated. It is 0 if the gateway was not saturated.
	Throughput float64
	// P50 and P99 are quantiles of the latency of admitted requests.
	P50, P99 time.Duration
	// Sample contains all other figures.
	Sample runlog.Sample
}

// Met reports whether the probe is conclusive and met the SLO.
func (p Probe) Met() bool { return len(p.Misses) == 0 && len(p.Inconclusive) == 0 }

// missed reports whether the probe is conclusive and missed the SLO.
func (p Probe) missed() bool { return len(p.Misses) > 0 && len(p.Inconclusive) == 0 }

// newProbe reads a probe off its measurement. unloaded is the median service time of the gateway at a low rate.
//
// A probe in which this machine could not keep up must not blame the gateway. If the SLO was met all the same, the probe
// is conclusive: late requests and a busy CPU make a gateway look worse, not better. Only unsent requests do that.
func newProbe(rate float64, d time.Duration, p Phase, m Measurement, slo SLO, unloaded time.Duration) Probe {
	admitted := m.Of(AllRequests, runlog.Admitted)
	probe := Probe{
		Rate: rate, Duration: d, Misses: append(slo.Misses(m), m.Pace.Misses()...), Pace: m.Pace,
		Admitted: admitted.Count, P50: admitted.Latency.Quantile(0.5), P99: admitted.Latency.Quantile(0.99),
		Sample: m.Sample(),
	}
	answered := float64(max(m.answered(), 1))
	probe.Refused = float64(m.Count(runlog.Refused)) / answered
	if !m.Pace.KeptUp() || probe.Refused > slo.errorShare() {
		probe.Throughput = m.Pace.Completed * float64(admitted.Count) / answered
	}
	if len(probe.Misses) > 0 || m.Generator.Undersent {
		probe.Inconclusive = m.Generator.Problems
	}
	// A request holds a connection for its service time. With less than twice as many connections as that takes at this
	// rate (Little's law), requests queue here and not at the gateway.
	needed := int(math.Ceil(2 * rate * unloaded.Seconds()))
	if len(probe.Misses) > 0 && m.Waited > 0 && p.Connections < needed {
		probe.Inconclusive = append(slices.Clone(probe.Inconclusive),
			fmt.Sprintf("%s too few: this rate needs %d", plain.Are(p.Connections, "connection"), needed))
	}
	return probe
}
