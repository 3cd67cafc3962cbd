package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
)

// Experiment is one step of an inference.
type Experiment struct {
	// Name is drain, refill, boundary, credit or hold. If the scope is inferred, Name is source or key.
	Name string
	// Sentence describes the experiment and its conclusion.
	Sentence string
	Calls    int
	// Began is when the experiment began, and Took is how long it lasted, including its waits.
	Began time.Time
	Took  time.Duration
	// Answers are the results of the experiment's calls, in the order in which they were recorded.
	Answers []Answer
}

// experiment runs and records one experiment; run returns its sentence.
func (i *inference) experiment(ctx context.Context, name string, run func(context.Context) (string, error)) error {
	began, before := time.Now(), len(i.calls)
	sentence, err := run(ctx)
	if err != nil {
		sentence = "not finished: " + err.Error()
	}
	calls := i.calls[before:]
	i.experiments = append(i.experiments, i.budget.finished(Experiment{name, sentence, len(calls), began, time.Since(began), answersOf(calls)}))
	return err
}

func (i *inference) sentences() []string {
	var sentences []string
	for _, e := range i.experiments {
		sentences = append(sentences, e.Name+": "+e.Sentence)
	}
	return sentences
}

// capacityResult is what came of an experiment on an idle limiter.
type capacityResult struct {
	admitted int
	// took is how long the calls took that count as admitted at once. What was refilled meanwhile is not part of the limit.
	took     time.Duration
	sentence string
}

// boundary drains half of the limit, and after half a window the other half and whatever else is admitted. When the first half
// has left a sliding window and the second has not, it drains once more. A clock-aligned window has had its boundary in between
// and admits its whole limit, a sliding log only the first half.
func (r *recorder) boundary(ctx context.Context, m LimiterModel) (capacityResult, error) {
	start, window := time.Now(), m.Window
	first, err := r.drain(ctx, 0, (m.Limit+1)/2)
	if err != nil {
		return capacityResult{}, err
	}
	if err := r.waitUntil(ctx, start.Add(window/2)); err != nil {
		return capacityResult{}, err
	}
	second, err := r.drain(ctx, 0, m.Limit)
	if err != nil {
		return capacityResult{}, err
	}
	if err := r.waitUntil(ctx, start.Add(window+window/5)); err != nil {
		return capacityResult{}, err
	}
	third, err := r.drain(ctx, 0, 2*m.Limit)
	if err != nil {
		return capacityResult{}, err
	}
	if _, err := r.pollRefill(ctx, m.Limit, start.Add(window+window*4/5)); err != nil {
		return capacityResult{}, err
	}
	return capacityResult{admitted: first.admitted + second.admitted, sentence: fmt.Sprintf(
		"after a pause, gatecert used half of the limit of %s inferred so far (%s admitted); half a window after the first call, %s admitted; 1.2 windows after the first call, %s admitted",
		plain.Count(m.Limit, "call"), plain.Were(first.admitted, "call"), plain.Were(second.admitted, "more call"), plain.Were(third.admitted, "more call"))}, nil
}

// credit drains an idle limiter, one call at a time where calls are quick enough, and polls it for half as much again. A token
// bucket admits further calls at once, a sliding counter at its boundary.
func (r *recorder) credit(ctx context.Context, m LimiterModel) (capacityResult, error) {
	began, oneByOne := time.Now(), 4*m.Limit
	if r.recentLatency()*time.Duration(m.Limit) > m.Window/4 {
		oneByOne = 0 // too much would be refilled meanwhile
	}
	drained, err := r.drain(ctx, oneByOne, 8*m.Limit)
	took := time.Since(began)
	if err != nil {
		return capacityResult{}, err
	}
	rate, err := r.pollRefill(ctx, m.Limit/2+2, time.Now().Add(2*m.Window))
	if err != nil {
		return capacityResult{}, err
	}
	sentence := fmt.Sprintf("after a pause, the gateway admitted %s", plain.Count(drained.admitted, "call"))
	if drained.refused {
		sentence += " before it refused one"
	}
	if rate.first > 0 {
		sentence += fmt.Sprintf("; the next call was admitted %s later", round(rate.first))
	} else {
		sentence += fmt.Sprintf("; no other call was admitted in the following %s", round(2*m.Window))
	}
	return capacityResult{drained.admitted, took, sentence}, nil
}

// recentLatency is the mean time to first byte of the last 20 calls.
func (r *recorder) recentLatency() time.Duration {
	latest := r.calls[max(len(r.calls)-20, 0):]
	var sum time.Duration
	for _, c := range latest {
		sum += c.timeToFirstByte()
	}
	return sum / time.Duration(max(len(latest), 1))
}
