// Package distribution parses distributions of durations and counts from a command line, and samples them.
//
//	200ms                  always the same
//	uniform:100ms-300ms    anything between, evenly
//	normal:200ms:20ms      mean and standard deviation
//	lognormal:200ms:0.5    median, and the standard deviation of the logarithm: 0.5 when left out
//	exp:200ms              mean
//
// Counts are written without a unit: normal:256:64.
package distribution

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// ErrSyntax is returned for a text that is not a distribution. The error describes the mistake.
var ErrSyntax = errors.New("invalid distribution")

// Distribution is a distribution of durations in nanoseconds, or of counts. The zero value always returns 0.
type Distribution struct {
	kind string
	a, b float64
	text string
}

// The kinds.
const (
	constant  = ""
	uniform   = "uniform"
	normal    = "normal"
	lognormal = "lognormal"
	exponent  = "exp"
)

const (
	// defaultSigma is the standard deviation of the logarithm: the 99th percentile is then 3.2 times the median.
	defaultSigma = 0.5
	maxSigma     = 3
)

// ParseDuration parses a distribution of durations, each more than 0 and at most most.
func ParseDuration(text string, most time.Duration) (Distribution, error) {
	return parse(text, float64(most), most.String(), "a duration such as 200ms", func(value string) (float64, error) {
		d, err := time.ParseDuration(value)
		return float64(d), err
	})
}

// ParseCount parses a distribution of counts, each from 1 to most.
func ParseCount(text string, most int) (Distribution, error) {
	return parse(text, float64(most), strconv.Itoa(most), "a whole number such as 512", func(value string) (float64, error) {
		n, err := strconv.Atoi(value)
		return float64(n), err
	})
}

// parse reads a distribution. What says what a value is: "a duration such as 200ms". Limit is most as people write it.
func parse(text string, most float64, limit, what string, number func(string) (float64, error)) (Distribution, error) {
	bad := func(why string) (Distribution, error) {
		return Distribution{}, fmt.Errorf("%w: %.60q: %s", ErrSyntax, text, why)
	}
	read := func(value string) (float64, string) {
		v, err := number(value)
		switch {
		case err != nil:
			return 0, fmt.Sprintf("%.40q is not %s", value, what)
		case !(v > 0) || v > most:
			return 0, fmt.Sprintf("%.40q must be greater than 0 and at most %s", value, limit)
		}
		return v, ""
	}
	kind, rest, named := strings.Cut(text, ":")
	if !named {
		kind, rest = constant, text
	}
	d := Distribution{kind: kind, text: text}
	first, second, two := strings.Cut(rest, ":")
	if kind == uniform {
		first, second, two = strings.Cut(rest, "-")
	}
	var why string
	if d.a, why = read(first); why != "" {
		return bad(why)
	}
	switch kind {
	case constant, exponent:
		if two {
			return bad(kind + " requires one value")
		}
	case uniform, normal:
		if !two {
			return bad(kind + " requires two values")
		}
		if d.b, why = read(second); why != "" {
			return bad(why)
		}
		if kind == uniform && d.b < d.a {
			return bad("the first value must not be greater than the second")
		}
	case lognormal:
		d.b = defaultSigma
		if two {
			sigma, err := strconv.ParseFloat(second, 64)
			if err != nil || !(sigma > 0) || sigma > maxSigma {
				return bad(fmt.Sprintf("SIGMA, the standard deviation of the logarithm, must be greater than 0 and at most %d", maxSigma))
			}
			d.b = sigma
		}
	default:
		return bad("must be " + what + ", or one of uniform:A-B, normal:MEAN:SPREAD, lognormal:MEDIAN:SIGMA and exp:MEAN")
	}
	return d, nil
}

// Sample returns a random value of at least 0. It caps rare values at twenty times the median (lognormal) or the mean (exp), because a real model would
// not produce them either.
func (d Distribution) Sample(random *rand.Rand) float64 {
	switch d.kind {
	case uniform:
		return d.a + random.Float64()*(d.b-d.a)
	case normal:
		return max(0, d.a+d.b*random.NormFloat64())
	case lognormal:
		return min(d.a*math.Exp(d.b*random.NormFloat64()), 20*d.a)
	case exponent:
		return min(d.a*random.ExpFloat64(), 20*d.a)
	default:
		return d.a
	}
}

// Duration samples a distribution of durations.
func (d Distribution) Duration(random *rand.Rand) time.Duration {
	return time.Duration(d.Sample(random))
}

// Count samples a distribution of counts. The result is at least 1.
func (d Distribution) Count(random *rand.Rand) int { return max(1, int(math.Round(d.Sample(random)))) }

// Most returns a value that hardly any sample exceeds: the longest value, or the value at four standard deviations.
func (d Distribution) Most() float64 {
	switch d.kind {
	case uniform:
		return d.b
	case normal:
		return d.a + 4*d.b
	case lognormal:
		return min(d.a*math.Exp(4*d.b), 20*d.a)
	case exponent:
		return 10 * d.a
	default:
		return d.a
	}
}

// Mean returns the mean of a distribution, accurate enough for planning.
func (d Distribution) Mean() float64 {
	switch d.kind {
	case uniform:
		return (d.a + d.b) / 2
	case lognormal:
		return d.a * math.Exp(d.b*d.b/2)
	default:
		return d.a
	}
}

// IsZero reports whether there is no distribution.
func (d Distribution) IsZero() bool { return d == Distribution{} }

// String returns the distribution in the form in which it was written.
func (d Distribution) String() string { return d.text }
