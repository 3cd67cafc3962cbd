package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports"
)

// progress shows the progress of a run: a bar on a terminal, otherwise a line now and then. Its methods are called by one
// goroutine at a time.
type progress struct {
	c        *console
	bars     *mpb.Progress
	bar      *mpb.Bar
	phase    string
	troubled atomic.Int64 // read by the bar's own goroutine, as is load
	load     atomic.Pointer[string]
	printed  time.Time
}

// printEvery is the interval between lines when the output is not a terminal.
const printEvery = 5 * time.Second

func newProgress(c *console) *progress {
	p := &progress{c: c}
	if c.terminal {
		p.bars = mpb.New(mpb.WithOutput(c.err), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return p
}

func (p *progress) show(s gatecert.Progress) {
	if s.Plan != "" {
		p.announce("plan: " + s.Plan)
		return
	}
	if s.Last != nil && !s.Last.Verdict.Conformant() && s.Last.Verdict != contract.NotOffered {
		p.troubled.Add(1)
	}
	if p.bars != nil {
		p.draw(s)
		return
	}
	if s.Phase != p.phase || time.Since(p.printed) > printEvery {
		p.phase, p.printed = s.Phase, time.Now()
		p.print(s)
	}
}

// announce prints a line that stays.
func (p *progress) announce(line string) {
	if p.bars == nil {
		fmt.Fprintln(p.c.err, line)
		return
	}
	_, _ = p.bars.Write([]byte(line + "\n")) // it fails only when the bars have ended
}

func (p *progress) print(s gatecert.Progress) {
	switch s.Phase {
	case gatecert.PhasePrepare:
		fmt.Fprintln(p.c.err, "preparing the target")
	case gatecert.PhaseControls:
		fmt.Fprintln(p.c.err, "control calls at", s.Target)
	case gatecert.PhaseDone:
		fmt.Fprintf(p.c.err, "%s done\n", reports.Count(s.Total, "case"))
	case gatecert.PhaseLoad:
		if s.Load != nil {
			fmt.Fprintln(p.c.err, loadLine(*s.Load))
		}
	default:
		fmt.Fprintf(p.c.err, "%d of %s, %d not conformant\n", s.Done, reports.Count(s.Total, "case"), p.troubled.Load())
	}
}

func (p *progress) draw(s gatecert.Progress) {
	if s.Total == 0 {
		return
	}
	if p.bar == nil {
		p.bar = p.bars.AddBar(int64(s.Total),
			mpb.PrependDecorators(decor.Name("cases "), decor.CountersNoUnit("%d/%d")),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string {
				text := fmt.Sprintf("  %d not conformant", p.troubled.Load())
				if line := p.load.Load(); line != nil {
					text += "  " + *line
				}
				return text
			})),
			mpb.BarRemoveOnComplete())
	}
	if s.Load != nil {
		line := loadLine(*s.Load)
		p.load.Store(&line)
	}
	p.bar.SetCurrent(int64(s.Done))
}

// loadLine is the progress of a load in one line.
func loadLine(l load.Progress) string {
	return fmt.Sprintf("%s: %.0f s, %d sent, %d admitted, %d refused, %d failed", l.Phase, l.Elapsed.Seconds(), l.Sent, l.Admitted, l.Refused, l.Failed)
}

// close removes the bar, so that the report starts on a new line. It may be called twice.
func (p *progress) close() {
	if p.bars == nil {
		return
	}
	if p.bar != nil {
		p.bar.Abort(true)
	}
	p.bars.Wait()
}
