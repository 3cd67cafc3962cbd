package limits

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// inference is a session with the experiments made in it.
type inference struct {
	*session

	experiments []Experiment
	// pace is roughly how long the limiter takes to admit one call when it is asked without pause.
	pace time.Duration
	// limits are the numbers of calls that were admitted at once or in a row, the last first.
	limits []int
}

// Infer finds out how the calls of one key are limited. It assumes that nobody else uses the key meanwhile.
//
// It returns [ErrBudget] when the budget was spent before the limiter was understood, with the model as far as it is
// known, [ErrUnclear] when too many calls failed, [ErrGone], and the prober's errors. The experiments are those that were made.
func Infer(ctx context.Context, p Prober, b Budget) (Model, []Experiment, error) {
	i := &inference{session: newSession(p, b)}
	ctx, cancel := i.bounded(ctx)
	defer cancel()
	m, err := i.infer(ctx)
	return m, i.experiments, err
}

// unlimitedAfter is the share of the budget's calls that may all be admitted before the limit is looked for elsewhere.
const unlimitedAfter = 4

func (i *inference) infer(ctx context.Context) (Model, error) {
	var limit int
	var refused, again bool
	err := i.experiment(ctx, "drain", func(ctx context.Context) (sentence string, err error) {
		limit, refused, err = i.drain(ctx, 0, i.budget.Calls/unlimitedAfter)
		if err != nil || !refused {
			return fmt.Sprintf("%d calls were admitted and none refused", limit), err
		}
		again, err = i.free(ctx)
		return fmt.Sprintf("%d calls were admitted before one was refused", limit), err
	})
	if err != nil {
		return Model{}, err
	}
	if !refused || again {
		m, settled, err := i.inferConcurrency(ctx, limit, refused)
		if err != nil || settled {
			return m, err
		}
	}
	return i.inferRate(ctx, max(limit, 1))
}

// inferConcurrency is made when single calls are not refused. settled is false when there is a limit that time frees.
func (i *inference) inferConcurrency(ctx context.Context, admitted int, refused bool) (m Model, settled bool, err error) {
	var limited bool
	var most int
	err = i.experiment(ctx, "hold", func(ctx context.Context) (sentence string, err error) {
		limited, most, sentence, err = i.hold(ctx)
		return sentence, err
	})
	switch {
	case err != nil:
		return Model{}, false, err
	case limited:
		return Model{Kind: contract.Concurrency, Limit: most, Confidence: 1, Evidence: i.sentences()}, true, nil
	case !refused && most > 0:
		m := Model{Kind: None, Evidence: i.sentences()}
		m.Evidence = append(m.Evidence, fmt.Sprintf("a limit above %d calls, or above %d under way at once, is not ruled out", admitted, most))
		return m, true, nil
	default:
		return Model{}, false, nil
	}
}

// inferRate is made when a limit is used up that time frees again.
func (i *inference) inferRate(ctx context.Context, limit int) (Model, error) {
	if err := i.refill(ctx, limit); err != nil {
		return Model{Limit: limit, Evidence: i.sentences()}, err
	}
	likely, err := i.confirm(ctx)
	return i.model(likely), err
}

// refill watches a drained limiter until it has admitted its limit and half as much again.
func (i *inference) refill(ctx context.Context, limit int) error {
	return i.experiment(ctx, "refill", func(ctx context.Context) (string, error) {
		began := time.Now()
		w, err := i.watch(ctx, limit+limit/2+1, i.began.Add(i.budget.Time))
		i.pace = max(time.Since(began)/time.Duration(max(w.admitted, 1)), 1)
		if w.largest > limit/2 {
			i.saw(w.largest)
		}
		i.saw(limit)
		if err == nil && w.admitted == 0 {
			err = fmt.Errorf("%w: nothing was admitted again within %s", ErrBudget, i.budget.Time)
		}
		return fmt.Sprintf("asked without pause, the first call was admitted again after %s, at most %d in a row; %d within %s",
			round(w.first), w.largest, w.admitted, round(time.Since(began))), err
	})
}

// rounds bounds how often a rested limiter is looked at: a key that was in use before shows more of its limit each time.
const rounds = 8

