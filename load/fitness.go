package load

import (
	"fmt"
	"runtime"
	"time"
)

// Generator say up to where this machine counts as fit. The zero value takes the defaults.
type GeneratorLimits struct {
	// Missed is the share of the offered shots that may be missing through our own fault. Default 0.01.
	Missed float64
	// Lag is how late a shot may be, and LateShare the share of all that may be later; two shots always may. Default
	// 25 ms and 0.01: on two busy cores the 99th percentile is 1 to 8 ms, and a gateway cannot be blamed for bunches of
	// a fortieth of a second.
	Lag       time.Duration
	LateShare float64
	// CPU is the share of all cores that this process may use in an open loop. Default 0.9.
	//
	// Neither CPU nor Lag is held against a stage whose gateway runs in this very process: it competes with us.
	CPU float64
	// LocalErrors is the share of shots that may fail on this machine: no descriptors, no ports. Default 0.001.
	LocalErrors float64
}

func (b GeneratorLimits) withDefaults() GeneratorLimits {
	setDefault(&b.Missed, 0.01)
	setDefault(&b.Lag, 25*time.Millisecond)
	setDefault(&b.LateShare, 0.01)
	setDefault(&b.CPU, 0.9)
	setDefault(&b.LocalErrors, 0.001)
	return b
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// GeneratorHealth says whether this machine did its part of a stage: a harness that cannot keep its own pace must not blame
// the gateway for it.
type GeneratorHealth struct {
	// Problems say in what it was not fit, one sentence each. None: it was fit.
	Problems []string
	// Undersent says that less was sent than was asked for. It is the one thing that can make a gateway look better than it
	// is: whatever else is wrong with us - late shots in bunches, a busy processor - makes it look worse.
	Undersent bool
	// Achieved is the share of the offered shots that were sent, those left out that waited for the gateway.
	Achieved float64
	// LagP99 is the 99th percentile of our own lag.
	LagP99 time.Duration
	// CPU is the share of all cores that this process used, negative when it cannot be read here.
	CPU float64
	// Cores is the number of cores that the share counts.
	Cores int
}

// OK reports whether nothing speaks against the measurement.
func (f GeneratorHealth) OK() bool { return len(f.Problems) == 0 }

// effort is what a stage cost this machine and what it left undone.
type effort struct {
	offered, sent, waited, late, client uint64
	// lost counts the shots that were never sent, for no fault of the gateway.
	lost uint64
	lag  Histogram
	// cpu and wall are the time this process computed and the time that passed.
	cpu, wall time.Duration
	// closed says that no rate was asked for, embedded that the gateway runs in this process.
	closed, embedded bool
}

// lateAlways is how many shots may be late in any stage: of a short one, a single hiccup is more than a hundredth.
const lateAlways = 2

func (b GeneratorLimits) judge(e effort) GeneratorHealth {
	f := GeneratorHealth{LagP99: e.lag.Quantile(0.99), CPU: -1, Cores: runtime.GOMAXPROCS(0)}
	unfit := func(format string, args ...any) { f.Problems = append(f.Problems, fmt.Sprintf(format, args...)) }
	missed := float64(e.lost) / float64(max(e.offered, 1))
	f.Achieved = 1 - missed
	if missed > b.Missed {
		f.Undersent = true
		unfit("%d of %d shots were not sent in time for reasons of this machine", e.lost, e.offered)
	}
	if e.sent > 0 && float64(e.client)/float64(e.sent) > b.LocalErrors {
		f.Undersent = true
		unfit("%d of %d shots failed on this machine", e.client, e.sent)
	}
	if own := e.lag.Count(); e.late > lateAlways && float64(e.late)/float64(own) > b.LateShare && !e.embedded {
		unfit("%d of %d shots were sent more than %s late", e.late, own, b.Lag)
	}
	if e.cpu >= 0 && e.wall > 0 {
		f.CPU = e.cpu.Seconds() / e.wall.Seconds() / float64(f.Cores)
	}
	if f.CPU > b.CPU && !e.closed && !e.embedded {
		unfit("this process used %.0f %% of %d cores", f.CPU*100, f.Cores)
	}
	return f
}
