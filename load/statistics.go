package load

import (
	"math"
	"slices"
)

// Estimate is a value with its 95 % confidence interval.
type Estimate struct{ Value, Low, High float64 }

// resamples is the number of bootstrap samples. The ends of a 95 % interval are then the 50th values from either side.
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
// Sen's confidence interval, whose ends are z standard deviations away. Up to 29 % of the points may be outliers, and load tests have outliers. ok is false with
// fewer than five points.
func slope(points []point, z float64) (estimate Estimate, ok bool) {
	var slopes []float64
	for i, a := range points {
		for _, b := range points[i+1:] {
			if a.x != b.x {
				slopes = append(slopes, (b.y-a.y)/(b.x-a.x))
			}
		}
	}
	n := float64(len(points))
	if len(points) < 5 || len(slopes) == 0 {
		return Estimate{}, false
	}
	value := median(slopes) // sorts them
	margin := z * math.Sqrt(n*(n-1)*(2*n+5)/18)
	count := float64(len(slopes))
	low := int(max(math.Floor((count-margin)/2), 0))
	high := int(min(math.Ceil((count+margin)/2), count-1))
	return Estimate{value, slopes[low], slopes[high]}, true
}
