package load

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gatecert/gatecert/internal/student"
)

// Difference is how one metric of two targets differs.
type Difference struct {
	// Metric is "service.p50", "service.mean", "ttft.p99" or "errors".
	Metric string
	// A and B are the values of the metric for the two targets over all rounds: in seconds, or a share for errors.
	A, B float64
	// Added is B minus A with its 95 % confidence interval, from a block bootstrap that draws rounds, each with both of its
	// halves. The intervals of all metrics of a comparison hold together: in about 95 of 100 comparisons, each of them contains the true
	// difference. A comparison has up to eleven metrics, and with an interval for each alone, one in four comparisons of a target
	// with itself would show a difference somewhere.
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

// comparedMetric is a metric of either target, for rounds that are counted as often as their weights say.
type comparedMetric struct {
	name string
	a, b func(weights []int) float64
}

// differences computes the difference of each metric that both targets have.
func differences(rounds []comparedRound) []Difference {
	metrics := comparedMetrics(rounds)
	draws := drawRounds(len(rounds))
	all, added := make([]Difference, len(metrics)), make([][]float64, len(metrics))
	for i, m := range metrics {
		all[i] = Difference{Metric: m.name, A: m.a(draws[0]), B: m.b(draws[0])}
		for _, weights := range draws[1:] {
			added[i] = append(added[i], m.b(weights)-m.a(weights))
		}
	}
	z := normalQuantile(jointTail(added))
	for i := range all {
		all[i].setInterval(added[i], z, widening(z, len(rounds)))
	}
	all[len(all)-1].allowForNone(rounds)
	return all
}

// comparedMetrics returns the metrics that both targets have. The last is errors, which there always is.
func comparedMetrics(rounds []comparedRound) (all []comparedMetric) {
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
			all = append(all, comparedMetric{name, func(w []int) float64 { return a.quantile(q, w) }, func(w []int) float64 { return b.quantile(q, w) }})
		}
		all = append(all, comparedMetric{metric.name + ".mean", a.mean, b.mean})
	}
	return append(all, comparedMetric{
		"errors",
		errorShare(rounds, func(r comparedRound) comparedHalf { return r.a }), errorShare(rounds, func(r comparedRound) comparedHalf { return r.b }),
	})
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

// setInterval sets the interval and what can be detected, from the differences in each draw, which it sorts. The interval reaches z standard deviations of
// the draws to either side, times the widening.
func (d *Difference) setInterval(added []float64, z, widening float64) {
	slices.Sort(added)
	beyond := max(int(math.Ceil(normalBelow(-z)*float64(len(added))))-1, 0)
	value := d.B - d.A
	d.Added = Estimate{
		value,
		value - widening*max(value-added[beyond], 0),
		value + widening*max(added[len(added)-1-beyond]-value, 0),
	}
	// With a power of 80 %, a difference has to be 0.84 standard deviations more than half of the interval.
	const power = 0.84
	d.Detectable = (1 + power/(z*widening)) * (d.Added.High - d.Added.Low) / 2
}

// allowForNone widens the interval of the error rates where a target had no error: of a share of three in as many requests, none would have been seen in 5
// of 100 comparisons (the rule of three). The draws know nothing of errors that did not happen.
func (d *Difference) allowForNone(rounds []comparedRound) {
	var a, b float64
	for _, r := range rounds {
		a, b = a+r.a.sent, b+r.b.sent
	}
	const unseen = 3
	if d.A == 0 {
		d.Added.Low = min(d.Added.Low, d.Added.Value-unseen/max(a, unseen))
	}
	if d.B == 0 {
		d.Added.High = max(d.Added.High, d.Added.Value+unseen/max(b, unseen))
	}
	d.Detectable = max(d.Detectable, unseen/max(b, unseen))
}

// jointTail returns the share of draws beyond either end of the intervals of all metrics, so that 95 of 100 draws are within all of them (Mandel and
// Betensky 2008, simultaneous percentile intervals). It is at most that of a single metric, 2.5 %. added are the differences of each metric in each draw.
func jointTail(added [][]float64) float64 {
	outmost := make([]float64, len(added[0])) // of each draw: the smallest share of draws beyond it in any metric
	const alone, outside = 0.025, 0.05
	for i := range outmost {
		outmost[i] = alone
	}
	for _, values := range added {
		sorted := slices.Sorted(slices.Values(values))
		n := float64(len(sorted))
		for i, v := range values {
			below, _ := slices.BinarySearch(sorted, v)
			notAbove, _ := slices.BinarySearchFunc(sorted, v, func(s, v float64) int {
				if s <= v {
					return -1
				}
				return 1
			})
			// Equal values are on both sides: a metric that is the same in all draws has no ends.
			outmost[i] = min(outmost[i], float64(notAbove)/n, 1-float64(below)/n)
		}
	}
	slices.Sort(outmost)
	return outmost[int(outside*float64(len(outmost)))]
}

// widening returns how much wider an interval of few rounds has to be than the draws say. They take the spread of the rounds as known, and never leave their
// range: the interval is widened as Student's t is wider than the normal distribution (after Hesterberg 2015, "expanded percentile interval").
func widening(z float64, rounds int) float64 {
	n := float64(rounds)
	return student.T(z, n-1) * math.Sqrt(n/(n-1)) / z
}

// normalQuantile returns z, in standard deviations, so that the share tail is above it.
func normalQuantile(tail float64) float64 { return math.Sqrt2 * math.Erfinv(1-2*tail) }

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
