package limits

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// Infer determines how the gateway limits the calls of one key. It assumes that nobody else uses the key at the same time.
//
// Infer returns [ErrBudget], with the model as far as it is known, if the budget was used up before the limiter was identified. It returns
// [ErrInconclusive] if too many calls failed, and also, with the closest model, if no limiter or more than one explains the responses. It also
// returns [ErrGone] and the prober's errors. In every case, it returns the experiments that were made.
func Infer(ctx context.Context, p Prober, b Budget) (LimiterModel, []Experiment, error) {
	i := &inference{recorder: newRecorder(refusingWith(p, b.RefusedWith), b)}
	i.stopAtQueue = true
	ctx, cancel := i.withDeadline(ctx)
	defer cancel()
	m, err := i.run(ctx)
	return m, i.experiments, err
}

// refusingWith takes some statuses for refusals.
func refusingWith(p Prober, statuses []int) Prober {
	return func(ctx context.Context, hold time.Duration) (Call, error) {
		c, err := p(ctx, hold)
		c.refusedWith = statuses
		return c, err
	}
}

// inference makes experiments until one kind of limiter explains their responses.
type inference struct {
	*recorder

	experiments []Experiment
	// interval is roughly the time in which the limiter admits one call when it is polled without pause.
	interval time.Duration
	// limits are the numbers of calls that were admitted at once or in a row, the latest first.
	limits []int
	// heldUndecided says that a limit on calls in flight is not ruled out.
	heldUndecided bool
	// foretold is how many experiments in a row the best fit of the time foretold, without having been fitted to them.
	foretold int
	// guessed says that the best fit is no more than a good guess: it has foretold too little.
	guessed bool
}

// drainShare bounds the first drain: when a quarter of the budget's calls are admitted and none is refused, the limit is looked
// for elsewhere.
const drainShare = 4

func (i *inference) run(ctx context.Context) (LimiterModel, error) {
	var drained drainResult
	var singlesPass bool
	err := i.experiment(ctx, "drain", func(ctx context.Context) (sentence string, err error) {
		drained, err = i.drain(ctx, 0, i.budget.Calls/drainShare)
		if err != nil || !drained.refused {
			return fmt.Sprintf("%s admitted and none was refused", plain.Were(drained.admitted, "call")), err
		}
		singlesPass, err = i.singlesPass(ctx)
		return fmt.Sprintf("%s admitted before one was refused", plain.Were(drained.admitted, "call")), err
	})
	if err != nil {
		return LimiterModel{}, err
	}
	if !drained.refused || singlesPass {
		m, done, err := i.inferConcurrency(ctx, drained)
		if err != nil || done {
			return m, err
		}
	}
	if err := i.planTime(); err != nil {
		return LimiterModel{Limit: drained.admitted, Evidence: slices.Concat(i.sentences(), judged(i.testAnnounced()))}, err
	}
	return i.inferRate(ctx, max(drained.admitted, 1))
}

// inferConcurrency looks for a limit on calls in flight when single calls are not refused. done is false when there is a limit
// that time frees.
func (i *inference) inferConcurrency(ctx context.Context, drained drainResult) (m LimiterModel, done bool, err error) {
	var held holdResult
	err = i.experiment(ctx, "hold", func(ctx context.Context) (_ string, err error) {
		held, err = i.hold(ctx)
		return held.sentence, err
	})
	i.heldUndecided = held.undecided
	switch {
	case err != nil:
		return LimiterModel{}, false, err
	case held.limited:
		of := Intervals{Limit: Interval[int]{held.admitted, held.most}}
		return LimiterModel{Kind: contract.Concurrency, Limit: held.admitted, Intervals: of, Evidence: i.sentences()}, true, nil
	case held.apart+drained.apart > 0 && !drained.refused:
		apart := max(held.apart, drained.apart)
		return LimiterModel{Evidence: i.sentences()}, true, fmt.Errorf(
			"%w: no call was refused, and the gateway answered concurrent calls one at a time, one every %s. Either a limit of %.3g/s delays calls instead of refusing them, or the gateway cannot answer faster",
			ErrInconclusive, round(apart), 1/apart.Seconds())
	case !drained.refused && held.admitted > 0:
		m := LimiterModel{Kind: None, Evidence: i.sentences()}
		m.Evidence = append(m.Evidence, fmt.Sprintf("there may still be a limit above %s or above %s",
			plain.Count(drained.admitted, "call"), plain.Count(held.admitted, "concurrent call")))
		return m, true, nil
	default:
		return LimiterModel{}, false, nil
	}
}

