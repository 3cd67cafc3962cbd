package load

import (
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Measurement is what came of a stage. Its size does not depend on the number of shots, but for Shots.
type Measurement struct {
	Phase    string
	Schedule string
	// Mix are the names of the stage's parts, in order.
	Requests   []string
	Started time.Time
	// Elapsed is the time from the first shot's instant to the last answer's end.
	Elapsed time.Duration
	// Sending is the time from the beginning to the last request's sending.
	Sending time.Duration
	// Offered counts the shots that the schedule wanted, Sent those that went out. Those of a closed loop are the same.
	Offered, Sent uint64
	// Waited counts the shots, sent and never sent, whose time came while every connection was in use: their delay is
	// the gateway's. Late counts those sent after more than the fitness' bound on lag for no such reason: ours.
	Waited, Late uint64
	// NewConn counts the shots for which a connection was made, Resent those sent once more because a kept connection
	// had ended before a byte of the answer came.
	NewConns, Resent uint64
	// BytesIn is the sum of the answers' bodies.
	BytesIn uint64
	// Lag is how late the shots were that did not have to wait for a connection.
	Lag Histogram
	// Violations are the obligations that answers broke, those of the greatest count first.
	Violations []Violation
	// Windows is the course of the stage, in order.
	Windows []Window
	// GeneratorHealth says whether this machine did its part.
	Generator GeneratorHealth
	// Results are the first shots in the order in which they ended, at most the stage's Keep; Unkept counts the others.
	Results  []Result
	NotKept uint64

	targets []target
	tallies map[tallyKey]*Metrics
}

// target is where a part's requests went, as a report may show it.
type target struct {
	method, url string
	bodySize    int
}

type tallyKey struct {
	part    int
	outcome runlog.Outcome
}

// Metrics is what is counted of one outcome in one part.
type Metrics struct {
	Count uint64
	// ServiceTime is from the sending of a request to the end of its answer, Response from when it was due.
	ServiceTime, Latency Histogram
	// TTFB and FirstEvent are from the sending of a request, FirstEvent for streams alone.
	TTFB, TTFT Histogram
}

// Violation is an obligation that answers of one part broke.
type Violation struct {
	Request string
	// Finding is that of the first answer; Count counts all answers that broke the same obligation.
	Finding contract.Finding
	Count   uint64
	// Evidence is the first such answer, redacted, nil when it was not kept.
	Evidence *contract.Observation
}

// Window is a stretch of a stage. Answers belong to the window in which they ended.
type Window struct {
	// Start is when the window begins, since the stage began; Lasts is its length.
	Start, Length time.Duration
	// Counts are the answers by outcome.
	Counts map[runlog.Outcome]uint64
	// P50 and P99 are quantiles of the service time of the admitted, 0 when there are none.
	P50, P99 time.Duration
	// MaxLag is the longest lag that was ours.
	MaxLag time.Duration
}

// Total counts the window's answers about the gateway.
func (w Window) Total() (n uint64) {
	for outcome, count := range w.Counts {
		if outcome.OfGateway() {
			n += count
		}
	}
	return n
}

// AllRequests stands for every part of a stage where a part's index is asked for.
const AllRequests = -1

// Of sums up one outcome in one part, or in all of them ([AllRequests]).
func (m Measurement) Of(part int, outcome runlog.Outcome) Metrics {
	var sum Metrics
	for key, t := range m.tallies {
		if key.outcome != outcome || part != AllRequests && key.part != part {
			continue
		}
		sum.Count += t.Count
		sum.ServiceTime.Merge(t.ServiceTime)
		sum.Latency.Merge(t.Latency)
		sum.TTFB.Merge(t.TTFB)
		sum.TTFT.Merge(t.TTFT)
	}
	return sum
}

// Count counts the answers of some outcomes in all parts.
func (m Measurement) Count(outcomes ...runlog.Outcome) (n uint64) {
	for key, t := range m.tallies {
		for _, o := range outcomes {
			if key.outcome == o {
				n += t.Count
			}
		}
	}
	return n
}

// ErrorShare is the share of the sent requests that the gateway did not answer as asked: refusals, errors, timeouts,
// breaks and wrong answers. It is 0 when nothing was sent.
func (m Measurement) ErrorShare() float64 {
	var failed, all uint64
	for key, t := range m.tallies {
		if key.outcome.OfGateway() {
			all += t.Count
		}
		if key.outcome.Failed() {
			failed += t.Count
		}
	}
	if all == 0 {
		return 0
	}
	return float64(failed) / float64(all)
}

// Throughput is the number of admitted answers a second.
func (m Measurement) Throughput() float64 {
	if m.Elapsed <= 0 {
		return 0
	}
	return float64(m.Count(runlog.Admitted)) / m.Elapsed.Seconds()
}

// SendRate is the rate at which requests were sent, a second: n in the time that n-1 gaps take.
func (m Measurement) SendRate() float64 {
	if m.Sending <= 0 {
		return 0
	}
	return float64(m.Sent-1) / m.Sending.Seconds()
}

// Verdict is what the stage says: error when this machine did not do its part or nothing was sent - never the
// gateway's fault -, else what the findings of all answers lead to. Refusals, errors and timeouts break no obligation
// by being there.
func (m Measurement) Verdict() contract.Verdict {
	if !m.Generator.OK() || m.Sent == 0 {
		return contract.Error
	}
	var findings []contract.Finding
	for _, b := range m.Violations {
		findings = append(findings, b.Finding)
	}
	return contract.VerdictOf(findings)
}