// confirm lets the limiter rest and makes the experiment that tells the likely kinds apart, until only one kind is left
// and a rest brings no more calls than it says. It returns the kinds, the best first.
func (i *inference) confirm(ctx context.Context) ([]fitting, error) {
	likely := i.fits()
	for range rounds {
		best := likely[0]
		if err := i.rest(ctx, i.favourable(likely, i.need(likely))); err != nil {
			return likely, err
		}
		name, experiment := "credit", i.credit
		if best.Kind == contract.FixedWindow || best.Kind == contract.SlidingLog {
			name, experiment = "boundary", i.boundary
		}
		var admitted int
		var drained time.Duration // what came while it lasted is no part of the limit
		err := i.experiment(ctx, name, func(ctx context.Context) (sentence string, err error) {
			admitted, drained, sentence, err = experiment(ctx, best.Limit, best.Window)
			return sentence, err
		})
		if err != nil {
			return likely, err
		}
		i.saw(max(admitted, 1))
		grown := admitted - int(math.Round(float64(drained)/float64(i.pace))) - best.Limit
		if grown > best.Limit/2 {
			// Most of the limit was in use when its pace was measured: once more, then.
			if err := i.refill(ctx, admitted); err != nil {
				return likely, err
			}
		}
		likely = i.fits()
		asked := likely[0].Kind == best.Kind && likely[0].Limit == best.Limit // the experiment was made for this very answer
		if asked && grown <= 0 && likely[1].wrong > likely[0].wrong+plausible {
			break
		}
	}
	return likely, nil
}

// remembered is how many limits are tried: the first drain may have straddled a boundary, a slow one gained tokens.
const remembered = 3

// saw remembers a number of calls that may be the limit.
func (i *inference) saw(limit int) {
	others := slices.DeleteFunc(i.limits, func(known int) bool { return known == limit })
	i.limits = append([]int{limit}, others...)
	i.limits = i.limits[:min(len(i.limits), remembered)]
}

// need is how long all likely kinds need to rest, and an eighth more.
func (i *inference) need(likely []fitting) time.Duration {
	var need time.Duration
	for _, m := range likely {
		switch {
		case m.wrong > likely[0].wrong+plausible:
		case m.Kind == contract.TokenBucket:
			need = max(need, 2*m.full()) // a bucket that was not full at first is known by what more rest brings
		default:
			need = max(need, m.full())
		}
	}
	return need + need/8
}

// plausible is how many more answers a kind may leave unexplained than the best one and still be reckoned with.
const plausible = 1

// fits asks every kind how well it explains the answers so far.
func (i *inference) fits() []fitting {
	all := decisions(i.calls, i.origin())
	return fitter{
		all: all, few: thin(all), book: newLedger(all, false), pace: i.pace, limits: i.limits,
	}.fit()
}

func (i *inference) origin() time.Time { return i.calls[0].Earliest }

// favourable is an instant after a rest at which the kinds differ most: a third into a window of the clock. There a
// fixed window has two thirds to go, a sliding log a whole one, and the boundary does not come in between.
func (i *inference) favourable(likely []fitting, rest time.Duration) time.Time {
	earliest := time.Now().Add(rest)
	for _, m := range likely {
		if m.Kind != contract.FixedWindow && m.Kind != contract.SlidingCounter {
			continue
		}
		at := earliest.Sub(i.origin())
		into := (&clocked{Model: m.Model}).start(at)
		for good := into + m.Window/3; ; good += m.Window {
			if good >= at {
				return i.origin().Add(good)
			}
		}
	}
	return earliest
}

// model is the best explanation of all answers.
func (i *inference) model(likely []fitting) Model {
	m, rival := likely[0].Model, likely[1]
	if rival.wrong > 0 {
		m.Confidence = float64(rival.wrong-likely[0].wrong) / float64(rival.wrong)
	}
	m.Evidence = i.sentences()
	for _, f := range likely {
		m.Evidence = append(m.Evidence, fmt.Sprintf("%s cannot explain %d of %d answers", f.Model, f.wrong, len(i.calls)))
	}
	return m
}

func (i *inference) sentences() []string {
	var all []string
	for _, e := range i.experiments {
		all = append(all, e.Name+": "+e.Sentence)
	}
	return all
}
