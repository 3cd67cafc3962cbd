package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AddedBound is how much a target may add to a metric.
type AddedBound struct {
	Metric string
	// Most is in seconds, or a share for errors.
	Most float64
}

// Check says what a comparison shows about a bound.
type Check int

const (
	// Kept means that the whole interval is within the bound.
	Kept Check = iota
	// Exceeded means that none of the interval is within the bound.
	Exceeded
	// Undecided means that the bound is inside the interval: more rounds are needed.
	Undecided
)

// ParseAdded reads bounds such as "p99=5ms,mean=1ms,ttft.p50=10ms,errors=0.1%". A quantile or a mean without a metric is that of
// the service time. It returns [ErrInvalid].
func ParseAdded(text string) (bounds []AddedBound, err error) {
	for term := range strings.SplitSeq(text, ",") {
		metric, value, _ := strings.Cut(strings.TrimSpace(term), "=")
		if !strings.Contains(metric, ".") && metric != "errors" {
			metric = "service." + metric
		}
		b := AddedBound{Metric: metric}
		if metric == "errors" {
			share, isPercent := strings.CutSuffix(value, "%")
			if b.Most, err = strconv.ParseFloat(share, 64); isPercent {
				b.Most /= 100
			}
		} else {
			var most time.Duration
			most, err = time.ParseDuration(value)
			b.Most = most.Seconds()
		}
		if err != nil || !isCompared(metric) || !(b.Most >= 0) {
			return nil, fmt.Errorf("%w: %q: specify a metric and the largest increase allowed for B, such as p99=5ms, ttft.p50=10ms or errors=0.1%% (metrics: mean, p50, p90, p95 and p99 of the service time; ttft.mean, ttft.p50, ttft.p90, ttft.p95 and ttft.p99 of the TTFT; and errors)", ErrInvalid, term)
		}
		bounds = append(bounds, b)
	}
	return bounds, nil
}

// isCompared reports whether a comparison has such a metric.
func isCompared(metric string) bool {
	if metric == "errors" {
		return true
	}
	name, part, _ := strings.Cut(metric, ".")
	if name != "service" && name != "ttft" {
		return false
	}
	return part == "mean" || slices.ContainsFunc(comparedQuantiles, func(q float64) bool { return part == fmt.Sprintf("p%g", 100*q) })
}

// Check returns what the comparison shows about a bound. A metric that was not compared is undecided.
func (c Compared) Check(b AddedBound) Check {
	for _, d := range c.Differences {
		switch {
		case d.Metric != b.Metric:
		case d.Added.High <= b.Most:
			return Kept
		case d.Added.Low > b.Most:
			return Exceeded
		}
	}
	return Undecided
}
