package measured

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Diff compares two measurements: the capacity by its bounds, everything else by the windows of the main measurements.
type Diff struct {
	Old, New runlog.Measured
	Changes  []Change
	// Notes describe what makes the two measurements hard to compare: another rate, another endpoint, another SLO.
	Notes []string
}

// Change is how one quantity differs.
type Change struct {
	// Name is the quantity: "capacity", "p99 TTFT". Unit is [runlog.UnitTime], "requests/s", "calls", "share" or
	// "tokens/s".
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Old and New are the values of the quantity. Low and High are the bounds of the difference New - Old: with 95 % confidence or, for the capacity,
	// as far as the bounds are known.
	Old  float64 `json:"old"`
	New  float64 `json:"new"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Result is [Better] or [Worse] if the interval excludes 0, and otherwise [Undecided].
	Result ChangeResult `json:"result"`
	// Windows is the number of windows of each measurement that were compared. It is 0 for the capacity.
	Windows int `json:"windows,omitempty"`
}

// ChangeResult states what a change means.
type ChangeResult string

// The results of changes.
const (
	Better    ChangeResult = "better"
	Worse     ChangeResult = "worse"
	Undecided ChangeResult = "no difference shown"
)

// NewDiff compares two measurements. It shows no interval for a quantity that has fewer than eight windows in either measurement.
func NewDiff(old, new runlog.Measured) Diff { //nolint:predeclared // the words of the command
	d := Diff{Old: old, New: new}
	note := func(what, a, b string) {
		if a != b {
			d.Notes = append(d.Notes, fmt.Sprintf("different %s: %s before, %s now", what, text(a), text(b)))
		}
	}
	note("kind of measurement", string(old.Kind), string(new.Kind))
	note("endpoint", fmt.Sprint(old.Surfaces), fmt.Sprint(new.Surfaces))
	note("SLO", old.SLO, new.SLO)
	if old.Footer != nil && new.Footer != nil {
		note("rate of the main measurement", rate(old.Footer.Rate), rate(new.Footer.Rate))
		if c, ok := capacityChange(old.Footer.Capacity, new.Footer.Capacity); ok {
			d.Changes = append(d.Changes, c)
		}
	}
	if old.Kind == runlog.RateLimitKind && new.Kind == runlog.RateLimitKind {
		d.compareLimiters(old, new)
	}
	for _, m := range windowMetrics() {
		if c, ok := m.change(old.Windows, new.Windows); ok {
			d.Changes = append(d.Changes, c)
		}
	}
	return d
}

// capacityChange compares bounds: the capacities differ by at least the distance of the bounds, where they do not overlap.
func capacityChange(old, new *runlog.FoundCapacity) (Change, bool) { //nolint:predeclared // as above
	if old == nil || new == nil || old.Lower <= 0 && old.Upper <= 0 || new.Lower <= 0 && new.Upper <= 0 {
		return Change{}, false
	}
	upper := func(c *runlog.FoundCapacity) float64 {
		if c.Upper <= 0 || c.GeneratorLimited {
			return math.MaxFloat64 // nothing is known above the lower bound
		}
		return c.Upper
	}
	c := Change{Name: "capacity", Unit: "requests/s", Old: old.Lower, New: new.Lower, Low: new.Lower - upper(old), High: upper(new) - old.Lower, Result: Undecided}
	switch {
	case c.Low > 0:
		c.Result = Better
	case c.High < 0:
		c.Result = Worse
	}
	return c, true
}

// windowMetric is a quantity of a window.
type windowMetric struct {
	name, unit string
	// more says that more of it is better.
	more bool
	of   func(runlog.MeasuredWindow) (float64, bool)
}

func windowMetrics() []windowMetric {
	times := func(name string, of func(runlog.MeasuredWindow) int64) windowMetric {
		return windowMetric{name, runlog.UnitTime, false, func(w runlog.MeasuredWindow) (float64, bool) { return float64(of(w)), of(w) > 0 }}
	}
	return []windowMetric{
		times("p50 service time", func(w runlog.MeasuredWindow) int64 { return int64(w.P50) }),
		times("p99 service time", func(w runlog.MeasuredWindow) int64 { return int64(w.P99) }),
		times("p50 TTFT", func(w runlog.MeasuredWindow) int64 { return int64(w.TTFT50) }),
		times("p99 TTFT", func(w runlog.MeasuredWindow) int64 { return int64(w.TTFT99) }),
		times("p50 ITL", func(w runlog.MeasuredWindow) int64 { return int64(w.ITL50) }),
		times("p99 ITL", func(w runlog.MeasuredWindow) int64 { return int64(w.ITL99) }),
		{"errors", "share", false, func(w runlog.MeasuredWindow) (float64, bool) {
			all, failed := 0.0, 0.0
			for o, n := range w.Counts {
				if o.OfGateway() {
					all += float64(n)
				}
				if o.Failed() {
					failed += float64(n)
				}
			}
			return failed / max(all, 1), all > 0
		}},
		{"tokens/s", "tokens/s", true, func(w runlog.MeasuredWindow) (float64, bool) {
			return float64(w.Tokens) / w.Length.Seconds(), w.Tokens > 0 && w.Length > 0
		}},
	}
}

// MinWindows is how many time windows a comparison needs on either side, without the first and the last.
const MinWindows = 8

func (m windowMetric) change(old, new []runlog.MeasuredWindow) (Change, bool) { //nolint:predeclared // as above
	a, b := m.values(old), m.values(new)
	if len(a) < MinWindows || len(b) < MinWindows {
		return Change{}, false
	}
	c := Change{Name: m.name, Unit: m.unit, Old: mean(a), New: mean(b), Result: Undecided, Windows: min(len(a), len(b))}
	c.Low, c.High = differenceOfMeans(a, b)
	switch {
	case c.Low > 0 && m.more, c.High < 0 && !m.more:
		c.Result = Better
	case c.Low > 0 && !m.more, c.High < 0 && m.more:
		c.Result = Worse
	}
	return c, true
}

// values are those of all windows but the first, in which connections are opened, and the last, which is seldom whole.
func (m windowMetric) values(windows []runlog.MeasuredWindow) []float64 {
	var list []float64
	for _, w := range windows[min(1, len(windows)):max(len(windows)-1, min(1, len(windows)))] {
		if v, ok := m.of(w); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			list = append(list, v)
		}
	}
	return list
}

// Count returns how many quantities have the given result.
func (d Diff) Count(r ChangeResult) (n int) {
	for _, c := range d.Changes {
		if c.Result == r {
			n++
		}
	}
	return n
}

// Sentence summarises the comparison in one line.
func (d Diff) Sentence() string {
	return fmt.Sprintf("%s compared: %d worse, %d better, %d without a clear difference", plain.Count(len(d.Changes), "quantity"), d.Count(Worse), d.Count(Better), d.Count(Undecided))
}

func (c Change) text(v float64) string {
	switch {
	case v > 1e300:
		return "∞"
	case v < -1e300:
		return "-∞"
	case c.Unit == runlog.UnitTime:
		return value(c.Unit, v)
	case c.Unit == "calls":
		return fmt.Sprintf("%.6g", v)
	case c.Unit == "share":
		return fmt.Sprintf("%.3g %%", 100*v)
	default:
		return fmt.Sprintf("%.4g/s", v)
	}
}

func (c Change) cells() []string {
	signed := func(v float64) string {
		if v > 0 {
			return "+" + c.text(v)
		}
		return c.text(v)
	}
	return []string{c.Name, c.text(c.Old), c.text(c.New), signed(c.Low) + " … " + signed(c.High), string(c.Result)}
}

var diffHeader = []string{"QUANTITY", "OLD", "NEW", "DIFFERENCE (95 %)", "RESULT"} //nolint:gochecknoglobals // a constant

// Terminal writes the comparison for a terminal. It returns only errors of w.
func (d Diff) Terminal(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "old  %s  %s\nnew  %s  %s\n", name(d.Old.Target.Name), headline(d.Old), name(d.New.Target.Name), headline(d.New))
	for _, n := range d.Notes {
		fmt.Fprintf(&out, "note: %s\n", n)
	}
	fmt.Fprintln(&out)
	var lines [][]string
	for _, c := range d.Changes {
		lines = append(lines, c.cells())
	}
	if err := reports.Table(&out, diffHeader, lines, tw.CellConfig{Alignment: tw.CellAlignment{Global: tw.AlignLeft}}); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	fmt.Fprintf(&out, "\n%s.\n", d.Sentence())
	return flush(w, &out)
}

// Markdown writes the comparison for a pull request. It returns only errors of w.
func (d Diff) Markdown(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "## %s\n\nOld: %s: %s. New: %s: %s.\n", cell(d.Sentence()), cell(name(d.Old.Target.Name)), cell(headline(d.Old)), cell(name(d.New.Target.Name)), cell(headline(d.New)))
	for _, n := range d.Notes {
		fmt.Fprintf(&out, "\n> %s\n", cell(n))
	}
	fmt.Fprintf(&out, "\n| quantity | old | new | difference (95 %%) | result |\n|---|--:|--:|--:|---|\n")
	for _, c := range d.Changes {
		x := c.cells()
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", x[0], x[1], x[2], x[3], x[4])
	}
	return flush(w, &out)
}

// JSON writes the comparison for programs. It returns only errors of w.
func (d Diff) JSON(w io.Writer) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(struct {
		Schema   string   `json:"schema"`
		Old      string   `json:"old_run_id"`
		New      string   `json:"new_run_id"`
		Sentence string   `json:"sentence"`
		Changes  []Change `json:"changes"`
		Notes    []string `json:"notes"`
	}{"gatecert.load-diff/1", d.Old.RunID, d.New.RunID, d.Sentence(), orEmpty(d.Changes), orEmpty(d.Notes)}); err != nil {
		return fmt.Errorf("encode the comparison: %w", err)
	}
	return flush(w, &out)
}