// inferRate finds the kind and the parameters of a limit that is used up now and that time frees.
func (i *inference) inferRate(ctx context.Context, limit int) (LimiterModel, error) {
	if err := i.measureRefill(ctx, limit); err != nil {
		return LimiterModel{Limit: limit, Evidence: slices.Concat(i.sentences(), judged(i.testAnnounced()))}, err
	}
	fits, err := i.discriminate(ctx)
	if err == nil {
		err = i.unclear(fits)
	}
	announced := i.testAnnounced()
	m := i.model(fits, announced)
	if err != nil {
		return m, err
	}
	f := i.fitter()
	m.Intervals = f.intervals(fits[0])
	if m.wide() {
		return m, fmt.Errorf("%w: a %s explains the responses, but so does any limiter in this range: %s. gatecert cannot narrow the range, because this machine or the gateway was too slow. Observed: %s",
			ErrInconclusive, m, m.Intervals, i.seen())
	}
	if other := f.otherWindows(fits[0]); other != nil {
		if math.Abs(m.Window.Seconds()/other.Window.Seconds()-1) > sameWindow {
			return m, fmt.Errorf("%w: clock-aligned windows (%s) and windows that begin with a request (%s) explain the responses equally well. Observed: %s",
				ErrInconclusive, m, other, i.seen())
		}
		m.Intervals.Window = m.Intervals.Window.with(f.intervals(*other).Window)
	}
	if at := slices.IndexFunc(announced, func(a testedLimit) bool { return a.instead(m) }); at >= 0 {
		a := announced[at]
		return m, fmt.Errorf("%w: a %s (%s) explains the responses, and so does the limit that the %s header fields announce (a %s). Observed: %s",
			ErrInconclusive, m, m.Intervals, a.source, a.model, i.seen())
	}
	if window, ok := f.coarseClock(m); ok {
		return m, fmt.Errorf("%w: a %s (%s) explains the responses, but the calls were too slow to rule out a limiter that has a window of %s but counts time in whole seconds. Observed: %s",
			ErrInconclusive, m, m.Intervals, round(window), i.seen())
	}
	return m, nil
}

// maxCoarse is the longest window whose length a clock of whole seconds changes noticeably: by up to a tenth.
const maxCoarse = 10 * time.Second

// coarseClock returns the window that may be mistaken for the inferred one, if calls were slow. If a limiter counts whole seconds, a window that begins
// with a request is up to a second shorter than it should be. Quick calls see how the lengths of its windows differ.
func (f fitter) coarseClock(m LimiterModel) (time.Duration, bool) {
	of := m.Intervals.Window
	whole := of.To.Truncate(time.Second)
	if m.Kind != contract.FixedWindow || m.Window < time.Second || m.Window > maxCoarse || whole >= of.From || !slowFor(f.decisions, m.Limit, m.Window) {
		return 0, false
	}
	return whole + time.Second, true
}

// A fit may leave a share of maxUnexplained of all responses unexplained, but always at least minUnexplained responses, because a clock may be off
// once.
const (
	maxUnexplained = 0.02
	minUnexplained = 3
)

// unclear returns [ErrInconclusive] when the best fit does not explain the answers, or another explains them as well.
func (i *inference) unclear(fits []fit) error {
	best, answers := fits[0], len(i.calls)
	if n := best.contradictions; n > max(minUnexplained, int(maxUnexplained*float64(answers))) {
		return fmt.Errorf("%w: no single limiter explains the responses. The closest match is a %s, which %d of %d responses contradict. Observed: %s",
			ErrInconclusive, best.LimiterModel, n, answers, i.seen())
	}
	if i.heldUndecided {
		return fmt.Errorf("%w: a %s explains the responses, but there may be a limit on calls in flight instead: this machine was too slow to tell which. Observed: %s",
			ErrInconclusive, best.LimiterModel, i.seen())
	}
	if i.guessed {
		return fmt.Errorf("%w: a %s explains the responses, but gatecert could not confirm it: this limiter predicted later responses correctly in too few experiments in a row. Observed: %s", ErrInconclusive, best.LimiterModel, i.seen())
	}
	for _, other := range fits[1:] {
		// A clock-aligned window has a phase to fit besides.
		if other.contradictions <= best.contradictions && (best.hasPhase() || !other.hasPhase()) && !best.sameAs(other.LimiterModel) {
			return fmt.Errorf("%w: a %s and a %s explain the responses equally well. Observed: %s",
				ErrInconclusive, best.LimiterModel, other.LimiterModel, i.seen())
		}
	}
	return nil
}

