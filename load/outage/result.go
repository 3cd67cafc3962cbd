package outage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// kind is what a request is sent for.
type kind int

const (
	healthy kind = iota
	faulty
	disconnecting
	direct
)

// result is one request of a round and what came of it.
type result struct {
	load.Result

	// name is that of its kind of request.
	name string
	kind kind
	// hangs says that only the gateway's time limit could end it.
	hangs bool
	// phaseStart is when its phase began, since the verification began. The result's own instants count from there.
	phaseStart time.Duration
	// maxLag is the generator's longest lag in its phase: anything else may be late by as much.
	maxLag time.Duration
	// seen is what the upstream saw of a faulty or disconnecting request; nil when the upstream cannot be asked.
	seen *contract.Seen
}

// latency is how long the client waited. The wait for a connection counts only where all were in use, which is the gateway's
// doing.
func (r result) latency() time.Duration {
	if r.Waited {
		return r.Latency()
	}
	return r.ServiceTime()
}

// ended is when the request was over, since the verification began.
func (r result) ended() time.Duration { return r.phaseStart + r.End }

// reachedUpstream reports whether the request got to the upstream; true where the upstream cannot be asked.
func (r result) reachedUpstream() bool { return r.seen == nil || len(r.seen.Attempts) > 0 }

// longestCall is the duration of the longest upstream call of the request.
func (r result) longestCall() (longest time.Duration) {
	for _, a := range r.seen.Attempts {
		longest = max(longest, a.Duration)
	}
	return longest
}

// results are requests of one round in the order in which they ended.
type results []result

// where returns the requests for which keep is true.
func (all results) where(keep func(result) bool) results {
	return slices.DeleteFunc(slices.Clone(all), func(r result) bool { return !keep(r) })
}

// failures are the requests that the gateway did not serve.
func (all results) failures() results {
	return all.where(func(r result) bool { return r.Outcome.Failed() })
}

// latencies are those of the requests that succeeded.
func (all results) latencies() (l load.Histogram) {
	for _, r := range all {
		if r.Outcome == runlog.Admitted {
			l.Add(r.latency())
		}
	}
	return l
}

// outcomes counts the requests by outcome, the most frequent first: "7 with 503 (error-5xx), 1 without a response (timeout)".
func (all results) outcomes() string {
	counts := map[string]int{}
	for _, r := range all {
		switch {
		case r.Status == 0:
			counts[fmt.Sprintf("without a response (%s)", r.Outcome)]++
		case r.Status/100 == 2 && r.Outcome == runlog.Error5xx:
			counts[fmt.Sprintf("with an error inside a stream that had begun (%d)", r.Status)]++
		default:
			counts[fmt.Sprintf("with %d (%s)", r.Status, r.Outcome)]++
		}
	}
	texts := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, text := range texts {
		texts[i] = fmt.Sprintf("%d %s", counts[text], text)
	}
	return strings.Join(texts, ", ")
}
