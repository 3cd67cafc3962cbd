package measured

import (
	"math"
)

// axis maps values to places of a chart: evenly from 0, or logarithmically.
type axis struct {
	log      bool
	low, top float64
	from, to float64 // places
}

// newAxis returns an axis on which all values have a place. A logarithmic one leaves out what is not positive.
func newAxis(log bool, from, to float64, values ...float64) axis {
	a := axis{log: log, from: from, to: to}
	a.low, a.top = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) || log && v <= 0 {
			continue
		}
		a.low, a.top = min(a.low, v), max(a.top, v)
	}
	switch {
	case a.top < a.low: // no value
		a.low, a.top = 1, 10
	case log:
		a.low, a.top = a.low/1.15, a.top*1.15
		if a.top/a.low < 2 {
			a.low, a.top = a.low/1.5, a.top*1.5
		}
	default:
		a.low = min(a.low, 0)
		if a.top <= a.low {
			a.top = a.low + 1
		}
	}
	return a
}

// at is the place of a value, within the chart.
func (a axis) at(v float64) float64 {
	share := 0.0
	switch {
	case a.log && v <= 0:
	case a.log:
		share = math.Log(v/a.low) / math.Log(a.top/a.low)
	default:
		share = (v - a.low) / (a.top - a.low)
	}
	if math.IsNaN(share) {
		share = 0
	}
	return a.from + (a.to-a.from)*min(1, max(0, share))
}

// ticks are round values on the axis, about so many.
func (a axis) ticks(most int) []float64 {
	if !a.log {
		return a.evenTicks(most)
	}
	for _, digits := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		var list []float64
		for power := math.Floor(math.Log10(a.low)); power <= math.Ceil(math.Log10(a.top)); power++ {
			for _, d := range digits {
				if v := d * math.Pow(10, power); v >= a.low && v <= a.top {
					list = append(list, v)
				}
			}
		}
		if len(list) > 1 && len(list) <= most {
			return list
		}
	}
	if a.top/a.low < 10 {
		return a.evenTicks(most)
	}
	var list []float64
	decades := math.Ceil(math.Log10(a.top / a.low))
	step := math.Ceil(decades / float64(most))
	for power := math.Ceil(math.Log10(a.low)); math.Pow(10, power) <= a.top; power += step {
		list = append(list, math.Pow(10, power))
	}
	return list
}

func (a axis) evenTicks(most int) []float64 {
	step := (a.top - a.low) / float64(most)
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, d := range []float64{1, 2, 5, 10} {
		if step <= d*power {
			step = d * power
			break
		}
	}
	var list []float64
	for n := math.Ceil(a.low / step); n*step <= a.top*(1+1e-9) && len(list) < 50; n++ {
		list = append(list, n*step)
	}
	return list
}