// sameAs reports whether two models are the same limiter under another name: a limit of one call in the same time.
func (m LimiterModel) sameAs(other LimiterModel) bool {
	return m.Limit == 1 && other.Limit == 1 && !m.hasPhase() && !other.hasPhase() && math.Abs(m.Window.Seconds()/other.Window.Seconds()-1) <= sameWindow
}

// enoughForetold is how many experiments in a row a sliding counter must predict correctly. An experiment with manyAnswers responses counts as two. A
// prediction counts as correct if at most maxSurprises responses, or one in answersPerSurprise, contradict it.
const (
	maxSurprises       = 1
	answersPerSurprise = 100
	manyAnswers        = 200
	enoughForetold     = 2
)

// surprises is how many of the answers since a model was fitted contradict it. A sliding counter has three numbers to fit, and a
// share of a call may be free at any time: it explains, but does not foretell, much that is something else, such as a limit on
// tokens.
func (i *inference) surprises(f fit) int {
	return i.fitter().fitToAll(f.LimiterModel).contradictions - f.contradictions
}

// seen says what was admitted, without a model.
func (i *inference) seen() string {
	var most int
	for _, n := range i.limits {
		most = max(most, n)
	}
	took := i.calls[len(i.calls)-1].Latest.Sub(i.origin())
	return fmt.Sprintf("at most %s admitted at once, and %d in total within %s", plain.Were(most, "call"), count(i.calls, Admitted), round(took))
}

// measureRefill polls a drained limiter until it has admitted its limit and half as much again.
func (i *inference) measureRefill(ctx context.Context, limit int) error {
	return i.experiment(ctx, "refill", func(ctx context.Context) (string, error) {
		began := time.Now()
		rate, err := i.pollRefill(ctx, limit+limit/2+1, i.began.Add(i.budget.Time))
		i.interval = max(time.Since(began)/time.Duration(max(rate.admitted, 1)), 1)
		if rate.longestRun > limit/2 {
			i.addLimit(rate.longestRun)
		}
		i.addLimit(limit)
		if err == nil && rate.admitted == 0 {
			err = fmt.Errorf("%w: no further call was admitted within %s: the window is longer than this, or the limit is a daily quota. With a time budget of %s, gatecert could infer a window of up to %s",
				ErrBudget, round(i.budget.Time), round(10*i.budget.Time), round(10*i.budget.Time/windowsNeeded))
		}
		return fmt.Sprintf("after the limit was used up, gatecert sent calls without a pause: the first call was admitted after %s, at most %s admitted in a row, and %d in total within %s",
			round(rate.first), plain.Were(rate.longestRun, "call"), rate.admitted, round(time.Since(began))), err
	})
}

// maxRounds bounds how often an idle limiter is examined: a key that was in use before shows more of its limit each time.
const maxRounds = 8

// maxGuessedRounds is maxRounds where the best fit has foretold too little so far: the longer the experiments take in all, the better is
// the length of a window known, and what it foretells.
const maxGuessedRounds = 20

