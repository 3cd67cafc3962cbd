package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Outcome is the result of one scenario.
type Outcome struct {
	Case runlog.Case
	// Notes are remarks about the gateway's state for the user.
	Notes []string
}

// Suite runs features against a session.
type Suite struct {
	Features fs.FS
	Session  Session
	// Selected contains the ids of the cases to run. Other scenarios leave no trace.
	Selected map[string]bool
	// Witnesses are the selected cases after which a healthy call is made. They should run one at a time.
	Witnesses map[string]bool
	// Concurrency is the number of scenarios that run at once, at least 1.
	Concurrency int
	// Sink receives every outcome. It must be safe for concurrent use.
	Sink func(Outcome)
}

// ErrFeatures is returned if the features cannot be run at all because they cannot be parsed or nothing matches the selection.
var ErrFeatures = errors.New("the features cannot be run")

// exitOptions is godog's code for bad options or features that do not parse.
const exitOptions = 2

// Run runs the selected scenarios. A failed scenario is not an error but an outcome. Run returns [ErrFeatures] if godog could not run at all, and
// ctx's cause if the run was cancelled. Scenarios that had not begun by then have no outcome.
func (s Suite) Run(ctx context.Context) error {
	if len(s.Selected) == 0 {
		return nil
	}
	g := newGate(max(1, s.Concurrency))
	code := godog.TestSuite{
		Name:                "gatecert",
		ScenarioInitializer: func(sc *godog.ScenarioContext) { s.scenario(sc, g) },
		Options: &godog.Options{
			FS: selection{s.Features, s.Selected}, Paths: []string{"."}, Strict: true, Concurrency: max(1, s.Concurrency),
			Format: "progress", Output: io.Discard, NoColors: true, DefaultContext: ctx,
		},
	}.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if code == exitOptions {
		return fmt.Errorf("%w: godog rejected the feature files", ErrFeatures)
	}
	// godog's other exit codes mean nothing here: it returns 0 when nothing ran, and our steps never fail. The caller compares
	// the sets of cases.
	return nil
}

type worldKey struct{}

func world(ctx context.Context) *World { return ctx.Value(worldKey{}).(*World) }

// scenario prepares one scenario; godog calls it once for each.
func (s Suite) scenario(sc *godog.ScenarioContext, g *gate) {
	var w *World // nil when the scenario is not selected
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		if !s.Selected[p.Name] || ctx.Err() != nil {
			return ctx, godog.ErrSkip
		}
		c, err := contract.ParseCase(p.Name)
		w = newWorld(s.Session, g, c, runlog.Scenario{URI: p.Uri, Line: int(p.Location.Line), Name: p.Name})
		w.witness = s.Witnesses[p.Name]
		if err != nil {
			return ctx, fmt.Errorf("%w: %w", errDisagrees, err)
		}
		return context.WithValue(ctx, worldKey{}, w), nil
	})
	sc.StepContext().Before(func(ctx context.Context, _ *godog.Step) (context.Context, error) {
		if w != nil {
			w.status = runlog.StepPassed
		}
		return ctx, nil
	})
	sc.StepContext().After(func(ctx context.Context, st *godog.Step, status godog.StepResultStatus, _ error) (context.Context, error) {
		if w != nil && status != godog.StepSkipped {
			w.endStep(st.Text, status == godog.StepPassed)
		}
		return ctx, nil
	})
	sc.After(func(ctx context.Context, p *godog.Scenario, err error) (context.Context, error) {
		if w == nil {
			return ctx, nil
		}
		w.end(p.Steps, err)
		// A case that was cut short says nothing, except what a load case has sent.
		if ctx.Err() == nil || w.result.Verdict != contract.Error || w.result.Load != nil {
			s.Sink(Outcome{w.result, w.notes})
		}
		return ctx, nil
	})
	for _, d := range definitions() {
		sc.Step(d.sentence, d.verb)
	}
}

// endStep records the status of the step that has run. One that ended with an error has failed, whatever it found before.
func (w *World) endStep(text string, ok bool) {
	if !ok {
		w.status = runlog.StepFailed
	}
	w.result.Scenario.Steps = append(w.result.Scenario.Steps, runlog.Step{Text: text, Status: w.status})
}

// end concludes the case. An error, or a scenario without a judgement, is a fault of the harness or of the features.
func (w *World) end(steps []*messages.PickleStep, err error) {
	switch {
	case !w.judged:
		w.reject(contract.Error, fmt.Sprintf("the scenario ended without a verdict: %v", err))
	case err != nil && w.result.Verdict.Conformant():
		w.reject(contract.Error, err.Error())
	}
	w.result.Duration = time.Since(w.result.Started)
	scenario := w.result.Scenario
	for _, st := range steps[len(scenario.Steps):] {
		scenario.Steps = append(scenario.Steps, runlog.Step{Text: st.Text, Status: runlog.StepUntested})
	}
	previous := ""
	for i, st := range steps {
		keyword := keywords[st.Type]
		if keyword == previous {
			keyword = "And"
		} else {
			previous = keyword
		}
		scenario.Steps[i].Text = keyword + " " + scenario.Steps[i].Text
	}
}

// keywords are those of the kinds of steps, for a step that does not repeat the kind of the one before it.
var keywords = map[messages.PickleStepType]string{
	messages.PickleStepType_CONTEXT: "Given",
	messages.PickleStepType_ACTION:  "When",
	messages.PickleStepType_OUTCOME: "Then",
}
