package measured

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Markdown writes summary.md: the result and its numbers, for a job summary or a pull request. It returns only errors of w.
func Markdown(w io.Writer, m runlog.Measured) error {
	var out bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("## %s %s of %s: %s", sign(m.Verdict()), cell(kindName(m.Kind)), cell(name(m.Target.Name)), cell(headline(m)))
	line("")
	if m.SLO != "" {
		line("SLO: %s. ", cell(text(m.SLO)))
	}
	markdownVerdict(line, m)
	if f := m.Footer; f != nil {
		for _, g := range clipped(f.Gates) {
			line("\n%s **%s**: %s", gateSign(g), cell(text(g.Text)), cell(text(g.Why)))
		}
		if s := sampleText(m); s != "" {
			line("\n%s.", cell(s))
		}
	}
	if rows := metricRows(m); len(rows) > 0 {
		line("\n| metric | requests | outcome | n | mean | p50 | p95 | p99 | max |\n|---|---|---|--:|--:|--:|--:|--:|--:|")
		for _, r := range rows {
			line("| %s | %s | %s | %s | %s | %s | %s | %s | %s |", cell(r.Metric), cell(r.Request), cell(r.Outcome), r.Count, r.Mean, r.P50, r.P95, r.P99, r.Max)
		}
	}
	if len(m.Points) > 0 {
		line("\n<details><summary>%s</summary>\n\n| rate | for | p50 | p99 | admitted | result |\n|--:|--:|--:|--:|--:|---|", plain.Count(len(m.Points), "probe"))
		for _, p := range m.Points[:min(len(m.Points), 200)] {
			t := p.Times["latency"]
			line("| %s | %s | %s | %s | %d | %s |", pointName(p), plain.Time(p.Lasted), plain.Time(t.P50), plain.Time(t.P99), p.Counts[runlog.Admitted], cell(pointResult(p)))
		}
		line("\n</details>")
	}
	if f := m.Footer; f != nil {
		for _, t := range clipped(f.Trends) {
			line("\n- %s %s", map[bool]string{true: "**growing**", false: "steady"}[t.Grows], cell(text(t.Text)))
		}
		if rows := workerRows(f); len(rows) > 0 {
			line("\n| %s |\n|---|---|--:|--:|--:|--:|--:|--:|--:|", strings.Join(workerColumns(), " | "))
			for _, r := range rows {
				var cells []string
				for _, c := range r.cells() {
					cells = append(cells, cell(c))
				}
				line("| %s |", strings.Join(cells, " | "))
			}
		}
		if rows := comparedRows(f.Compared); len(rows) > 0 {
			line("\n| metric | %s (A) | %s (B) | B adds | 95 %% interval | detectable | |\n|---|--:|--:|--:|--:|--:|---|", cell(name(f.Compared.A)), cell(name(f.Compared.B)))
			for _, r := range rows {
				line("| %s | %s | %s | %s | %s | %s | %s |", cell(r.Metric), r.A, r.B, r.Added, r.Interval, r.Detectable, r.Found)
			}
		}
		for _, v := range clipped(f.Violations) {
			line("\n- %s (%s)", cell(text(v.Finding.String())), plain.Count(v.Count, "response"))
		}
	}
	for _, n := range notes(m) {
		line("\n> %s", cell(n))
	}
	return flush(w, &out)
}

// markdownVerdict writes the verdict, and of an inference what it found and how.
func markdownVerdict(line func(string, ...any), m runlog.Measured) {
	line("%s**%s**.", judged(m), cell(qualified(m)))
	if s := inferenceText(m); s != "" {
		line("\n%s.", cell(s))
	}
	if rows := limiterRows(limiter(m)); len(rows) > 0 {
		line("\n| parameter | value | range |\n|---|--:|--:|")
		for _, r := range rows {
			line("| %s | %s | %s |", r.Name, cell(r.Value), cell(r.Range))
		}
	}
	if s := scopeText(limiter(m)); s != "" {
		line("\nScope: %s.", cell(s))
	}
	if rows := experimentRows(m); len(rows) > 0 {
		line("\n| experiment | calls | admitted | refused | failed | took | result |\n|---|--:|--:|--:|--:|--:|---|")
		for _, r := range rows {
			line("| %s | %s | %s | %s | %s | %s | %s |", cell(r.Name), r.Calls, r.Admitted, r.Refused, r.Failed, r.Took, cell(r.Text))
		}
	}
	for _, e := range evidence(m) {
		line("\n- %s", cell(e))
	}
}

// cell makes a text inert in Markdown, in a table too.
func cell(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", ">", "&gt;", "&", "&amp;", "[", "\\[", "]", "\\]",
		"#", "\\#", "!", "\\!", "~", "\\~", "@", "&#64;").Replace(s)
}
