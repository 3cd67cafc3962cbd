package load

import (
	"fmt"
	"runtime"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
)

// GeneratorLimits define how far this machine may fall behind in a phase before the phase is inconclusive. Fields that are zero have their default
// values.
type GeneratorLimits struct {
	// Missed is the maximum share of offered requests that this machine may fail to send. Default 0.01.
	Missed float64
	// Lag is how late a request may be sent. LateShare is the maximum share of requests that are later; two late requests in a phase are always
	// allowed. Defaults 25 ms and 0.01. On two busy cores the 99th percentile of the lag is 1 to 8 ms. Beyond 25 ms, requests arrive in bunches, and
	// the gateway is not to blame for that.
	Lag       time.Duration
	LateShare float64
	// CPU is the maximum share of all cores that this process may use. Default 0.9.
	//
	// CPU and Lag are not checked when the gateway runs in this process: the gateway then competes with the generator for the CPU.
	CPU float64
}

func (l GeneratorLimits) withDefaults() GeneratorLimits {
	setDefault(&l.Missed, 0.01)
	setDefault(&l.Lag, 25*time.Millisecond)
	setDefault(&l.LateShare, 0.01)
	setDefault(&l.CPU, 0.9)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// GeneratorHealth states whether this machine generated the load of a phase as planned. If it did not, the gateway must not be blamed.
type GeneratorHealth struct {
	// Problems are the limits that were exceeded, one sentence each. If there are none, the phase is evidence.
	Problems []string
	// Undersent means that less was sent than planned. It is the only problem that can make a gateway look better than it
	// is: late requests and a busy CPU make it look worse.
	Undersent bool
	// Lag is how late requests were sent, except those that waited for a connection. Late counts those that exceeded
	// [GeneratorLimits.Lag].
	Lag  Histogram
	Late uint64
	// CPU is the share of all cores that this process used, negative when the system does not report it. Cores is the number of cores.
	CPU   float64
	Cores int
}

// OK reports whether no limit was exceeded.
func (h GeneratorHealth) OK() bool { return len(h.Problems) == 0 }

// effort is what a phase demanded of this machine.
type effort struct {
	offered, sent uint64
	// unsent counts the requests that were never sent through no fault of the gateway, localErrors those that failed on
	// this machine.
	unsent, localErrors uint64
	// cpu is the processor time that this process used, negative when unknown. wall is the time that passed.
	cpu, wall time.Duration
	// embedded says that the gateway runs in this process.
	embedded bool
}

const (
	// lateAllowance is how many requests of any phase may be late. In a short phase a single hiccup is more than 1 %.
	lateAllowance = 2
	// maxLocalErrors is the share of requests that may fail on this machine: no descriptors, no ports.
	maxLocalErrors = 0.001
)

// check completes the health of a phase, of which Lag and Late are known.
func (l GeneratorLimits) check(h GeneratorHealth, e effort) GeneratorHealth {
	problemf := func(format string, args ...any) { h.Problems = append(h.Problems, fmt.Sprintf(format, args...)) }
	if float64(e.unsent)/float64(max(e.offered, 1)) > l.Missed {
		h.Undersent = true
		problemf("this machine failed to send %d of %s (the limit is %.3g %%)", e.unsent, plain.Count(e.offered, "request"), l.Missed*100)
	}
	if e.sent > 0 && float64(e.localErrors)/float64(e.sent) > maxLocalErrors {
		h.Undersent = true
		problemf("%d of %s failed because of an error on this machine (the limit is %.3g %%)", e.localErrors, plain.Count(e.sent, "request"), maxLocalErrors*100)
	}
	if own := h.Lag.Count(); h.Late > lateAllowance && float64(h.Late)/float64(own) > l.LateShare && !e.embedded {
		problemf("this machine sent %d of %d requests more than %s late (the limit is %.3g %%)", h.Late, own, l.Lag, l.LateShare*100)
	}
	h.CPU, h.Cores = -1, runtime.GOMAXPROCS(0)
	if e.cpu >= 0 && e.wall > 0 {
		h.CPU = e.cpu.Seconds() / e.wall.Seconds() / float64(h.Cores)
	}
	if h.CPU > l.CPU && !e.embedded {
		problemf("gatecert used %.3g %% of the CPU time of %s (the limit is %.3g %%)", h.CPU*100, plain.Count(h.Cores, "core"), l.CPU*100)
	}
	return h
}
