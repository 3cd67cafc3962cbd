package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Schedule is the arrival process of a phase: it says when requests are due. It is a value, and always gives the same
// instants.
type Schedule interface {
	// Arrivals returns a function that gives one instant per call at which a request is due, as a duration since the phase
	// began. Instants never decrease. ok is false when there are no more.
	Arrivals() (next func() (due time.Duration, ok bool))
	// Extent returns the size of the schedule. It returns [ErrInvalid] when a field of the schedule is out of range.
	Extent() (Extent, error)
	// String describes the schedule in a few words.
	fmt.Stringer
}

// Extent is the size of a schedule.
type Extent struct {
	// Requests is how many requests are due. For a random schedule and a closed loop it is an upper bound.
	Requests uint64
	// Rate is the highest rate in requests per second, 0 for a closed loop.
	Rate float64
	// Duration is the time from the beginning to the end of the schedule, with the pause after the last request.
	Duration time.Duration
}

var _ = []Schedule{Constant{}, Steps{}, Ramp{}, Poisson{}, Burst{}, Closed{}}

// Constant sends evenly: the first request at once, the others 1/Rate apart. A rate of 0 is a pause.
type Constant struct {
	Rate float64 // requests/s
	For  time.Duration
}

// Arrivals implements [Schedule].
func (c Constant) Arrivals() func() (time.Duration, bool) {
	return Ramp{c.Rate, c.Rate, c.For}.Arrivals()
}

// Extent implements [Schedule].
func (c Constant) Extent() (Extent, error) { return Ramp{c.Rate, c.Rate, c.For}.Extent() }

func (c Constant) String() string { return fmt.Sprintf("%g/s for %s", c.Rate, c.For) }

// Ramp changes the rate linearly, up or down.
type Ramp struct {
	From, To float64 // requests/s
	For      time.Duration
}

// Arrivals implements [Schedule]. Request n is due when the integral of the rate reaches n:
//
//	From·t + (To-From)/(2·For)·t² = n
//
// It is solved in the form that neither divides by a slope of 0 nor loses digits when the slope is small.
func (r Ramp) Arrivals() func() (time.Duration, bool) {
	seconds := r.For.Seconds()
	slope := (r.To - r.From) / seconds
	total := r.requests()
	n := 0.0
	return func() (time.Duration, bool) {
		if n >= total {
			return 0, false
		}
		t := 0.0
		if n > 0 {
			t = 2 * n / (r.From + math.Sqrt(max(r.From*r.From+2*slope*n, 0)))
		}
		n++
		return min(time.Duration(t*float64(time.Second)), r.For), true
	}
}

// requests returns the number of requests that are due before the end, not at it.
func (r Ramp) requests() float64 {
	area := (r.From + r.To) / 2 * r.For.Seconds()
	// 20/s for 0.15 s are 3 requests, but 3.0000000000000004 in binary. What is this close to a whole number is rounded.
	if whole := math.Round(area); whole >= 1 && math.Abs(area-whole) < 1e-6 {
		return whole
	}
	return math.Ceil(area)
}

// Extent implements [Schedule].
func (r Ramp) Extent() (Extent, error) {
	if err := checkRates(r.For, r.From, r.To); err != nil {
		return Extent{}, err
	}
	return Extent{Requests: uint64(r.requests()), Rate: max(r.From, r.To), Duration: r.For}, nil
}

func (r Ramp) String() string { return fmt.Sprintf("%g/s to %g/s in %s", r.From, r.To, r.For) }

// Steps holds several rates one after the other, each for the same time. A rate of 0 is a pause.
type Steps struct {
	Rates []float64 // requests/s
	Each  time.Duration
}

// Arrivals implements [Schedule].
func (s Steps) Arrivals() func() (time.Duration, bool) {
	step := -1
	next := func() (time.Duration, bool) { return 0, false }
	return func() (time.Duration, bool) {
		for {
			if due, ok := next(); ok {
				return time.Duration(step)*s.Each + due, true
			}
			if step++; step >= len(s.Rates) {
				return 0, false
			}
			next = Constant{s.Rates[step], s.Each}.Arrivals()
		}
	}
}

// Extent implements [Schedule].
func (s Steps) Extent() (Extent, error) {
	if len(s.Rates) == 0 {
		return Extent{}, fmt.Errorf("%w: no steps", ErrInvalid)
	}
	if err := checkRates(s.Each*time.Duration(len(s.Rates)), s.Rates...); err != nil {
		return Extent{}, err
	}
	out := Extent{Rate: slices.Max(s.Rates), Duration: s.Each * time.Duration(len(s.Rates))}
	for _, rate := range s.Rates {
		out.Requests += uint64(Ramp{rate, rate, s.Each}.requests())
	}
	return out, nil
}

func (s Steps) String() string { return fmt.Sprintf("%v/s, %s each", s.Rates, s.Each) }

