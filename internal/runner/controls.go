package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
)

// controls are the control calls before or after the cases, and what they say about each surface.
type controls struct {
	calls []runlog.Control
	// failed holds, by surface, why its cases say nothing about the gateway.
	failed map[dialect.Surface]string
	// unhealthy are the surfaces in failed whose healthy call did not succeed.
	unhealthy map[dialect.Surface]bool
}

// callControls makes the control calls of all surfaces at once: a healthy call, and before the cases a call with a model
// that does not exist. On a surface that costs nothing only the first is made: a gateway answers there by itself, so that one
// that knows every model is at fault, and not one that would answer anything.
func callControls(ctx context.Context, session *targets.Session, surfaces []dialect.Surface, phase string) (controls, error) {
	kinds := []targets.ControlKind{targets.ControlHealthy}
	if phase == runlog.BeforeCases {
		kinds = append(kinds, targets.ControlNonsense)
	}
	calls := make([][]runlog.Control, len(surfaces))
	errs := make([]error, len(surfaces))
	var wg sync.WaitGroup
	for i, surface := range surfaces {
		wg.Go(func() { calls[i], errs[i] = callSurface(ctx, session, surface, kindsOn(surface, kinds), phase) })
	}
	wg.Wait()
	if err := callAgain(ctx, session, surfaces, kinds, phase, calls); err != nil {
		return controls{}, err
	}
	c := controls{failed: make(map[dialect.Surface]string), unhealthy: make(map[dialect.Surface]bool)}
	for i, surface := range surfaces {
		if errs[i] != nil {
			return c, errs[i]
		}
		for _, call := range calls[i] {
			c.calls = append(c.calls, call)
			if call.OK {
				continue
			}
			c.unhealthy[surface] = call.Kind == runlog.ControlHealthy
			c.failed[surface] = fmt.Sprintf("control failed: the %s call on %s: %s", call.Kind, surface, call.Detail)
		}
	}
	return c, nil
}

// callAgain makes the control calls once more of the surfaces that refused theirs with 429 or 5xx: so many calls at once may
// have been too many for a limit, or met a gateway that was just starting. A refusal does not show that a surface is absent.
func callAgain(
	ctx context.Context, session *targets.Session, surfaces []dialect.Surface, kinds []targets.ControlKind, phase string, calls [][]runlog.Control,
) error {
	healthy := slices.IndexFunc(calls, func(c []runlog.Control) bool { return len(c) > 0 && c[0].OK })
	refused := make([]int, 0, len(surfaces))
	for i, c := range calls {
		if len(c) > 0 && !c[0].OK && (c[0].Observation.Status == http.StatusTooManyRequests || c[0].Observation.Status/100 == 5) {
			refused = append(refused, i)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	asked := refused[0]
	if healthy >= 0 {
		asked = healthy
	}
	if err := session.FindLimit(ctx, surfaces[asked]); err != nil && !errors.Is(err, targets.ErrNotRecovered) {
		return err
	}
	for _, i := range refused {
		for range 2 { // the second time after one more wait, where the pace was not slow enough
			again, err := callSurface(ctx, session, surfaces[i], kindsOn(surfaces[i], kinds), phase)
			if err != nil {
				return err
			}
			if calls[i] = again; again[0].OK || !session.Limited() {
				break
			}
			session.SlowDown()
		}
	}
	return nil
}

// kindsOn are those of the control calls that are made on a surface.
func kindsOn(surface dialect.Surface, kinds []targets.ControlKind) []targets.ControlKind {
	if !surface.Free() {
		return kinds
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(kind targets.ControlKind) bool { return kind == targets.ControlNonsense })
}

// callSurface makes the control calls of one surface, up to the first that fails: on a surface that is not healthy, a
// refused nonsense call says nothing.
func callSurface(ctx context.Context, session *targets.Session, surface dialect.Surface, kinds []targets.ControlKind, phase string) ([]runlog.Control, error) {
	var calls []runlog.Control
	for _, kind := range kinds {
		o, ok, detail, err := session.Control(ctx, surface, kind)
		if err != nil {
			return nil, err
		}
		calls = append(calls, runlog.Control{
			Surface: surface, Kind: string(kind), Phase: phase, OK: ok, Detail: detail, At: time.Now(), Observation: &o,
		})
		if !ok {
			break
		}
	}
	return calls, nil
}

// tryOtherModels gives the surfaces on which the healthy call was refused with 4xx another model of the profile, the first
// that they serve. A surface that is healthy with the same model in its other mode keeps that.
func (r *runner) tryOtherModels(ctx context.Context) error {
	for _, surface := range r.surfaces {
		twin, hasTwin := surface.Twin()
		i := slices.IndexFunc(r.before.calls, func(c runlog.Control) bool { return c.Surface == surface && c.Kind == runlog.ControlHealthy })
		if i < 0 || !r.before.unhealthy[surface] || r.before.calls[i].Observation.Status/100 != 4 ||
			hasTwin && slices.Contains(r.surfaces, twin) && !r.before.unhealthy[twin] {
			continue
		}
		model, err := r.session.UseOtherModel(ctx, surface)
		if err != nil {
			return err
		}
		if model == "" {
			continue
		}
		r.journal.note("endpoint %s is certified with the model %s, because the gateway returned %d for the model that gatecert tried first",
			surface, model, r.before.calls[i].Observation.Status)
		again := []dialect.Surface{surface}
		if hasTwin && r.before.unhealthy[twin] {
			again = append(again, twin)
		}
		after, err := callControls(ctx, r.session, again, runlog.BeforeCases)
		if err != nil {
			return err
		}
		r.before.replace(again, after)
	}
	return nil
}

// checkCounts finds out whether the counts of tokens are counted.
func (r *runner) checkCounts(ctx context.Context) error {
	i := slices.IndexFunc(r.before.calls, func(c runlog.Control) bool { return c.Surface == dialect.CountTokens && c.OK })
	if i < 0 || r.before.failed[dialect.CountTokens] != "" {
		return nil
	}
	note, err := r.session.CheckCounts(ctx, *r.before.calls[i].Observation)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if note != "" {
		r.journal.note("%s", note)
	}
	return nil
}

// replace puts the control calls of some surfaces in place of those that were made before.
func (c *controls) replace(surfaces []dialect.Surface, by controls) {
	c.calls = slices.DeleteFunc(c.calls, func(call runlog.Control) bool { return slices.Contains(surfaces, call.Surface) })
	c.calls = append(c.calls, by.calls...)
	for _, s := range surfaces {
		delete(c.failed, s)
		delete(c.unhealthy, s)
		if reason, failed := by.failed[s]; failed {
			c.failed[s], c.unhealthy[s] = reason, by.unhealthy[s]
		}
	}
}
