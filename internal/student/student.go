// Package student provides the quantiles of Student's t distribution that confidence intervals from few values need.
package student

import "math"

// T975 returns the 97.5th percentile of Student's t distribution for at least 2 degrees of freedom: half of a 95 % interval, in standard errors. It
// is accurate to 1 % from four degrees of freedom on.
func T975(freedom float64) float64 { return T(1.959964, freedom) }

// T returns the quantile of Student's t distribution, for at least 2 degrees of freedom, that has the same probability as the quantile z of the normal
// distribution. It uses an expansion (Abramowitz and Stegun 26.7.5) that is accurate to 2 % for z up to 2.6 from four degrees of freedom on.
func T(z, freedom float64) float64 {
	v := max(freedom, 2)
	return z + (z*z*z+z)/(4*v) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*v*v) +
		(3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*z*z*z-15*z)/(384*v*v*v)
}
