package measured

import (
	"math"

	"github.com/gatecert/gatecert/internal/student"
)

// differenceOfMeans is the 95 % confidence interval of mean(b) - mean(a), by batch means: neighbouring windows are alike, the means of
// batches of them hardly, and to these Welch's interval applies. An interval that took the windows for independent would be too narrow.
func differenceOfMeans(a, b []float64) (low, high float64) {
	meanA, varianceA, nA := batchMeans(a)
	meanB, varianceB, nB := batchMeans(b)
	sum := varianceA + varianceB
	difference := meanB - meanA
	if sum == 0 {
		return difference, difference
	}
	freedom := sum * sum / (varianceA*varianceA/(nA-1) + varianceB*varianceB/(nB-1))
	margin := student.T975(freedom) * math.Sqrt(sum)
	return difference - margin, difference + margin
}

// batchMeans returns the mean of values, its variance as estimated from the means of batches, and how many batches there are.
//
// Batches that are short enough for there to be a few of them are still alike a little, and their spread is then less than that of the
// mean: intervals excluded 0 in 6.5 % of 4,000 comparisons of equal gateways, at 58 windows that are correlated by a half, and in 9 % at
// 0.7. So the variance is multiplied by what that amounts to in a process whose neighbours are correlated as these values are.
func batchMeans(values []float64) (center, variance, batches float64) {
	length := max(int(math.Ceil(2*math.Cbrt(float64(len(values))))), 1)
	count := max(len(values)/length, 3)
	means := make([]float64, count)
	for i := range means {
		means[i] = mean(values[i*len(values)/count : (i+1)*len(values)/count])
	}
	center = mean(means)
	for _, m := range means {
		variance += (m - center) * (m - center)
	}
	n, r := float64(count), correlation(values)
	variance /= (n - 1) * n
	ofMean, ofBatch := varianceOfMean(r, float64(len(values))), varianceOfMean(r, float64(len(values))/n)
	expected := (ofBatch - ofMean) / (n - 1)
	return center, variance * ofMean / expected, n
}

// varianceOfMean is the variance of the mean of n values, in that of one, where values that are k apart are correlated by r to the k.
func varianceOfMean(r, n float64) float64 {
	return ((1+r)/(1-r) - 2*r*(1-math.Pow(r, n))/(n*(1-r)*(1-r))) / n
}

// correlation is that of each value with the next, 0 to 0.95, corrected for its bias in short series (Kendall 1954).
func correlation(values []float64) float64 {
	center := mean(values)
	var squares, products, before float64
	for _, v := range values {
		squares += (v - center) * (v - center)
		products += (v - center) * before // 0 for the first
		before = v - center
	}
	if squares == 0 {
		return 0
	}
	const most = 0.95
	n := float64(len(values))
	return min(max((n*products/squares+1)/(n-3), 0), most)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
