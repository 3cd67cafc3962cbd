package outage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// kind is what a call is for.
type kind int

const (
	healthy kind = iota
	sick
	leaving
	witness
)

// call is one call of a round.
type call struct {
	load.Result

	part string
	kind kind
	// hangs says that the gateway's limit alone ended it.
	hangs bool
	// at is when its stage began, since the verification did: what the shot's own instants count from.
	at time.Duration
	// lag is our own longest lag in its stage: by that everything else may be late too.
	lag time.Duration
	// seen is what the provider saw of it, for calls that are sick or leave; nil when nobody can look.
	seen *contract.Seen
}

// latency is how long the caller waited. Where every connection was in use, the wait for one is the gateway's doing.
func (c call) latency() time.Duration {
	if c.Waited {
		return c.Latency()
	}
	return c.ServiceTime()
}

// ended is when the call was over, since the verification began.
func (c call) ended() time.Duration { return c.at + c.End }

// reached reports whether the call got as far as the provider, as far as anybody can tell.
func (c call) reached() bool { return c.seen == nil || len(c.seen.Attempts) > 0 }

// round is an outage, with what was before and what came after it.
type round struct {
	Experiment

	engine *load.Engine
	// prefix stands before the names of its phases and times: "again: " in a second round.
	prefix string
	// began is when the verification did.
	began time.Time

	before, during, after, left []call
	// watched are the witness's calls, by stage.
	watched [][]call
	phases  []runlog.Phase
	// breaches are the answers to sick calls that break something, with what they looked like.
	breaches []load.Violation
	// outageEnd is when the last sick call was answered, since the verification began.
	outageEnd time.Duration
	// recovered is how long after that the last healthy call failed, 0 when none did; well says that none does any more.
	recovered time.Duration
	well      bool
	// unfit says in what this machine was not fit.
	unfit []string
	// goingBefore and goingAfter are the calls under way at the provider, negative where nobody can tell.
	goingBefore, goingAfter int
}

const (
	// unwellShare is the share of healthy calls that may fail before anything goes wrong.
	unwellShare = 0.05
	// unwellTime is the longest that half of them may take, and a quarter of the declared limit where that is less. Beyond,
	// calls pile up as it is, and what an outage adds to that cannot be told.
	unwellTime = time.Second
	// busyTime is by how much half of the witness's calls may be slower than the fastest of them on a machine that counts
	// as fit. They take one or two milliseconds on a quiet one.
	busyTime = 50 * time.Millisecond
	// freedWithin is how long after an answer a gateway may take to cancel the call to the provider: generous, because a
	// busy machine may take its time to notice a closed connection.
	freedWithin = 3 * time.Second
	// fewReached is the part of the sick calls that have to reach the provider: a quarter. Half of them do where a breaker opens.
	fewReached = 4
	// lookAgain is how often it is looked whether calls are still under way.
	lookAgain = 20 * time.Millisecond
)

