package measured

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The maximum lengths of texts that are shown.
const (
	nameLimit = 200
	textLimit = 500
	listLimit = 20 // entries of a list
)

func name(s string) string { return plain.Text(s, nameLimit) }

func text(s string) string { return plain.Text(s, textLimit) }

// value writes a value of a metric.
func value(unit string, v float64) string {
	switch unit {
	case runlog.UnitTime:
		return plain.Time(time.Duration(v))
	case runlog.UnitRate:
		return rate(v / 1000)
	default:
		return fmt.Sprintf("%.4g", v)
	}
}

// rate writes a number by the second.
func rate(r float64) string {
	if r >= 1000 && r < 1e9 {
		return fmt.Sprintf("%.0f/s", r)
	}
	return fmt.Sprintf("%.4g/s", r)
}

// label is a metric as reports name it.
func label(metric string) string {
	switch metric {
	case "latency", "stall", "tokens":
		return metric
	case "service":
		return "service time"
	case "token-rate":
		return "tokens/s"
	case "ttfb", "ttft", "itl", "tpot":
		return strings.ToUpper(metric)
	default:
		return name(metric)
	}
}

// headline is the result in one line.
func headline(m runlog.Measured) string {
	if m.Footer == nil {
		return "unfinished: the measurement was killed, so the report shows only the results up to that point"
	}
	return text(m.Footer.Result)
}

// qualified is the verdict with what qualifies it.
func qualified(m runlog.Measured) string {
	var words []string
	if f := m.Footer; f != nil {
		if f.Capacity != nil && f.Capacity.Unstable {
			words = append(words, "unstable")
		}
		if f.Interrupted || f.Capacity != nil && f.Capacity.Partial {
			words = append(words, "stopped early")
		}
	}
	line := string(m.Verdict())
	if m.Kind == runlog.RateLimitKind {
		line = map[bool]string{true: "clear", false: "unclear"}[isClear(m)]
	}
	if len(words) > 0 {
		line += " (" + strings.Join(words, ", ") + ")"
	}
	return line
}

// judged begins the sentence with the verdict: it is about the responses, or about what was inferred from them.
func judged(m runlog.Measured) string {
	if m.Kind == runlog.RateLimitKind {
		return "The result is "
	}
	return "Response verdict: "
}

// notes are the footer's notes, and the problems of the generator.
func notes(m runlog.Measured) []string {
	var all []string
	if m.Torn {
		all = append(all, "the last line of the log is incomplete and was ignored")
	}
	f := m.Footer
	if f == nil {
		return all
	}
	for _, n := range clipped(f.Notes) {
		all = append(all, text(n))
	}
	for _, p := range clipped(f.Generator.Problems) {
		all = append(all, "inconclusive: "+text(p))
	}
	return all
}

func clipped[T any](list []T) []T { return list[:min(len(list), listLimit)] }

