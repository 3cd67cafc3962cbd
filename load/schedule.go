package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Schedule says when shots are due. It is a value: it can be asked any number of times and always says the same.
type Schedule interface {
	// Results returns a function that gives the instants at which shots are due, one a call, as durations since the
	// stage began. They never fall. ok is false when there are no more.
	Arrivals() (next func() (due time.Duration, ok bool))
	// Extent is what the schedule comes to. It fails with [ErrInvalid] when the schedule makes no sense.
	Extent() (Extent, error)
	// String describes the schedule for people.
	fmt.Stringer
}

// Extent is what a schedule comes to.
type Extent struct {
	// Requests is how many shots are due; for a random schedule and a closed loop, at most.
	Requests uint64
	// Rate is the highest number of shots a second that is asked for; 0 for a closed loop.
	Rate float64
	// Length is the time from the beginning to the end of the schedule, the pause after the last shot included.
	Duration time.Duration
}

var _ = []Schedule{Constant{}, Steps{}, Ramp{}, Poisson{}, Burst{}, Closed{}}

// Constant sends evenly: the first shot at once, the others 1/Rate apart. A rate of 0 is a pause.
type Constant struct {
	Rate float64 // shots a second
	For  time.Duration
}

// Results implements [Schedule].
func (c Constant) Arrivals() func() (time.Duration, bool) { return Ramp{c.Rate, c.Rate, c.For}.Arrivals() }

// Extent implements [Schedule].
func (c Constant) Extent() (Extent, error) { return Ramp{c.Rate, c.Rate, c.For}.Extent() }

func (c Constant) String() string { return fmt.Sprintf("%g/s for %s", c.Rate, c.For) }

// Ramp changes the rate evenly from one to another, in either direction.
type Ramp struct {
	From, To float64 // shots a second
	For      time.Duration
}

// Results implements [Schedule]. Shot n is due when the integral of the rate reaches n:
//
//	From·t + (To-From)/(2·For)·t² = n
//
// solved in the form that neither divides by a slope of 0 nor loses digits when it is small.
func (r Ramp) Arrivals() func() (time.Duration, bool) {
	lasts := r.For.Seconds()
	slope := (r.To - r.From) / lasts
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

// requests is the number of shots that are due before the end, not at it.
func (r Ramp) requests() float64 {
	area := (r.From + r.To) / 2 * r.For.Seconds()
	// 20/s for 0.15 s is 3 shots, and 3.0000000000000004 in binary: what is that near to a whole number is one.
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

// Steps holds one rate after the other, each for the same time. A rate of 0 is a pause.
type Steps struct {
	Rates []float64 // shots a second
	Each  time.Duration
}

// Results implements [Schedule].
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

// Poisson sends as independent callers do: exponential gaps around 1/Rate. The same seed gives the same instants.
type Poisson struct {
	Rate float64 // shots a second, on average
	For  time.Duration
	Seed uint64
}

// Results implements [Schedule].
func (p Poisson) Arrivals() func() (time.Duration, bool) {
	// A load test wants the same numbers again, not unpredictable ones.
	random := rand.New(rand.NewPCG(p.Seed, 0))
	most := p.most()
	var at float64
	var n uint64
	return func() (time.Duration, bool) {
		if p.Rate <= 0 || n >= most {
			return 0, false
		}
		at += random.ExpFloat64() / p.Rate
		n++
		due := at * float64(time.Second)
		return time.Duration(due), due < float64(p.For)
	}
}

// most bounds the number of shots: seven standard deviations above the mean, which chance does not reach.
func (p Poisson) most() uint64 {
	mean := p.Rate * p.For.Seconds()
	return uint64(math.Ceil(mean + 7*math.Sqrt(mean)))
}

// Extent implements [Schedule].
func (p Poisson) Extent() (Extent, error) {
	if err := checkRates(p.For, p.Rate); err != nil {
		return Extent{}, err
	}
	return Extent{Requests: p.most(), Rate: p.Rate, Duration: p.For}, nil
}

func (p Poisson) String() string { return fmt.Sprintf("%g/s at random for %s", p.Rate, p.For) }

// Burst sends Size shots at once, Times times, Every apart. Times 0 is once.
type Burst struct {
	Size  int
	Times int
	Every time.Duration
}

// Results implements [Schedule].
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

// Extent implements [Schedule]. The rate of a burst counts each burst as one second's: that is what a cap on rates is for.
func (b Burst) Extent() (Extent, error) {
	if b.Size < 1 || b.Times < 0 || b.Every < 0 || b.times() > 1 && b.Every == 0 ||
		float64(b.Size)*float64(b.times()) > maxRequests || float64(b.Every)*float64(b.times()) > float64(maxLasts) {
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

// Closed is a closed loop: whenever a connection is free, the next shot goes out. It finds the peak throughput. Its
// latencies are those of a gateway that sets the pace, not of callers who come when they like.
type Closed struct {
	// Requests bounds the shots; 0 means that only For does.
	Requests uint64
	For      time.Duration
}

// Results implements [Schedule]: every shot is due at once.
func (c Closed) Arrivals() func() (time.Duration, bool) {
	var n uint64
	return func() (time.Duration, bool) {
		n++
		return 0, c.Requests == 0 || n <= c.Requests
	}
}

// Extent implements [Schedule]. Without a bound of its own a closed loop comes to whatever the caps leave.
func (c Closed) Extent() (Extent, error) {
	if c.For <= 0 || c.For > maxLasts {
		return Extent{}, fmt.Errorf("%w: %s", ErrInvalid, c)
	}
	return Extent{Requests: c.Requests, Duration: c.For}, nil
}

func (c Closed) String() string { return fmt.Sprintf("as fast as it goes for %s", c.For) }

// Beyond these a schedule is a mistake, and its arithmetic would overflow.
const (
	maxRequests = 1e12
	maxLasts    = 30 * 24 * time.Hour
)

func checkRates(lasts time.Duration, rates ...float64) error {
	if lasts <= 0 || lasts > maxLasts {
		return fmt.Errorf("%w: a schedule of %s", ErrInvalid, lasts)
	}
	for _, rate := range rates {
		if !(rate >= 0) || rate*lasts.Seconds() > maxRequests { // !(>=) catches NaN too
			return fmt.Errorf("%w: %g shots a second for %s", ErrInvalid, rate, lasts)
		}
	}
	return nil
}
