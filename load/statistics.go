package load

import (
	"cmp"
	"math"
	"slices"

	"github.com/gatecert/gatecert/internal/student"
)

// Estimate is a value with its 95 % confidence interval.
type Estimate struct{ Value, Low, High float64 }

// resamples is the number of bootstrap samples. The ends of the interval of a single metric are the 50th values from either side, those of several metrics
// that hold together lie further out.
const resamples = 2000

// median returns the median of values, and sorts them.
func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}

type point struct{ x, y float64 }

// slope returns the Theil-Sen estimate of how much y grows with x: the median of the slopes of all pairs of points, with
// Sen's confidence interval, whose ends are z standard deviations away. Up to 29 % of the points may be outliers, and load
// tests have outliers. ok is false with fewer than five points.
func slope(points []point, z float64) (estimate Estimate, ok bool) {
	slopes := slopesOf(points)
	if len(points) < 5 || len(slopes) == 0 {
		return Estimate{}, false
	}
	return senInterval(slopes, len(points), z), true
}

// slopesOf returns the slopes of all pairs of points in ascending order.
func slopesOf(points []point) (slopes []float64) {
	for i, a := range points {
		for _, b := range points[i+1:] {
			if a.x != b.x {
				slopes = append(slopes, (b.y-a.y)/(b.x-a.x))
			}
		}
	}
	slices.Sort(slopes)
	return slopes
}

// senInterval returns the median of the slopes between n points, in ascending order, with its confidence interval.
func senInterval(slopes []float64, n int, z float64) Estimate {
	points, count := float64(n), float64(len(slopes))
	margin := z * math.Sqrt(points*(points-1)*(2*points+5)/18)
	low := int(max(math.Floor((count-margin)/2), 0))
	high := int(min(math.Ceil((count+margin)/2), count-1))
	return Estimate{median(slopes), slopes[low], slopes[high]}
}

const (
	// trendBlocks is how many blocks a long series is divided into before its slope is estimated. Neighbouring points of a load
	// test are correlated: medians of many of them are less so.
	trendBlocks = 40
	// leastIndependent is how many independent points a series has to be worth.
	leastIndependent = 8
)

// trendSlope is [slope] for points that depend on their neighbours, with a 95 % confidence interval: an interval that takes
// them for independent excludes 0 in 14 to 28 of 100 series without a trend. The points are joined in blocks, what is still
// correlated between neighbouring blocks widens the interval (as in Hamed and Rao 1998, with the correlation of an
// autoregressive process of order 1, corrected for its bias in short series), and so does the small number of
// independent points that is left (Student's t). ok is false when that number is below 8.
func trendSlope(points []point) (estimate Estimate, ok bool) {
	points = joined(points)
	slopes := slopesOf(points)
	n := float64(len(points))
	if n < leastIndependent || len(slopes) == 0 {
		return Estimate{}, false
	}
	value := median(slices.Clone(slopes))
	residuals := make([]float64, len(points))
	scale := 0.0
	for i, p := range points {
		residuals[i] = p.y - value*p.x
		scale = max(scale, math.Abs(p.y))
	}
	for i, r := range residuals { // what is left of a straight line is rounding, and no value is like its neighbour for it
		const digits = 1e9
		residuals[i] = math.Round((r - residuals[0]) / max(scale, 1/digits) * digits)
	}
	correlation := neighbours(residuals)
	inflation := (1 + correlation) / (1 - correlation)
	independent := n / inflation
	if independent < leastIndependent {
		return Estimate{}, false
	}
	return senInterval(slopes, len(points), student.T975(independent-2)*math.Sqrt(inflation)), true
}

// joined returns the medians of blocks of points, as many points in each.
func joined(points []point) []point {
	size := len(points) / trendBlocks
	if size < 2 {
		return points
	}
	var blocks []point
	for block := range slices.Chunk(points, size) {
		if len(block) < size {
			break // what is left over would weigh as much as a whole block
		}
		ys := make([]float64, len(block))
		for i, p := range block {
			ys[i] = p.y
		}
		blocks = append(blocks, point{(block[0].x + block[len(block)-1].x) / 2, median(ys)})
	}
	return blocks
}

// neighbours returns the correlation of each value with the next, 0 to 0.98, by their ranks. Outliers are left out: they hide
// the correlation of the others. The values are residuals of a slope, which makes it look smaller than it is; that is
// corrected.
func neighbours(values []float64) float64 {
	usual := inliers(values)
	ranks := ranksOf(values, usual)
	var product, squares, pairs, n float64
	for i, r := range ranks {
		if !usual[i] {
			continue
		}
		n++
		squares += r * r
		if i > 0 && usual[i-1] {
			product += r * ranks[i-1]
			pairs++
		}
	}
	if squares == 0 || pairs == 0 {
		return 0
	}
	const most = 0.98
	correlation := product / pairs * (n - 1) / squares
	return min(max((n*correlation+2)/(n-4), 0), most)
}

// inliers says which values are within four times the usual distance from the median.
func inliers(values []float64) []bool {
	middle := median(slices.Clone(values))
	distances := make([]float64, len(values))
	for i, v := range values {
		distances[i] = math.Abs(v - middle)
	}
	const most = 4 * 1.4826 // 1.4826 times the median distance is the sigma of a normal distribution
	bound := most * median(slices.Clone(distances))
	usual := make([]bool, len(values))
	for i, d := range distances {
		usual[i] = d <= bound
	}
	return usual
}

// ranksOf returns the ranks of those values that count, around 0. Equal values have the same rank.
func ranksOf(values []float64, counts []bool) []float64 {
	var order []int
	for i := range values {
		if counts[i] {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks := make([]float64, len(values))
	for first := 0; first < len(order); {
		last := first
		for last+1 < len(order) && values[order[last+1]] == values[order[first]] {
			last++
		}
		for _, i := range order[first : last+1] {
			ranks[i] = float64(first+last)/2 - float64(len(order)-1)/2
		}
		first = last + 1
	}
	return ranks
}
