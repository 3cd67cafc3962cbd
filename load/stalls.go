package load

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
)

// Stall is a period in which several requests were slow at once: the gateway, or something behind it, stalled.
type Stall struct {
	// Start is when the first slow request was sent, counted from the start of the phase. Length is the time until the
	// last slow request ended.
	Start, Length time.Duration
	Requests      uint64

	// own says that this machine was late while it lasted: it may be its stall, and not the gateway's.
	own bool
}

// Stalls are the stalls of a phase.
type Stalls struct {
	// All contains the first stalls, at most 2,000. Dropped is the number of the others. Own counts the stalls in which this machine sent a request
	// late: they are not in All, because this machine may have caused them.
	All          []Stall
	Dropped, Own uint64
	// Every is the time from the start of one stall to the start of the next if it is regular, otherwise 0. Intervals is the number of intervals
	// between stalls. Regular is the number of those that are, within a tenth, that long or a small multiple of it.
	Every              time.Duration
	Regular, Intervals int
}

const (
	maxStalls = 2000
	// A request is slow when it takes longer than stallRatio times the usual median, and stallLeast longer than it.
	stallRatio = 4
	stallLeast = 100 * time.Millisecond
	// leastStalled is how many slow requests are a stall. A single one has reasons of its own.
	leastStalled = 2
	// usualOf is how many windows the usual median is taken from. One of them may be stalled for most of its length.
	usualOf = 8
)

// stallFinder finds the stalls of a phase as requests end.
type stallFinder struct {
	usual   []time.Duration // the medians of the last windows
	open    Stall
	found   []Stall
	dropped uint64
	own     uint64
	// share, when not nil, gets the slow requests of a share in place of found: others see the rest of the phase.
	share *shareStalls
}

// shareStalls are the slow requests that one of several generators has seen.
type shareStalls struct {
	// Found are the stalls that several requests show, including those during which this machine was late. Dropped counts the others.
	Found   []Stall
	Dropped uint64
	// Singles are single slow requests. They are kept because a stall may appear as one slow request in each share. SinglesLost means that there were
	// more than could be kept.
	Singles     []Stall
	SinglesLost bool
}

func (s *shareStalls) add(stall Stall) {
	switch {
	case stall.Requests == 0:
	case stall.Requests < leastStalled && len(s.Singles) < maxStalls:
		s.Singles = append(s.Singles, stall)
	case stall.Requests < leastStalled:
		s.SinglesLost = true
	case len(s.Found) < maxStalls:
		s.Found = append(s.Found, stall)
	default:
		s.Dropped++
	}
}

// window is called with the median of each window that ends.
func (f *stallFinder) window(median time.Duration) {
	if f.usual = append(f.usual, median); len(f.usual) > usualOf {
		f.usual = f.usual[1:]
	}
}

// add looks at a request of the gateway that was sent and has ended. late says that this machine sent it late.
func (f *stallFinder) add(sent, end time.Duration, late bool) {
	if len(f.usual) == 0 {
		return
	}
	if late && f.open.Requests > 0 && sent <= f.open.Start+f.open.Length {
		f.open.own = true
	}
	usual := slices.Min(f.usual)
	if took := end - sent; took < stallRatio*usual || took < usual+stallLeast {
		return
	}
	if f.open.Requests > 0 && sent <= f.open.Start+f.open.Length {
		stop := max(f.open.Start+f.open.Length, end)
		f.open.Start = min(f.open.Start, sent)
		f.open.Length = stop - f.open.Start
		f.open.Requests++
		return
	}
	f.close()
	f.open = Stall{Start: sent, Length: end - sent, Requests: 1, own: late}
}

func (f *stallFinder) close() {
	switch {
	case f.share != nil:
		f.share.add(f.open)
	case f.open.Requests < leastStalled:
	case f.open.own:
		f.own++
	case len(f.found) >= maxStalls:
		f.dropped++
	default:
		f.found = append(f.found, f.open)
	}
	f.open = Stall{}
}

// ofShare returns the slow requests of a share.
func (f *stallFinder) ofShare() shareStalls {
	f.close()
	return *f.share
}

// stalls returns what was found so far.
func (f *stallFinder) stalls() Stalls {
	all := slices.Clone(f.found)
	s := Stalls{Dropped: f.dropped, Own: f.own}
	if f.open.Requests >= leastStalled && len(all) < maxStalls && !f.open.own {
		all = append(all, f.open)
	}
	s.All = all
	s.findPeriod()
	return s
}

const (
	// leastIntervals is how many intervals it takes to call stalls regular, periodWidth how far off they may be, relative to the
	// period, and periodShare how many of them have to be that regular.
	leastIntervals = 4
	periodWidth    = 0.1
	periodShare    = 0.8
	// periodMultiple is the longest interval in periods: stalls between two that were seen may have been missed.
	periodMultiple = 3
)

// findPeriod finds the interval at which stalls come. Of the intervals of random stalls an eighth are within a tenth of a
// small multiple of their median, so that four of five are by chance in less than 1 of 100 soaks.
func (s *Stalls) findPeriod() {
	var intervals []float64
	for i, stall := range s.All {
		if i > 0 {
			intervals = append(intervals, (stall.Start - s.All[i-1].Start).Seconds())
		}
	}
	s.Intervals = len(intervals)
	if len(intervals) < leastIntervals {
		return
	}
	period := median(slices.Clone(intervals))
	var regular []float64
	for _, interval := range intervals {
		times := math.Round(interval / period)
		if times >= 1 && times <= periodMultiple && math.Abs(interval-times*period) <= periodWidth*period {
			regular = append(regular, interval/times)
		}
	}
	if len(regular) < leastIntervals || float64(len(regular)) < periodShare*float64(len(intervals)) {
		return
	}
	s.Regular, s.Every = len(regular), time.Duration(median(regular)*float64(time.Second))
}

// String returns the stalls in one line: "24 (one every 5s), median length 480ms, longest 500ms".
func (s Stalls) String() string {
	text := s.text()
	if s.Own > 0 {
		text += fmt.Sprintf("; %d more, which the gateway may not have caused, occurred while this machine itself was behind schedule", s.Own)
	}
	return text
}

func (s Stalls) text() string {
	if len(s.All) == 0 {
		return "none"
	}
	lengths := make([]float64, len(s.All))
	longest := time.Duration(0)
	for i, stall := range s.All {
		lengths[i] = float64(stall.Length)
		longest = max(longest, stall.Length)
	}
	n := uint64(len(s.All)) + s.Dropped
	usually := round(time.Duration(median(lengths)))
	if s.Every > 0 {
		return fmt.Sprintf("%d (one every %s), median length %s, longest %s", n, plain.Duration(round(s.Every)), plain.Duration(usually), plain.Duration(round(longest)))
	}
	return fmt.Sprintf("%d (at irregular intervals), median length %s, longest %s", n, plain.Duration(usually), plain.Duration(round(longest)))
}
