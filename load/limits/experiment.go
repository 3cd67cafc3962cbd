package limits

import (
	"context"
	"fmt"
	"time"
)

// Experiment is one step of an inference, for reports.
type Experiment struct {
	// Name is drain, refill, boundary, credit or hold.
	Name string `json:"name"`
	// Sentence says what was done and what came of it.
	Sentence string        `json:"sentence"`
	Calls    int           `json:"calls"`
	Admitted int           `json:"admitted"`
	Refused  int           `json:"refused"`
	Took     time.Duration `json:"took_ns"`
}

// experiment runs one step; run returns what came of it, as a sentence.
func (i *inference) experiment(ctx context.Context, name string, run func(context.Context) (string, error)) error {
	began, before := time.Now(), len(i.calls)
	sentence, err := run(ctx)
	calls := i.calls[before:]
	if err != nil {
		sentence = "was not finished: " + err.Error()
	}
	i.experiments = append(i.experiments, Experiment{
		Name: name, Sentence: sentence, Calls: len(calls),
		Admitted: count(calls, Admitted), Refused: count(calls, Refused), Took: time.Since(began),
	})
	return err
}

// boundary is made on a rested limiter: half of the limit, half a window's pause, the other half and more; then, after
// the first half has left a sliding window and the second has not, everything again. A window of the clock has had its
// boundary in between and admits all of its limit, a sliding log only the first half.
func (s *session) boundary(ctx context.Context, limit int, window time.Duration) (admitted int, drained time.Duration, sentence string, err error) {
	start, half := time.Now(), (limit+1)/2
	first, _, err := s.drain(ctx, 0, half)
	if err != nil {
		return 0, 0, "", err
	}
	if err := s.rest(ctx, start.Add(window/2)); err != nil {
		return 0, 0, "", err
	}
	second, _, err := s.drain(ctx, 0, limit)
	if err != nil {
		return 0, 0, "", err
	}
	if err := s.rest(ctx, start.Add(window+window/5)); err != nil {
		return 0, 0, "", err
	}
	third, _, err := s.drain(ctx, 0, 2*limit)
	if err != nil {
		return 0, 0, "", err
	}
	if _, err := s.watch(ctx, limit, start.Add(window+window*4/5)); err != nil {
		return 0, 0, "", err
	}
	return first + second, 0, fmt.Sprintf("after a rest %d calls and half a window later %d more were admitted; 1.2 windows after the first, %d",
		first, second, third), nil
}

// credit is made on a rested limiter: it is drained, call by call where calls are quick enough, and watched for half as
// much again. A token bucket goes on at once, a sliding counter at its boundary.
func (s *session) credit(ctx context.Context, limit int, window time.Duration) (admitted int, drained time.Duration, sentence string, err error) {
	began, single := time.Now(), 4*limit
	if s.usual()*time.Duration(limit) > window/4 {
		single = 0 // one by one, too much would come while it lasts
	}
	admitted, _, err = s.drain(ctx, single, 8*limit)
	drained = time.Since(began)
	if err != nil {
		return 0, 0, "", err
	}
	w, err := s.watch(ctx, limit/2+2, time.Now().Add(2*window))
	if err != nil {
		return 0, 0, "", err
	}
	return admitted, drained, fmt.Sprintf("after a rest %d calls were admitted; the next one %s after the refusal",
		admitted, round(w.first)), nil
}

// usual is how long the latest calls took.
func (s *session) usual() time.Duration {
	latest := s.calls[max(len(s.calls)-20, 0):]
	var sum time.Duration
	for _, c := range latest {
		sum += c.Latest.Sub(c.Earliest)
	}
	return sum / time.Duration(max(len(latest), 1))
}

// singles is how many single calls in a row have to pass before a limit is looked for in the calls under way: of a drained
// bucket, one or two may just have come.
const singles = 5

// free reports whether single calls pass, one after the other.
func (s *session) free(ctx context.Context) (bool, error) {
	for range singles {
		c, err := s.probe(ctx)
		if err != nil || c.Outcome() != Admitted {
			return false, err
		}
	}
	return true, nil
}

// holds is how often calls are held under way, and how often they are held in vain besides: where a machine is so slow
// that no call was certainly decided while all the others were under way.
const (
	holds  = 3
	inVain = 3
)

// hold keeps calls under way and calls beside them: a limit on calls under way refuses these until the first of those has
// ended, and then admits as many again at once. What time frees is freed beside them too.
func (s *session) hold(ctx context.Context) (limited bool, most int, sentence string, err error) {
	size, long := s.budget.Concurrency, 4*s.budget.Hold
	for held, vain := 0, 0; held < holds; {
		calls, singles, err := s.besideHeld(ctx, size, long)
		if err != nil {
			return false, 0, "", err
		}
		admitted := count(calls, Admitted)
		switch {
		case count(calls, Refused) == 0:
			return false, admitted, fmt.Sprintf("%d calls under way at once were all admitted", admitted), nil
		case admitted == 0:
			return false, 0, "nothing was admitted at once", nil
		case count(singles, Admitted) > 0, len(singles) == 0 && vain == inVain:
			return false, 0, fmt.Sprintf("%d of %d calls were admitted beside %d that were held under way", count(singles, Admitted), len(singles), admitted), nil
		case len(singles) == 0:
			vain++
			continue
		case most == 0:
			most = admitted
		default:
			most = min(most, admitted) // one that was sent late may have found a place that was free again
		}
		held++
	}
	return true, most, fmt.Sprintf("of %d calls held under way at once %d were admitted, none beside these, and as many again as soon as these had ended",
		size, most), nil
}

// besideHeld holds calls under way and calls one by one meanwhile. It returns those single calls that were certainly
// decided while every admitted one of the others was under way.
func (s *session) besideHeld(ctx context.Context, size int, hold time.Duration) (held, singles []Call, err error) {
	var calls []Call
	held, err = s.whileHeld(ctx, size, hold, func(ctx context.Context) (err error) {
		calls, err = s.singly(ctx, hold)
		return err
	})
	s.calls = append(s.calls, calls...)
	s.planned += len(calls)
	var from, to time.Time
	for _, c := range held {
		if c.Outcome() != Admitted {
			continue
		}
		if c.Latest.After(from) {
			from = c.Latest
		}
		if end := c.Latest.Add(c.Held); to.IsZero() || end.Before(to) {
			to = end
		}
	}
	for _, c := range calls {
		if c.Earliest.After(from) && c.Latest.Before(to) {
			singles = append(singles, c)
		}
	}
	return held, singles, err
}

// besides is how many single calls are made while others are held.
const besides = 6

// singly makes single calls, spread over the second half of a time: in the first the others are still being sent, and
// each would take a place from them.
func (s *session) singly(ctx context.Context, over time.Duration) ([]Call, error) {
	began := time.Now()
	if err := sleep(ctx, over/2); err != nil {
		return nil, err
	}
	var calls []Call
	for time.Since(began) < over {
		c, err := s.prober.Probe(ctx)
		if err != nil {
			return calls, fmt.Errorf("probe: %w", cut(ctx, err))
		}
		calls = append(calls, c)
		if err := sleep(ctx, over/2/besides); err != nil {
			return calls, err
		}
	}
	return calls, nil
}
