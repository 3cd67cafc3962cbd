package load

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/student"
)

// Difference is how one metric of two targets differs.
type Difference struct {
	// Metric is "service.p50", "service.mean", "ttft.p99" or "errors".
	Metric string
	// A and B are the values of the metric for the two targets over all rounds: in seconds, or a share for errors.
	A, B float64
	// Added is B minus A with its 95 % confidence interval, from a block bootstrap that draws rounds, each with both of its
	// halves.
	Added Estimate
	// Detectable is the smallest difference that a comparison like this one finds in four of five attempts.
	Detectable float64
}

// Found reports whether there is a difference: the interval excludes 0.
func (d Difference) Found() bool { return d.Added.Low > 0 || d.Added.High < 0 }

// IsShare reports whether the metric is a share and not a time.
func (d Difference) IsShare() bool { return d.Metric == "errors" }

// comparedQuantiles end at the 99th percentile: what is beyond it takes more requests than a comparison sends.
var comparedQuantiles = []float64{0.5, 0.9, 0.95, 0.99}

// differences computes the difference of each metric that both targets have.
func differences(rounds []comparedRound) (all []Difference) {
	draws := drawRounds(len(rounds))
	for _, metric := range []struct {
		name string
		of   func(comparedHalf) []float64
	}{
		{"service", func(h comparedHalf) []float64 { return h.service }},
		{"ttft", func(h comparedHalf) []float64 { return h.ttft }},
	} {
		a := newPooled(rounds, func(r comparedRound) []float64 { return metric.of(r.a) })
		b := newPooled(rounds, func(r comparedRound) []float64 { return metric.of(r.b) })
		if len(a.values) == 0 || len(b.values) == 0 {
			continue
		}
		for _, q := range comparedQuantiles {
			name := fmt.Sprintf("%s.p%g", metric.name, 100*q)
			all = append(all, newDifference(name, draws, func(w []int) float64 { return a.quantile(q, w) }, func(w []int) float64 { return b.quantile(q, w) }))
		}
		all = append(all, newDifference(metric.name+".mean", draws, a.mean, b.mean))
	}
	errors := newDifference("errors", draws,
		errorShare(rounds, func(r comparedRound) comparedHalf { return r.a }), errorShare(rounds, func(r comparedRound) comparedHalf { return r.b }))
	sent := 0.0
	for _, r := range rounds {
		sent += r.b.sent
	}
	// Where nothing failed, a share of three in so many requests would have been seen in 95 of 100 cases (the rule of three).
	errors.Detectable = max(errors.Detectable, 3/max(sent, 1))
	return append(all, errors)
}

func errorShare(rounds []comparedRound, half func(comparedRound) comparedHalf) func(weights []int) float64 {
	return func(weights []int) float64 {
		var failed, sent float64
		for i, w := range weights {
			h := half(rounds[i])
			failed, sent = failed+float64(w)*h.failed, sent+float64(w)*h.sent
		}
		return failed / max(sent, 1)
	}
}

// newDifference computes a metric of both targets for each draw of rounds; the first draw is the rounds themselves.
func newDifference(name string, draws [][]int, a, b func(weights []int) float64) Difference {
	d := Difference{Metric: name, A: a(draws[0]), B: b(draws[0])}
	added := make([]float64, 0, len(draws)-1)
	for _, weights := range draws[1:] {
		added = append(added, b(weights)-a(weights))
	}
	slices.Sort(added)
	tail := tailOf(len(draws[0]))
	at := func(share float64) float64 {
		return added[min(max(int(math.Round(share*float64(len(added)-1))), 0), len(added)-1)]
	}
	d.Added = Estimate{d.B - d.A, at(tail), at(1 - tail)}
	// With a power of 80 % a difference has to be (1.96+0.84)/1.96 times half the interval.
	const power = 2.8 / 1.96
	d.Detectable = power * (d.Added.High - d.Added.Low) / 2
	return d
}

// tailOf returns the share of draws beyond either end of a 95 % interval. With few rounds the interval of a plain bootstrap is
// too narrow, as if the spread of the rounds were known: it is widened as Student's t is wider than the normal
// distribution (Hesterberg 2015, "expanded percentile interval").
func tailOf(rounds int) float64 {
	n := float64(rounds)
	return normalBelow(-student.T975(n-1) * math.Sqrt(n/(n-1)))
}

func normalBelow(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// drawRounds returns how often each round is in each draw of the bootstrap. The first has each once. The seed is fixed: the
// same rounds always give the same interval.
func drawRounds(n int) [][]int {
	random := rand.New(rand.NewPCG(1, 1))
	draws := make([][]int, 1+resamples)
	for i := range draws {
		draws[i] = make([]int, n)
		for j := range n {
			if i == 0 {
				draws[i][j] = 1
				continue
			}
			draws[i][random.IntN(n)]++
		}
	}
	return draws
}

// pooled are the values of all rounds in ascending order, each with the number of its round.
type pooled struct {
	values []float64
	rounds []int
	sizes  []int // of each round
}

func newPooled(rounds []comparedRound, of func(comparedRound) []float64) (p pooled) {
	type value struct {
		v     float64
		round int
	}
	var all []value
	for i, r := range rounds {
		values := of(r)
		p.sizes = append(p.sizes, len(values))
		for _, v := range values {
			all = append(all, value{v, i})
		}
	}
	slices.SortFunc(all, func(a, b value) int { return cmp.Compare(a.v, b.v) })
	for _, v := range all {
		p.values, p.rounds = append(p.values, v.v), append(p.rounds, v.round)
	}
	return p
}

// quantile returns that of the values, each counted as often as its round is in a draw.
func (p pooled) quantile(q float64, weights []int) float64 {
	total := 0
	for round, size := range p.sizes {
		total += size * weights[round]
	}
	if total == 0 {
		return 0
	}
	wanted := max(int(math.Ceil(q*float64(total))), 1)
	for i, seen := 0, 0; i < len(p.values); i++ {
		if seen += weights[p.rounds[i]]; seen >= wanted {
			return p.values[i]
		}
	}
	return p.values[len(p.values)-1]
}

func (p pooled) mean(weights []int) float64 {
	var sum, n float64
	for i, v := range p.values {
		w := float64(weights[p.rounds[i]])
		sum, n = sum+w*v, n+w
	}
	return sum / max(n, 1)
}

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
			return nil, fmt.Errorf("%w: %q: write a metric and the largest increase allowed for B, such as p99=5ms, ttft.p50=10ms or errors=0.1%%", ErrInvalid, term)
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
