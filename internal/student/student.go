// Package student provides the quantile of Student's t distribution that confidence intervals from few values need.
package student

import "math"

// T975 returns the 97.5th percentile of Student's t distribution for at least 2 degrees of freedom: half of a 95 % interval, in standard errors. It
// uses an expansion (Abramowitz and Stegun 26.7.5) that is accurate to 1 % from four degrees of freedom on.
func T975(freedom float64) float64 {
	const z = 1.959964
	v := max(freedom, 2)
	return z + (z*z*z+z)/(4*v) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*v*v) +
		(3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*z*z*z-15*z)/(384*v*v*v)
}