// sources says how the tokens were counted.
func sources(f runlog.MeasuredFooter) string {
	names := []struct{ key, text string }{
		{"usage", "from the usage field of the responses"}, {"tokenizer", "with the tokenizer cl100k_base"}, {"events", "as stream events"},
	}
	var parts []string
	for _, n := range names {
		if count := f.Counted[n.key]; count > 0 {
			part := n.text
			if len(f.Counted) > 1 {
				part += fmt.Sprintf(" (%d)", count)
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " and ")
}

// kindName is the kind of measurement as a heading.
func kindName(k runlog.MeasuredKind) string {
	switch k {
	case runlog.CapacityKind, runlog.SoakKind:
		return string(k)
	case runlog.CompareKind:
		return "comparison"
	case runlog.RateLimitKind:
		return "rate limit"
	default:
		return name(string(k))
	}
}

// fact is a name and a text, both safe to show.
type fact struct{ Label, Text string }

// facts are what is known of the measurement.
func facts(m runlog.Measured) []fact {
	var surfaces []string
	for _, s := range clipped(m.Surfaces) {
		surfaces = append(surfaces, string(s))
	}
	all := []fact{
		{"target", name(m.Target.Name)}, {"url", name(m.Target.BaseURL)}, {"driver", name(m.Target.Driver)}, {"version", name(m.Target.Version)},
		{"endpoint", name(strings.Join(surfaces, ", "))}, {"SLO", text(m.SLO)},
	}
	for _, x := range clipped(m.Facts) {
		all = append(all, fact{name(x.Name), text(x.Text)})
	}
	if f := m.Footer; f != nil {
		if f.Tokens > 0 {
			all = append(all, fact{"tokens", fmt.Sprintf("%d output, %d input, counted %s", f.Tokens, f.Input, sources(*f))})
		}
		if g := f.Generator; g.Cores > 0 {
			line := fmt.Sprintf("lag p99 %s, %s sent late, %s waited for a free connection", plain.Time(g.LagP99), plain.Count(g.Late, "request"), plain.Count(g.Waited, "request"))
			if g.CPU >= 0 && g.CPU < 1000 {
				line += fmt.Sprintf(", %.0f %% CPU usage (cores: %d)", 100*g.CPU, g.Cores)
			}
			all = append(all, fact{"generator", line})
		}
		all = append(all, fact{"duration", plain.Duration(f.Ended.Sub(m.Started).Round(time.Millisecond))})
	}
	all = append(all, fact{"started", m.Started.UTC().Format(time.RFC3339)}, fact{"run", name(m.RunID)}, fact{"tool", name(m.Tool)})
	return slices.DeleteFunc(all, func(f fact) bool { return f.Text == "" })
}

// metricRow is a line of the table of metrics.
type metricRow struct {
	Metric, Request, Outcome, Count string
	Mean, P50, P95, P99, Max        string
}

// metricRows are the metrics of the main measurement: those of admitted requests first. Of rates p95 and p99 are those that 95 % and
// 99 % exceed.
func metricRows(m runlog.Measured) []metricRow {
	order := []string{"latency", "service", "ttfb", "ttft", "itl", "tpot", "stall", "token-rate", "tokens"}
	list := slices.Clone(m.Metrics)
	slices.SortStableFunc(list, func(a, b runlog.Metric) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(slices.Index(order, a.Metric), slices.Index(order, b.Metric)))
	})
	var rows []metricRow
	for _, x := range list {
		q := x.Quantile
		if x.Unit == runlog.UnitRate {
			q = func(share float64) float64 { return x.Quantile(1 - share) }
		}
		rows = append(rows, metricRow{
			label(x.Metric), name(x.Request), name(string(x.Outcome)), fmt.Sprint(x.Count), value(x.Unit, x.Mean),
			value(x.Unit, x.Quantile(0.5)), value(x.Unit, q(0.95)), value(x.Unit, q(0.99)), value(x.Unit, x.Quantile(1)),
		})
		if len(rows) == 100 {
			break
		}
	}
	return rows
}

// rank puts admitted requests first.
func rank(m runlog.Metric) int {
	return slices.Index(runlog.Outcomes(), m.Outcome)
}

// outcomeCounts are the responses by outcome, in order.
func outcomeCounts(counts map[runlog.Outcome]uint64) string {
	var parts []string
	for _, o := range runlog.Outcomes() {
		if n := counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

// pointResult is what came of a probe.
func pointResult(p runlog.Point) string {
	switch {
	case len(p.Inconclusive) > 0:
		return "inconclusive: " + text(strings.Join(clipped(p.Inconclusive), "; "))
	case len(p.Misses) > 0:
		return "SLO missed: " + text(strings.Join(clipped(p.Misses), "; "))
	default:
		return "SLO met"
	}
}

// sign is the sign of a verdict.
func sign(v contract.Verdict) string {
	switch v {
	case contract.Pass:
		return "✓"
	case contract.Warn:
		return "!"
	case contract.Fail:
		return "✗"
	default:
		return "?"
	}
}

// comparedRow is a line of the table of a comparison.
type comparedRow struct{ Metric, A, B, Added, Interval, Detectable, Found string }

// comparedRows are the differences of a comparison, none for nil.
func comparedRows(c *runlog.Compared) []comparedRow {
	if c == nil {
		return nil
	}
	var rows []comparedRow
	for _, d := range c.Differences[:min(len(c.Differences), 100)] {
		show := func(v float64) string {
			if d.Share {
				return fmt.Sprintf("%.3g %%", 100*v)
			}
			return plain.Time(time.Duration(min(max(v, -1e9), 1e9) * float64(time.Second)))
		}
		found := "no difference"
		if d.Found() {
			found = "differs"
		}
		rows = append(rows, comparedRow{name(d.Metric), show(d.A), show(d.B), show(d.Added), show(d.Low) + " … " + show(d.High), show(d.Detectable), found})
	}
	return rows
}

// pointName is what a probe held: a rate, or a number of callers.
func pointName(p runlog.Point) string {
	if p.Callers > 0 {
		return fmt.Sprintf("%s, %s", plain.Count(p.Callers, "caller"), rate(p.Rate))
	}
	return rate(p.Rate)
}

// sampleText is what came of the main measurement in one line, "" when there is none. Without an SLO there is no goodput.
func sampleText(m runlog.Measured) string {
	f := m.Footer
	if f == nil || f.Sample == nil || f.Sample.Offered == 0 {
		return ""
	}
	line := fmt.Sprintf("%s at %s", outcomeCounts(f.Sample.Counts), rate(f.Rate))
	if m.SLO != "" {
		line += fmt.Sprintf(", goodput %.4g %%", 100*float64(f.Sample.Good)/float64(f.Sample.Offered))
	}
	return line
}