// play goes through the phases.
func (r *round) play(ctx context.Context) (err error) {
	r.goingBefore, r.goingAfter = -1, -1
	if err := r.calm(ctx); err != nil {
		return err
	}
	if r.goingBefore, err = r.going(ctx, 0, time.Now().Add(freedWithin)); err != nil {
		return err
	}
	if r.during, err = r.fire(ctx, r.outageStage(r.engine), sick); err != nil {
		return err
	}
	r.outageEnd = time.Since(r.began)
	if err := r.recover(ctx); err != nil {
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	r.unfit = append(r.unfit, r.busy()...)
	return nil
}

// slower are the parts of the rate at which it is tried to find the gateway well: the whole a few times, because a machine may
// just be busy, and then less, because the rate may be more than either of them bears.
func slower() []float64 { return []float64{1, 1, 1, 1, 2, 4} }

// calm makes healthy calls alone, at a rate that the gateway bears.
func (r *round) calm(ctx context.Context) (err error) {
	rate := r.Rate
	for _, part := range slower() {
		r.Rate = rate / part
		if r.before, err = r.fire(ctx, r.beforeStage(), healthy); err != nil {
			return err
		}
		if err = r.unwell(); err == nil {
			return nil
		}
	}
	return err
}

// unwell says with [ErrUnwell] what is wrong before anything goes wrong, nil for nothing.
func (r *round) unwell() error {
	failed := failures(r.before)
	if float64(len(failed)) > unwellShare*float64(len(r.before)) {
		return fmt.Errorf("%w: of %d healthy calls %d failed: %s", ErrUnwell, len(r.before), len(failed), outcomes(failed))
	}
	most := unwellTime
	if r.Limit > 0 {
		most = min(most, r.Limit/4)
	}
	usual, _ := latencies(r.before)
	if half := usual.Quantile(0.5); half > most {
		return fmt.Errorf("%w: half of the healthy calls, %g of them a second, take more than %s", ErrUnwell, r.Rate, took(half))
	}
	return nil
}

// busy says in which stages this machine was too busy, by how long the witness's calls took.
func (r *round) busy() (reasons []string) {
	fastest := time.Hour
	for _, c := range slices.Concat(r.watched...) {
		if c.Outcome == runlog.Admitted {
			fastest = min(fastest, c.latency())
		}
	}
	for _, calls := range r.watched {
		times, _ := latencies(calls)
		if half := times.Quantile(0.5); half > fastest+busyTime {
			reasons = append(reasons, fmt.Sprintf("half of the calls straight to the provider took more than %s, the fastest %s", took(half), took(fastest)))
		}
	}
	return reasons
}

// look asks the provider what it saw, once the gateway has had the time to let go of everything.
func (r *round) look(ctx context.Context) (err error) {
	if r.Provider == nil {
		return nil
	}
	until := time.Now().Add(freedWithin)
	if err := r.depart(ctx); err != nil {
		return err
	}
	if err := r.see(ctx, until, r.during); err != nil {
		return err
	}
	if reached, asked := len(r.sick()), r.asked(); fewReached*reached < len(asked) || reached == 0 {
		return fmt.Errorf("%w: %d of %d; they were answered %s", ErrUnreached, reached, len(asked), outcomes(asked))
	}
	r.goingAfter, err = r.going(ctx, r.goingBefore, until)
	return err
}

// depart lets callers leave. When their calls go on at the provider, more of them leave after a while: what made the
// first go on must not have been a hiccup.
func (r *round) depart(ctx context.Context) error {
	if len(r.Leaving) == 0 {
		return nil
	}
	for range 2 {
		calls, err := r.fire(ctx, r.leavingStage(), leaving)
		if err != nil {
			return err
		}
		if err := r.see(ctx, time.Now().Add(freedWithin), calls); err != nil {
			return err
		}
		r.left = append(r.left, calls...)
		if left, on := r.departed(); !tooMany(len(on), left) {
			return nil
		}
	}
	return nil
}

// see asks the provider about the calls that should be over there, at most until an instant.
func (r *round) see(ctx context.Context, until time.Time, calls []call) error {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for i := range calls {
		c := &calls[i]
		if c.kind == healthy {
			continue
		}
		seen, err := r.Provider.Seen(waiting, c.Token())
		if err != nil {
			return fmt.Errorf("ask the provider what it saw: %w", err)
		}
		c.seen = &seen
	}
	return context.Cause(ctx)
}

// recover makes healthy calls until none of them fails for a while, or the time for that is over.
func (r *round) recover(ctx context.Context) error {
	for asking := false; ; {
		stage := r.afterStage()
		if asking {
			stage = r.askingStage()
		}
		calls, err := r.fire(ctx, stage, healthy)
		if err != nil {
			return err
		}
		r.after = append(r.after, calls...)
		failed := failures(calls)
		for _, c := range failed {
			r.recovered = max(r.recovered, c.ended()-r.outageEnd)
		}
		switch {
		case len(failed) == 0 && !asking:
			r.well = true
			return nil
		case len(failed) > 0 && r.recovered > r.Settle:
			return nil
		default:
			asking = len(failed) > 0
		}
	}
}

// fire fires one stage and keeps its calls.
func (r *round) fire(ctx context.Context, s load.Phase, k kind) ([]call, error) {
	m, err := r.engine.Run(ctx, s)
	at := m.Started.Sub(r.began)
	calls := make([]call, 0, len(m.Results))
	var watched []call
	for _, shot := range m.Results {
		c := call{Result: shot, part: s.Mix[shot.Request].Name, at: at, lag: m.Lag.Max(), kind: k}
		if r.Witness != nil && c.part == r.Witness.Name {
			c.kind = witness
			watched = append(watched, c)
			continue
		}
		if way := shot.Request - len(r.Healthy); k == sick && way >= 0 {
			c.hangs = r.Sick[way].Hangs
		} else if k == sick {
			c.kind = healthy
		}
		calls = append(calls, c)
	}
	if len(watched) > 0 {
		r.watched = append(r.watched, watched)
	}
	if err != nil {
		return calls, err
	}
	r.phase(s.Name, at, m, k)
	for _, b := range m.Violations {
		if slices.ContainsFunc(r.Sick, func(w Way) bool { return k == sick && w.Name == b.Request }) {
			r.breaches = append(r.breaches, b)
		}
	}
	if m.Generator.Undersent {
		return calls, fmt.Errorf("%w: %s", ErrUnfit, strings.Join(m.Generator.Problems, "; "))
	}
	r.unfit = append(r.unfit, m.Generator.Problems...)
	return calls, nil
}

// phase takes a stage that has been played in. After an outage the wait for the last answers is a phase of its own, where it is
// long enough to be seen: with a limit of 1.5 s, a hung call takes as long as that after the last healthy one.
func (r *round) phase(name string, at time.Duration, m load.Measurement, k kind) {
	phase := runlog.Phase{Name: r.prefix + name, From: at, To: at + m.Elapsed}
	var sent time.Duration
	for _, shot := range m.Results {
		sent = max(sent, shot.Sent)
	}
	if k != sick || m.Elapsed-sent <= leastSpan {
		r.phases = append(r.phases, phase)
		return
	}
	waiting := runlog.Phase{Name: r.prefix + "waiting", From: at + sent, To: phase.To}
	phase.To = waiting.From
	r.phases = append(r.phases, phase, waiting)
}

// going counts the calls under way at the provider, once there are no more than so many, at most until an instant.
func (r *round) going(ctx context.Context, most int, until time.Time) (int, error) {
	provider, ok := r.Provider.(counter)
	if !ok {
		return -1, nil
	}
	for {
		n, err := provider.UnderWay(ctx)
		if err != nil {
			return -1, fmt.Errorf("ask the provider how many calls are under way: %w", err)
		}
		if n <= most || time.Now().After(until) {
			return n, nil
		}
		select {
		case <-ctx.Done():
			return n, context.Cause(ctx)
		case <-time.After(lookAgain):
		}
	}
}

// failures are the calls that did not succeed, for a reason of the gateway's.
func failures(calls []call) []call {
	return slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !c.Outcome.Failed() })
}

// outcomes says how calls ended, the commonest first: "7 with 503 (error-5xx), 1 with no answer (timeout)".
func outcomes(calls []call) string {
	counts := map[string]int{}
	for _, c := range calls {
		switch {
		case c.Status == 0:
			counts[fmt.Sprintf("with no answer (%s)", c.Outcome)]++
		case c.Status/100 == 2 && c.Outcome == runlog.Error5xx:
			counts[fmt.Sprintf("with an error inside a stream that had begun (%d)", c.Status)]++
		default:
			counts[fmt.Sprintf("with %d (%s)", c.Status, c.Outcome)]++
		}
	}
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, word := range words {
		words[i] = fmt.Sprintf("%d %s", counts[word], word)
	}
	return strings.Join(words, ", ")
}