// discriminate lets the limiter rest and makes the experiment that tells the likely kinds apart, until only one kind is left
// and a rest frees no more calls than that kind says. It returns the fits, the best first.
func (i *inference) discriminate(ctx context.Context) ([]fit, error) {
	fits := i.fits()
	for round := 0; round < maxRounds || round < maxGuessedRounds && i.guessed && i.halfLeft(); round++ {
		best := fits[0]
		if err := i.waitUntil(ctx, i.telltale(fits, i.restNeeded(fits))); err != nil {
			return fits, err
		}
		name, run := "credit", i.credit
		if best.Kind == contract.FixedWindow || best.Kind == contract.SlidingLog {
			name, run = "boundary", i.boundary
		}
		var measured capacityResult
		before := len(i.calls)
		err := i.experiment(ctx, name, func(ctx context.Context) (_ string, err error) {
			measured, err = run(ctx, best.LimiterModel)
			return measured.sentence, err
		})
		if errors.Is(err, ErrBudget) && len(i.calls)-before >= manyAnswers {
			// The experiment did not end, but the best fit has foretold many of its answers. Or it has not.
			after := i.fits()
			if i.confirms(after, best, before) {
				return after, nil
			}
		}
		if err != nil {
			return fits, err
		}
		i.addLimit(max(measured.admitted, 1))
		refilled := int(math.Round(float64(measured.took) / float64(i.interval)))
		surplus := measured.admitted - refilled - best.Limit
		if surplus > best.Limit/2 {
			// Most of the limit was in use when its refill was measured, so that has to be measured again.
			if err := i.measureRefill(ctx, measured.admitted); err != nil {
				return fits, err
			}
		}
		fits = i.fits()
		if i.confirms(fits, best, before) && surplus <= 0 {
			break
		}
	}
	return fits, nil
}

// confirms reports whether the calls since before, of an experiment that was made for the model best, confirm it: it is still the best by
// far, and has foretold them.
func (i *inference) confirms(fits []fit, best fit, before int) bool {
	if i.foretold += 1 + (len(i.calls)-before)/manyAnswers; i.surprises(best) > max(maxSurprises, (len(i.calls)-before)/answersPerSurprise) {
		i.foretold = 0
	}
	i.guessed = best.Kind == contract.SlidingCounter && i.foretold < enoughForetold
	return !i.guessed && fits[0].Kind == best.Kind && fits[0].Limit == best.Limit && fits[1].contradictions > fits[0].contradictions+ambiguity
}

// halfLeft reports whether half of the budget is left.
func (i *inference) halfLeft() bool {
	return time.Since(i.began) < i.budget.Time/2 && i.reserved < i.budget.Calls/2
}

// maxLimits is how many limits are tried: the first drain may have straddled a boundary, a slow one gained tokens.
const maxLimits = 3

// addLimit remembers a number of calls that may be the limit.
func (i *inference) addLimit(limit int) {
	others := slices.DeleteFunc(i.limits, func(l int) bool { return l == limit })
	i.limits = append([]int{limit}, others...)
	i.limits = i.limits[:min(len(i.limits), maxLimits)]
}

// restNeeded is how long all likely kinds have to rest, and an eighth more.
func (i *inference) restNeeded(fits []fit) time.Duration {
	var rest time.Duration
	for _, f := range fits {
		switch {
		case f.contradictions > fits[0].contradictions+ambiguity:
		case f.Kind == contract.TokenBucket:
			rest = max(rest, 2*f.timeToReset()) // a longer rest shows whether the bucket was full at first
		default:
			rest = max(rest, f.timeToReset())
		}
	}
	return rest + rest/8
}

// telltale is an instant after a rest at which the kinds differ most: a third into a clock-aligned window. A fixed window then
// has two thirds to go, a sliding log a whole window, and no boundary comes in between.
func (i *inference) telltale(fits []fit, rest time.Duration) time.Time {
	earliest := time.Now().Add(rest)
	for _, f := range fits {
		if f.Kind != contract.FixedWindow && f.Kind != contract.SlidingCounter {
			continue
		}
		at := earliest.Sub(i.origin())
		for third := f.windowStart(at) + f.Window/3; ; third += f.Window {
			if third >= at {
				return i.origin().Add(third)
			}
		}
	}
	return earliest
}

// origin is the instant from which decisions are counted.
func (i *inference) origin() time.Time { return i.calls[0].Earliest }

// model returns the best fit as a model, with its evidence.
func (i *inference) model(fits []fit, announced []testedLimit) LimiterModel {
	m := fits[0].LimiterModel
	m.Evidence = i.sentences()
	for _, f := range fits {
		m.Evidence = append(m.Evidence, fmt.Sprintf("%s: contradicted by %d of %d responses", f.LimiterModel, f.contradictions, len(i.calls)))
	}
	m.Evidence = append(m.Evidence, judged(announced)...)
	return m
}
