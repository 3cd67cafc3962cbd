package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
)

// controls are the control calls of one phase, and what they say about each surface.
type controls struct {
	events []runlog.Control
	// failed says by surface why its cases are no evidence, silent which of these did not even make the healthy call.
	failed map[dialect.Surface]string
	silent map[dialect.Surface]bool
	// unreachable is the detail of a connection that could not be made, "" when every surface could be reached.
	unreachable string
}

// callControls makes the control calls of all surfaces at once.
func callControls(ctx context.Context, stage *targets.Session, surfaces []dialect.Surface, phase string) (controls, error) {
	kinds := []targets.ControlKind{targets.ControlHealthy, targets.ControlNonsense}
	if phase == "after" {
		kinds = kinds[:1]
	}
	events := make([][]runlog.Control, len(surfaces))
	errs := make([]error, len(surfaces))
	var wg sync.WaitGroup
	for i, surface := range surfaces {
		wg.Go(func() {
			for _, kind := range kinds {
				o, ok, detail, err := stage.Control(ctx, surface, kind)
				if err != nil {
					errs[i] = err
					return
				}
				events[i] = append(events[i], runlog.Control{
					Surface: surface, Kind: string(kind), Phase: phase, OK: ok, Detail: detail, At: time.Now(), Observation: &o,
				})
				if !ok {
					return // a nonsense call proves nothing on a surface that is not well
				}
			}
		})
	}
	wg.Wait()
	c := controls{failed: map[dialect.Surface]string{}, silent: map[dialect.Surface]bool{}}
	for i, surface := range surfaces {
		if errs[i] != nil {
			return c, errs[i]
		}
		for _, e := range events[i] {
			c.events = append(c.events, e)
			if e.OK {
				continue
			}
			c.silent[surface] = e.Kind == string(targets.ControlHealthy)
			c.failed[surface] = fmt.Sprintf("control failed: the %s call on %s: %s", e.Kind, surface, e.Detail)
			if f := e.Observation.Failure; f != nil && f.Kind == contract.Unreachable {
				c.unreachable = f.Detail
			}
		}
	}
	return c, nil
}