// Poisson is a Poisson process, as independent callers produce it: exponential gaps with a mean of 1/Rate. The same seed
// gives the same instants.
type Poisson struct {
	Rate float64 // requests/s on average
	For  time.Duration
	Seed uint64
}

// Arrivals implements [Schedule].
func (p Poisson) Arrivals() func() (time.Duration, bool) {
	// Not a secure source: a load test needs to be repeatable.
	random := rand.New(rand.NewPCG(p.Seed, 0))
	bound := p.bound()
	var at float64
	var n uint64
	return func() (time.Duration, bool) {
		if p.Rate <= 0 || n >= bound {
			return 0, false
		}
		at += random.ExpFloat64() / p.Rate
		n++
		due := at * float64(time.Second)
		return time.Duration(due), due < float64(p.For)
	}
}

// bound returns an upper bound of the number of requests: seven standard deviations above the mean.
func (p Poisson) bound() uint64 {
	mean := p.Rate * p.For.Seconds()
	return uint64(math.Ceil(mean + 7*math.Sqrt(mean)))
}

// Extent implements [Schedule].
func (p Poisson) Extent() (Extent, error) {
	if err := checkRates(p.For, p.Rate); err != nil {
		return Extent{}, err
	}
	return Extent{Requests: p.bound(), Rate: p.Rate, Duration: p.For}, nil
}

func (p Poisson) String() string { return fmt.Sprintf("Poisson %g/s for %s", p.Rate, p.For) }

// Burst sends Size requests at once. It does so Times times (0 means once), Every apart.
type Burst struct {
	Size  int
	Times int
	Every time.Duration
}

// Arrivals implements [Schedule].
func (b Burst) Arrivals() func() (time.Duration, bool) {
	n, total := 0, b.Size*b.times()
	return func() (time.Duration, bool) {
		if n >= total {
			return 0, false
		}
		due := time.Duration(n/b.Size) * b.Every
		n++
		return due, true
	}
}

func (b Burst) times() int { return max(b.Times, 1) }

// Extent implements [Schedule]. The rate counts each burst as if it took a second, because a cap on rates is meant to bound
// bursts too.
func (b Burst) Extent() (Extent, error) {
	if b.Size < 1 || b.Times < 0 || b.Every < 0 || b.times() > 1 && b.Every == 0 ||
		float64(b.Size)*float64(b.times()) > maxRequests || float64(b.Every)*float64(b.times()) > float64(maxDuration) {
		return Extent{}, fmt.Errorf("%w: %s", ErrInvalid, b)
	}
	perSecond := float64(b.Size)
	if b.times() > 1 {
		perSecond = max(perSecond, perSecond/b.Every.Seconds())
	}
	return Extent{
		Requests: uint64(b.Size) * uint64(b.times()), //nolint:gosec // both are positive, see above
		Rate:     perSecond, Duration: b.Every * time.Duration(b.times()-1),
	}, nil
}

func (b Burst) String() string {
	if b.times() == 1 {
		return fmt.Sprintf("%d at once", b.Size)
	}
	return fmt.Sprintf("%d at once, %d times, %s apart", b.Size, b.times(), b.Every)
}

// Closed is a closed loop: each connection sends its next request when the last one is answered. It finds the peak
// throughput. Its latencies suffer from coordinated omission, because the gateway sets the pace.
type Closed struct {
	// Requests bounds the requests. With 0, only For does.
	Requests uint64
	For      time.Duration
}

// Arrivals implements [Schedule]: every request is due at once.
func (c Closed) Arrivals() func() (time.Duration, bool) {
	var n uint64
	return func() (time.Duration, bool) {
		n++
		return 0, c.Requests == 0 || n <= c.Requests
	}
}

// Extent implements [Schedule]. Without a bound of its own a closed loop is bounded by the caps of the engine.
func (c Closed) Extent() (Extent, error) {
	if c.For <= 0 || c.For > maxDuration {
		return Extent{}, fmt.Errorf("%w: %s", ErrInvalid, c)
	}
	return Extent{Requests: c.Requests, Duration: c.For}, nil
}

func (c Closed) String() string { return fmt.Sprintf("closed loop for %s", c.For) }

// A schedule beyond these bounds is a mistake, and its arithmetic would overflow.
const (
	maxRequests = 1e12
	maxDuration = 30 * 24 * time.Hour
)

func checkRates(duration time.Duration, rates ...float64) error {
	if duration <= 0 || duration > maxDuration {
		return fmt.Errorf("%w: a schedule of %s, must be more than 0 and at most %s", ErrInvalid, duration, maxDuration)
	}
	for _, rate := range rates {
		if !(rate >= 0) || rate*duration.Seconds() > maxRequests { // !(>=) catches NaN too
			return fmt.Errorf("%w: a rate of %g/s for %s", ErrInvalid, rate, duration)
		}
	}
	return nil
}
