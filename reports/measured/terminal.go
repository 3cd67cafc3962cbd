package measured

import (
	"bytes"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Terminal writes a measurement for a terminal: the result and its numbers. It returns only errors of w.
func Terminal(w io.Writer, m runlog.Measured) error {
	var out bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("%-9s %s", terminalName(m.Kind), headline(m))
	line("%-9s %s  %s", "target", name(m.Target.Name), name(m.Target.BaseURL))
	if m.SLO != "" {
		line("%-9s %s", "SLO", text(m.SLO))
	}
	if m.Kind == runlog.RateLimitKind {
		inference(line, m)
	} else {
		line("%-9s %s", "verdict", qualified(m))
	}
	if f := m.Footer; f != nil {
		for _, g := range clipped(f.Gates) {
			line("%-9s %s %s: %s", "gate", gateSign(g), text(g.Text), text(g.Why))
		}
		if s := sampleText(m); s != "" {
			line("%-9s %s", "requests", s)
		}
		if f.Tokens > 0 && f.Sample != nil {
			line("%-9s %s in total, counted %s", "tokens", rate(f.Sample.TokensPerSecond), sources(*f))
		}
		for _, t := range clipped(f.Trends) {
			line("%-9s %s", map[bool]string{true: "growing", false: "steady"}[t.Grows], text(t.Text))
		}
		for _, v := range clipped(f.Violations) {
			line("  %s  (%s)", text(v.Finding.String()), plain.Count(v.Count, "response"))
		}
	}
	for _, n := range notes(m) {
		line("%-9s %s", "note", n)
	}
	cells := tw.CellConfig{Alignment: tw.CellAlignment{Global: tw.AlignLeft}}
	if rows := metricRows(m); len(rows) > 0 {
		line("")
		var lines [][]string
		for _, r := range rows {
			lines = append(lines, []string{r.Metric, r.Request, r.Outcome, r.Count, r.P50, r.P95, r.P99, r.Max})
		}
		if err := reports.Table(&out, []string{"METRIC", "REQUEST", "OUTCOME", "N", "P50", "P95", "P99", "MAX"}, lines, cells); err != nil {
			return fmt.Errorf("table: %w", err)
		}
	}
	if err := workerTable(&out, m.Footer, cells); err != nil {
		return err
	}
	if len(m.Points) > 0 {
		line("")
		var lines [][]string
		for _, p := range m.Points[:min(len(m.Points), 200)] {
			t := p.Times["latency"]
			lines = append(lines, []string{pointName(p), plain.Time(p.Lasted), plain.Time(t.P50), plain.Time(t.P99), pointResult(p)})
		}
		if err := reports.Table(&out, []string{"PROBE", "FOR", "P50", "P99", "RESULT"}, lines, cells); err != nil {
			return fmt.Errorf("table: %w", err)
		}
	}
	if f := m.Footer; f != nil && f.Compared != nil {
		line("\n%s (A) and %s (B), at %s in %d interleaved rounds", name(f.Compared.A), name(f.Compared.B), rate(f.Compared.Rate), f.Compared.Rounds)
		var lines [][]string
		for _, r := range comparedRows(f.Compared) {
			lines = append(lines, []string{r.Metric, r.A, r.B, r.Added, r.Interval, r.Detectable, r.Found})
		}
		if err := reports.Table(&out, []string{"METRIC", "A", "B", "B ADDS", "95 % INTERVAL", "DETECTABLE", ""}, lines, cells); err != nil {
			return fmt.Errorf("table: %w", err)
		}
	}
	return flush(w, &out)
}

// terminalName is a kind as the first line has it.
func terminalName(k runlog.MeasuredKind) string {
	if k == runlog.RateLimitKind {
		return "limiter"
	}
	return kindName(k)
}

// inference writes an inferred limit, and what it rests on.
func inference(line func(string, ...any), m runlog.Measured) {
	line("%-9s %s", "result", qualified(m))
	if s := limiterText(limiter(m)); s != "" {
		line("%-9s %s", "range", s)
	}
	if s := scopeText(limiter(m)); s != "" {
		line("%-9s %s", "scope", s)
	}
	if s := inferenceText(m); s != "" {
		line("%-9s %s", "calls", s)
	}
	for _, e := range evidence(m) {
		line("%-9s %s", "", e)
	}
	for _, e := range experimentRows(m) {
		line("%-9s %s (%s calls, %s)", e.Name, e.Text, e.Calls, e.Took)
	}
}

// gateSign is the sign of what came of a gate.
func gateSign(g runlog.Gate) string {
	switch g.Result {
	case contract.Held:
		return "✓"
	case contract.Violated:
		return "✗"
	default:
		return "?"
	}
}
