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
	"github.com/gatecert/gatecert/reports/plain"
)

// bar shows how far a command has come: a bar on a terminal, elsewhere a line now and then.
type bar struct {
	c       *console
	bars    *mpb.Progress // nil without a terminal
	bar     *mpb.Bar
	printed time.Time
}

// printEvery is the interval between lines when the output is not a terminal.
const printEvery = 5 * time.Second

func newBar(c *console) bar {
	b := bar{c: c}
	if c.terminal && !c.quiet {
		b.bars = mpb.New(mpb.WithOutput(c.err), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return b
}

// linef prints a line that stays, above the bar.
func (b *bar) linef(format string, args ...any) {
	out := b.c.err
	if b.bars != nil {
		out = b.bars // it fails only when the bars have ended
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// draw moves the bar. name is in front of it, and after the time what more returns.
func (b *bar) draw(name string, done, total int, more func() string) {
	if b.bar == nil {
		b.bar = b.bars.AddBar(int64(total), mpb.PrependDecorators(decor.Name(name+" "), decor.CountersNoUnit("%d/%d")),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string { return more() })),
			mpb.BarRemoveOnComplete())
	}
	b.bar.SetCurrent(int64(done))
}

// close removes the bar, so that the report starts on a new line. It may be called twice.
func (b *bar) close() {
	if b.bars == nil {
		return
	}
	if b.bar != nil {
		b.bar.Abort(true)
	}
	b.bars.Wait()
}

// progress shows the progress of a run. Its methods are called by one goroutine at a time.
type progress struct {
	bar
	phase    string
	troubled atomic.Int64 // read by the bar's own goroutine, as are load and last
	load     atomic.Pointer[string]
	last     atomic.Pointer[gatecert.Progress]
}

func (p *progress) show(s gatecert.Progress) {
	if s.Plan != "" {
		p.linef("plan: %s", s.Plan)
		return
	}
	if s.Last != nil && !s.Last.Verdict.Conformant() && s.Last.Verdict != contract.NotOffered {
		p.troubled.Add(1)
	}
	p.last.Store(&s)
	if p.c.verbose && s.Last != nil {
		p.linef("%s", reports.CaseLine(*s.Last))
	}
	if s.Load != nil {
		line := loadLine(*s.Load)
		p.load.Store(&line)
	}
	switch {
	case p.c.quiet:
	case p.bars != nil && s.Total > 0:
		p.draw("cases", s.Done, s.Total, p.state)
	case p.bars == nil && (s.Phase != p.phase || time.Since(p.printed) > printEvery):
		p.phase, p.printed = s.Phase, time.Now()
		p.print(s)
	}
}

func (p *progress) print(s gatecert.Progress) {
	switch s.Phase {
	case gatecert.PhasePrepare:
		p.linef("preparing the target")
	case gatecert.PhaseControls:
		p.linef("sending control calls to %s", s.Target)
	case gatecert.PhaseDone:
		p.linef("%s done", plain.Count(s.Total, "case"))
	case gatecert.PhaseLoad:
		if s.Load != nil {
			p.linef("%s", loadLine(*s.Load))
		}
	default:
		p.linef("%d of %s, %d not conformant%s", s.Done, plain.Count(s.Total, "case"), p.troubled.Load(), running(s))
	}
}

// state is what the bar says besides its numbers.
func (p *progress) state() string {
	text := fmt.Sprintf("  %d not conformant", p.troubled.Load())
	if line := p.load.Load(); line != nil {
		return text + "  " + *line
	}
	if last := p.last.Load(); last != nil {
		text += running(*last)
	}
	return text
}

// waited is how long a case runs before the progress names it: most take milliseconds.
const waited = time.Second

// running says what a run waits for: the case that has run for the longest time, once that is worth a word.
func running(s gatecert.Progress) string {
	if s.Running == 0 {
		return ""
	}
	text := fmt.Sprintf(", %d running", s.Running)
	if since := time.Since(s.Since); since >= waited {
		text += fmt.Sprintf(", %s for %.0f s", plain.Text(s.Longest, maxReason), since.Seconds())
	}
	return text
}

func loadLine(l load.Progress) string {
	return fmt.Sprintf("%s: %.0f s, %d sent, %d admitted, %d refused, %d failed", l.Phase, l.Elapsed.Seconds(), l.Sent, l.Admitted, l.Refused, l.Failed)
}
