package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/cucumber/godog"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Outcome is what one scenario came to.
type Outcome struct {
	Case        contract.Case
	Verdict     contract.Verdict
	Findings    []contract.Finding
	Reason      string
	Observation *contract.Observation
	// Summary is set for a case under load.
	Load *runlog.LoadSummary
	// Tries is above 1 when the case was run again because the gateway was not well.
	Tries    int
	Started  time.Time
	Duration time.Duration
	// URI, Line and Name find the scenario in the features; Line is that of the Examples row.
	URI   string
	Line  int
	Name  string
	Steps []Step
	// Notes are things about the gateway's state that people should know.
	Notes []string
}

// Step is how one step of the scenario went.
type Step struct {
	Text   string
	Status string // "passed", "failed" or "skipped"
}

// Suite plays features against a stage.
type Suite struct {
	Features fs.FS
	Session  Session
	// Selected are the ids of the cases to play; all other scenarios are passed over without a trace.
	Selected map[string]bool
	// Concurrency is the number of scenarios played at once, at least 1.
	Concurrency int
	// Sink takes every outcome. It is called from many goroutines at once.
	Sink func(Outcome)
}

// ErrFeatures is returned when the features cannot be played at all: they do not parse, or nothing matched.
var ErrFeatures = errors.New("the features cannot be played")

// exitOptions is godog's code for bad options or unparsable features.
const exitOptions = 2

// Run plays the selected scenarios. That some failed is no error: outcomes tell. It returns [ErrFeatures] when godog
// could not play at all, and ctx's cause when the run was cancelled; scenarios that had not begun then have no outcome.
func (s Suite) Run(ctx context.Context) error {
	if len(s.Selected) == 0 {
		return nil
	}
	code := godog.TestSuite{
		Name:                "gatecert",
		ScenarioInitializer: s.scenario,
		Options: &godog.Options{
			FS: selection{s.Features, s.Selected}, Paths: []string{"."}, Strict: true, Concurrency: max(1, s.Concurrency),
			Format: "progress", Output: io.Discard, NoColors: true, DefaultContext: ctx,
		},
	}.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if code == exitOptions {
		return fmt.Errorf("%w: godog refused them", ErrFeatures)
	}
	// godog's own success is no evidence either way (it exits 0 when nothing ran): the caller compares sets.
	return nil
}

type worldKey struct{}

func world(ctx context.Context) *World { return ctx.Value(worldKey{}).(*World) }

// scenario prepares one scenario; godog calls it once for each.
func (s Suite) scenario(sc *godog.ScenarioContext) {
	var (
		w       *World
		out     Outcome
		mu      sync.Mutex
		skipped bool
	)
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		if !s.Selected[p.Name] || ctx.Err() != nil {
			skipped = true
			return ctx, godog.ErrSkip
		}
		c, err := contract.ParseCase(p.Name)
		w = &World{session: s.Session, current: c}
		out = Outcome{Case: c, Started: time.Now(), URI: p.Uri, Name: p.Name, Line: int(p.Location.Line)}
		if err != nil {
			return ctx, w.harness(fmt.Errorf("%w: %w", errDisagrees, err))
		}
		return context.WithValue(ctx, worldKey{}, w), nil
	})
	sc.StepContext().After(func(ctx context.Context, st *godog.Step, status godog.StepResultStatus, _ error) (context.Context, error) {
		mu.Lock()
		defer mu.Unlock()
		if !skipped && status != godog.StepSkipped {
			out.Steps = append(out.Steps, Step{Text: st.Text, Status: status.String()})
		}
		return ctx, nil
	})
	sc.After(func(ctx context.Context, p *godog.Scenario, err error) (context.Context, error) {
		if skipped {
			return ctx, nil
		}
		mu.Lock()
		defer mu.Unlock()
		out.finish(w, p, err)
		if ctx.Err() == nil || w.judged && (w.verdict != contract.Error || w.load != nil) {
			s.Sink(out)
		}
		return ctx, nil
	})
	register(sc)
}

// finish takes over what the world came to. A world that never got to judge is a fault of the harness or the features.
func (o *Outcome) finish(w *World, p *godog.Scenario, err error) {
	if !w.judged {
		_ = w.harness(fmt.Errorf("the scenario was not played to its judgement: %w", err))
	}
	o.Verdict, o.Findings, o.Reason, o.Notes, o.Tries = w.verdict, w.findings, w.reason, w.notes, w.tries
	o.Load = w.load
	if w.observation.Sent.Method != "" {
		o.Observation = &w.observation
	}
	if err != nil && w.verdict.Conformant() {
		// A step disagreed with the contract, or failed outside its obligations: never a pass.
		o.Verdict, o.Reason = contract.Error, err.Error()
	}
	o.Duration = time.Since(o.Started)
	for _, st := range p.Steps[len(o.Steps):] {
		o.Steps = append(o.Steps, Step{Text: st.Text, Status: "skipped"})
	}
	previous := ""
	for i, st := range p.Steps {
		keyword := keywords[string(st.Type)]
		if keyword == previous {
			keyword = "And"
		} else {
			previous = keyword
		}
		o.Steps[i].Text = keyword + " " + o.Steps[i].Text
	}
}

var keywords = map[string]string{"Context": "Given", "Action": "When", "Outcome": "Then"}
