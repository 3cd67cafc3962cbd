package load

import (
	"fmt"
	"math"
	"time"
)

// requests returns the number of requests that are due before the end of a phase, not at it.
func (p Phase) requests() uint64 {
	n := p.Rate * p.For.Seconds()
	// 20/s for 0.15 s are 3 requests, but 3.0000000000000004 in binary. What is this close to a whole number is rounded.
	if whole := math.Round(n); whole >= 1 && math.Abs(n-whole) < 1e-6 {
		return uint64(whole)
	}
	return uint64(math.Ceil(n))
}

// due returns when request n is due, counted from 0.
func (p Phase) due(n uint64) time.Duration {
	return min(time.Duration(float64(n)/p.Rate*float64(time.Second)), p.For)
}

// A phase beyond these bounds is a mistake, and its arithmetic would overflow.
const (
	maxRequests = 1e12
	maxDuration = 30 * 24 * time.Hour
)

// checkSchedule returns [ErrInvalid] when the rate or the length of a phase is out of range.
func (p Phase) checkSchedule() error {
	if p.For <= 0 || p.For > maxDuration {
		return fmt.Errorf("%w: a schedule of %s, must be more than 0 and at most %s", ErrInvalid, p.For, maxDuration)
	}
	if !(p.Rate > 0) || p.Rate*p.For.Seconds() > maxRequests { // !(>) catches NaN too
		return fmt.Errorf("%w: a rate of %g/s for %s", ErrInvalid, p.Rate, p.For)
	}
	return nil
}
