package load

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Arrivals is the process by which requests become due. The zero value is constant: all gaps are equal.
//
// A random process sends a fixed number of requests: as many as a constant rate would send in the same time. Plans are therefore exact, and a probe
// never offers a higher rate than its name states. Only the gaps between the requests are random.
type Arrivals struct {
	// cv is the coefficient of variation of the gaps: 0 for constant, 1 for Poisson.
	cv float64
	// trace are recorded gaps with a mean of 1, nil when there are none.
	trace []float64
	name  string
}

// Limits for the coefficient of variation. Below the minimum, arrivals cannot be distinguished from constant ones; above the maximum, a phase is a
// single burst.
const (
	minCV = 0.05
	maxCV = 10
)

// PoissonArrivals returns the arrivals of many independent callers: the time of one call does not influence
// the time of the next.
func PoissonArrivals() Arrivals { return Arrivals{cv: 1, name: "poisson"} }

// GammaArrivals returns arrivals whose gaps follow a gamma distribution with the coefficient of variation cv, 0.05 to 10.
// Below 1, the gaps are more even than those of Poisson arrivals; above 1, requests come in bursts. It returns
// [ErrInvalid].
func GammaArrivals(cv float64) (Arrivals, error) {
	if !(cv >= minCV) || cv > maxCV {
		return Arrivals{}, fmt.Errorf("%w: arrivals gamma:%g: the coefficient of variation must be between %g and %d", ErrInvalid, cv, minCV, maxCV)
	}
	return Arrivals{cv: cv, name: "gamma:" + strconv.FormatFloat(cv, 'g', -1, 64)}, nil
}

// ParseArrivals reads "constant", "poisson" or "gamma:CV". It returns [ErrInvalid]. [ReadTrace] reads a trace.
func ParseArrivals(text string) (Arrivals, error) {
	switch kind, cv, _ := strings.Cut(text, ":"); {
	case text == "constant":
		return Arrivals{}, nil
	case text == "poisson":
		return PoissonArrivals(), nil
	case kind == "gamma":
		value, err := strconv.ParseFloat(cv, 64)
		if err != nil {
			return Arrivals{}, fmt.Errorf("%w: arrivals %q: must be gamma:CV, where CV is a number, such as gamma:2", ErrInvalid, text)
		}
		return GammaArrivals(value)
	}
	return Arrivals{}, fmt.Errorf("%w: arrivals %q: must be constant, poisson, gamma:CV or trace:FILE", ErrInvalid, text)
}

// String returns the name of the process.
func (a Arrivals) String() string {
	if a.name == "" {
		return "constant"
	}
	return a.name
}

// constant reports whether all gaps are equal.
func (a Arrivals) constant() bool { return a.cv == 0 && a.trace == nil }

// arrivalsJSON is a process as it is sent to another machine.
type arrivalsJSON struct {
	CV    float64   `json:"cv,omitempty"`
	Trace []float64 `json:"trace,omitempty"`
	Name  string    `json:"name,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (a Arrivals) MarshalJSON() ([]byte, error) {
	return json.Marshal(arrivalsJSON{a.cv, a.trace, a.name})
}

// UnmarshalJSON implements json.Unmarshaler. It returns [ErrInvalid] for a process that no function of this package can return.
func (a *Arrivals) UnmarshalJSON(data []byte) error {
	var read arrivalsJSON
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("%w: arrivals: %w", ErrInvalid, err)
	}
	sum := 0.0
	for _, gap := range read.Trace {
		if !(gap >= 0) || gap > maxTrace {
			return fmt.Errorf("%w: the recorded arrivals contain an invalid gap: %g", ErrInvalid, gap)
		}
		sum += gap
	}
	switch {
	case read.CV != 0 && (!(read.CV >= minCV) || read.CV > maxCV), len(read.Trace) > maxTrace, read.Trace != nil && sum <= 0:
		return fmt.Errorf("%w: arrivals: either the coefficient of variation (%g) is out of range, or the trace (%d gaps) is too long, empty or all zeros", ErrInvalid, read.CV, len(read.Trace))
	}
	*a = Arrivals{cv: read.CV, trace: read.Trace, name: read.Name}
	return nil
}

// schedule yields the instants at which the requests of a phase are due, one after the other.
type schedule struct {
	phase    Phase
	requests uint64
	random   *rand.Rand
	// next is the number of the next request, at its instant in operational time, in which one request is due in each unit.
	next uint64
	at   float64
	// behind is how much work a server of exactly the phase's rate would have left when the next request comes, in requests.
	behind float64
	// scale makes the recorded gaps of a trace end with the phase.
	scale float64
}

// newSchedule returns the schedule of a phase. The same seed gives the same schedule.
func newSchedule(p Phase) *schedule {
	s := &schedule{phase: p, requests: p.requests(), random: rand.New(rand.NewPCG(p.Seed, 0x6a17c0de))}
	switch {
	case p.Arrivals.trace != nil:
		sum := 0.0
		for n := range s.requests {
			sum += s.recorded(n)
		}
		s.scale = float64(s.requests) / sum
	case !p.Arrivals.constant():
		s.at = s.gap() // a phase begins between two arrivals, not at one
	}
	return s
}

// due returns when the next request is due, and how long a server that handles exactly the rate of the phase, one request
// after the other, would let it wait. That wait is the arrivals' own doing: it is 0 where they are constant.
func (s *schedule) due() (at, bunching time.Duration) {
	now := s.at
	bunching = time.Duration(s.behind / s.phase.Rate * float64(time.Second))
	s.next++
	gap := s.gap()
	s.at += gap
	s.behind = max(0, s.behind+1-gap)
	if s.phase.Arrivals.constant() {
		now, bunching = float64(s.next-1), 0 // sums of ones are exact, but gaps need not be
	}
	return min(s.phase.instant(now), s.phase.For), bunching
}

// gap returns the gap before the next request, in operational time.
func (s *schedule) gap() float64 {
	a := s.phase.Arrivals
	switch {
	case a.trace != nil:
		return s.scale * s.recorded(s.next)
	case a.constant():
		return 1
	}
	// What is left of the phase is broken like a stick: the gaps of a renewal process with gamma gaps, given their sum, are
	// Dirichlet distributed. With a shape of 1 that is a Poisson process given its count.
	left := float64(s.requests) - s.at
	gapsLeft := float64(s.requests) - float64(s.next) // after this one; the last is behind the last request
	if gapsLeft <= 0 || left <= 0 {
		return max(left, 0)
	}
	shape := 1 / (a.cv * a.cv)
	x := gamma(s.random, shape)
	y := gamma(s.random, shape*gapsLeft)
	if x+y == 0 {
		return 0
	}
	return left * x / (x + y)
}

// recorded returns a gap of the trace, which begins at another place for each seed and is repeated.
func (s *schedule) recorded(n uint64) float64 {
	trace := s.phase.Arrivals.trace
	return trace[(n+s.phase.Seed*104_729)%uint64(len(trace))]
}

// gamma draws from a gamma distribution with a scale of 1 (Marsaglia and Tsang, 2000).
func gamma(random *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(random, shape+1) * math.Pow(random.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
