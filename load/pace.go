package load

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Pace states whether a gateway kept up with the rate of a phase. A queue that grows is invisible in a short probe: after 5 s at 5 % more than a
// gateway can sustain, its callers wait only a quarter of a second, which many SLOs allow.
//
// There are two signs of such a queue. Each must exceed [paceTolerance] and be significant at the level [paceError]:
//
//   - completions lag: fewer requests per second were answered than were due;
//   - latency grows from the beginning of the phase to its end.
//
// The gateway is not blamed for the arrivals: even a server that handles exactly the rate of the phase, one request at a time, would make requests
// wait for each other. That wait is subtracted. A stable gateway can handle a higher rate, so its requests wait less than the time that is
// subtracted.
type Pace struct {
	// Offered is how many requests per second were due after the warm-up, and Completed is how many were answered.
	Offered, Completed float64
	// Lag is the share by which completions lag. Growth is how fast the latency grows, in seconds per second.
	Lag    float64
	Growth Estimate
	// Lags and Grows report whether the two signs exceed the tolerance and are significant.
	Lags, Grows bool
}

const (
	// paceTolerance is how much of the rate completions may lag, and how many seconds the latency may grow in each second.
	paceTolerance = 0.015
	// paceZ is a quantile of the normal distribution: in 1 % of stable gateways a sign is seen, each.
	paceZ = 2.326
)

// KeptUp reports whether the gateway kept up, that is, whether neither sign was found.
func (p Pace) KeptUp() bool { return !p.Lags && !p.Grows }

// Misses returns the signs, one sentence each.
func (p Pace) Misses() (misses []string) {
	if p.Lags {
		misses = append(misses, fmt.Sprintf("the gateway completed only %.4g of %.4g requests/s", p.Completed, p.Offered))
	}
	if p.Grows {
		perSecond := func(growth float64) time.Duration { return time.Duration(growth * float64(time.Second)) }
		misses = append(misses, fmt.Sprintf("the latency grew by %s per second (limit: %s)", round(perSecond(p.Growth.Value)), perSecond(paceTolerance)))
	}
	return misses
}

const (
	// paceBatches is how many batches the requests of a phase are divided into, by when they were due, to see a trend.
	paceBatches = 20
	// batchSize bounds the latencies that are kept of a batch. More do not change its median much.
	batchSize = 256
	// leastOfShare is how many of them each of several generators keeps at least: all of them together keep about batchSize, and a thousand
	// generators two each.
	leastOfShare = 2
	// paceBins is how many bins the completions of a phase are counted in; further ones of the same length count what was
	// answered after its end, until paceTail times its length.
	paceBins = 1000
	paceTail = 3
)

// course collects what [Pace] is made of, as requests end. Its size does not depend on their number.
type course struct {
	from, to time.Duration // when the requests that count are due
	every    uint64        // one in so many latencies of a batch is kept
	batches  [paceBatches]batch
	due      uint64
	ended    [paceBins * paceTail]uint32
	// first and last are the wait that bunching explains when the measured part begins and ends.
	first, last bunched
}

type batch struct {
	n        uint64
	latency  []float64 // seconds, without the wait that bunching explains
	measured []float64 // seconds, as measured
}

type bunched struct{ due, wait time.Duration }

func newCourse(p Phase) *course {
	of := max(p.Share.Of, 1)
	perBatch := p.Rate * (p.For - p.WarmUp).Seconds() / paceBatches / float64(of)
	kept := float64(max(batchSize/of, leastOfShare))
	return &course{from: p.WarmUp, to: p.For, every: uint64(max(math.Ceil(perBatch/kept), 1)), first: bunched{due: math.MaxInt64}}
}

// add counts a request that was due and has ended. bunching is that of [schedule.due].
func (c *course) add(due, end, bunching time.Duration) {
	if bin := int(int64(end) * paceBins / int64(c.to)); end >= c.from && bin < len(c.ended) {
		c.ended[bin]++
	}
	if due < c.from || due > c.to {
		return
	}
	c.due++
	if due < c.first.due {
		c.first = bunched{due, bunching}
	}
	if due >= c.last.due {
		c.last = bunched{due, bunching}
	}
	b := &c.batches[min(int(int64(due-c.from)*paceBatches/int64(c.to-c.from)), paceBatches-1)]
	if b.n++; b.n%c.every == 0 && len(b.latency) < batchSize {
		b.latency = append(b.latency, (end - due - bunching).Seconds())
		b.measured = append(b.measured, (end - due).Seconds())
	}
}

// merge adds the requests of another share of the same phase.
func (c *course) merge(other *course) {
	c.due += other.due
	if other.first.due < c.first.due {
		c.first = other.first
	}
	if other.last.due >= c.last.due {
		c.last = other.last
	}
	for i, n := range other.ended {
		c.ended[i] += n
	}
	for i, b := range other.batches {
		c.batches[i].n += b.n
		c.batches[i].latency = append(c.batches[i].latency, b.latency...)
		c.batches[i].measured = append(c.batches[i].measured, b.measured...)
	}
}

// completedBy returns how many requests ended between the warm-up and an instant.
func (c *course) completedBy(instant time.Duration) (n float64) {
	exact := instant.Seconds() / c.to.Seconds() * paceBins
	whole := min(int(exact), len(c.ended))
	for _, count := range c.ended[:whole] {
		n += float64(count)
	}
	if whole < len(c.ended) {
		n += (exact - float64(whole)) * float64(c.ended[whole])
	}
	return n
}

// pace returns what the course shows. unsent are requests that were due and never sent because every connection was in use.
func (c *course) pace(rate float64, unsent uint64) Pace {
	length := (c.to - c.from).Seconds()
	offered := float64(c.due + unsent)
	if c.due == 0 {
		return Pace{}
	}
	// A request takes its time even where nobody waits: completions are counted between the same two instants as those due,
	// later by the latency at the beginning.
	var early []float64
	for _, b := range c.batches {
		if early = append(early, b.measured...); len(early) >= 5 {
			break
		}
	}
	usual := 0.0
	if len(early) > 0 {
		usual = max(median(early), 0)
	}
	shift := time.Duration(usual * float64(time.Second))
	completed := c.completedBy(c.to+shift) - c.completedBy(c.from+shift)
	p := Pace{Offered: offered / length, Completed: completed / length}
	explained := max((c.last.wait-c.first.wait).Seconds(), 0) * rate
	missing := offered - explained - completed
	p.Lag = missing / offered
	// In a stable gateway about rate × latency requests are open at either end, and their number varies by its root.
	chance := paceZ * math.Sqrt(2*rate*usual)
	p.Lags = p.Lag > paceTolerance && missing > max(chance, 2)
	p.Growth, p.Grows = c.growth()
	return p
}

// growth returns the trend of the latency, and whether it is a sign.
func (c *course) growth() (Estimate, bool) {
	var points, measured []point
	width := (c.to - c.from).Seconds() / paceBatches
	for i, b := range c.batches {
		if len(b.latency) > 0 {
			at := float64(i) * width
			points = append(points, point{at, median(slices.Clone(b.latency))})
			measured = append(measured, point{at, median(slices.Clone(b.measured))})
		}
	}
	const least = 10 // points of a series
	if len(points) < least {
		return Estimate{}, false
	}
	sign := func(e Estimate) bool { return e.Low > 0 && e.Value > paceTolerance }
	growth, _ := slope(points, paceZ)
	asMeasured, _ := slope(measured, paceZ) // subtracting a wait that gets shorter is not growth
	return growth, sign(growth) && sign(asMeasured)
}
