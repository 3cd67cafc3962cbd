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

// limiter is the limit that a measurement inferred, nil when it inferred none.
func limiter(m runlog.Measured) *runlog.FoundLimiter {
	if m.Footer == nil {
		return nil
	}
	return m.Footer.Limiter
}

// isClear reports whether an inference found the limit: its verdict is about nothing else.
func isClear(m runlog.Measured) bool { return m.Verdict() == contract.Pass }

// limiterRow is a parameter of an inferred limit, with the values that the answers do not exclude.
type limiterRow struct{ Name, Value, Range string }

// limiterRows are the parameters that the kind has, none where no limit was found.
func limiterRows(l *runlog.FoundLimiter) []limiterRow {
	if l == nil || l.Limit <= 0 {
		return nil
	}
	calls := func(v float64) string { return fmt.Sprintf("%.6g", v) }
	first := "limit"
	if l.RefillRange != nil || l.Refill > 0 {
		first = "burst"
	}
	rows := []limiterRow{{first, calls(float64(l.Limit)), span(l.LimitRange, calls)}}
	if l.Refill > 0 {
		return append(rows, limiterRow{"refill", rate(l.Refill), span(l.RefillRange, rate)})
	}
	if l.Window > 0 {
		rows = append(rows, limiterRow{"window", window(float64(l.Window)), span(l.WindowRange, window)})
	}
	return rows
}

// window writes a length to a millisecond, and one of 10 s or more to a hundredth of a second: the answers do not show more.
func window(v float64) string {
	d, unit := time.Duration(min(max(v, 0), 1e18)), time.Millisecond
	if d >= 10*time.Second {
		unit = 10 * time.Millisecond
	}
	return plain.Duration(d.Round(unit))
}

// span writes a range, "" for none.
func span(r *runlog.Range, text func(float64) string) string {
	if r == nil {
		return ""
	}
	from, to := text(r.From), text(r.To)
	if from == to {
		return from
	}
	return from + " to " + to
}

// limiterText is the parameters with their ranges on one line, "" for none.
func limiterText(l *runlog.FoundLimiter) string {
	var parts []string
	for _, r := range limiterRows(l) {
		if r.Range != "" {
			parts = append(parts, r.Name+" "+r.Range)
		}
	}
	return strings.Join(parts, ", ")
}

// scopeText is who shares the limit, "" where that was not asked.
func scopeText(l *runlog.FoundLimiter) string {
	if l == nil {
		return ""
	}
	return text(l.Scope)
}

// evidence is what an inferred limit rests on besides its experiments, safe to show.
func evidence(m runlog.Measured) []string {
	l := limiter(m)
	if l == nil {
		return nil
	}
	list := clipped(runlog.EvidenceBesides(m.Experiments, l.Evidence))
	for i, sentence := range list {
		list[i] = text(sentence)
	}
	return list
}

// experimentRow is one experiment of an inference.
type experimentRow struct{ Name, Start, Took, Calls, Admitted, Refused, Failed, Text string }

// maxExperimentRows bounds the experiments that are shown.
const maxExperimentRows = 60

// tally counts answers by what they mean for a limit.
func tally(answers []runlog.MeasuredAnswer) (admitted, refused, failed int) {
	for _, a := range answers {
		switch a.Outcome {
		case runlog.Admitted:
			admitted++
		case runlog.Refused:
			refused++
		default:
			failed++
		}
	}
	return admitted, refused, failed
}

func experimentRows(m runlog.Measured) []experimentRow {
	var rows []experimentRow
	for _, e := range m.Experiments[:min(len(m.Experiments), maxExperimentRows)] {
		admitted, refused, failed := tally(e.Answers)
		rows = append(rows, experimentRow{
			name(e.Name), plain.Time(e.Start), plain.Time(e.Took), fmt.Sprint(e.Calls), fmt.Sprint(admitted), fmt.Sprint(refused), fmt.Sprint(failed), text(e.Text),
		})
	}
	return rows
}

// inferenceText sums up the calls of an inference on one line, "" for other measurements.
func inferenceText(m runlog.Measured) string {
	calls, admitted, refused := 0, 0, 0
	for _, e := range m.Experiments {
		let, turned, _ := tally(e.Answers)
		calls, admitted, refused = calls+e.Calls, admitted+let, refused+turned
	}
	if calls == 0 {
		return ""
	}
	return fmt.Sprintf("%s in %s: %d admitted, %d refused", plain.Count(calls, "call"), plain.Count(len(m.Experiments), "experiment"), admitted, refused)
}

// answersOf are the answers of all experiments in the order in which they came.
func answersOf(m runlog.Measured) []runlog.MeasuredAnswer {
	var all []runlog.MeasuredAnswer
	for _, e := range m.Experiments {
		all = append(all, e.Answers...)
	}
	slices.SortStableFunc(all, func(a, b runlog.MeasuredAnswer) int { return cmp.Compare(a.Answered, b.Answered) })
	return all
}

// answersChart draws how many calls were admitted so far: a limiter shows as stairs or as a slope. Each refusal is a dot at the height it
// was met at, and each experiment a mark where it began.
func answersChart(m runlog.Measured, answers []runlog.MeasuredAnswer) (chart, bool) {
	if len(answers) < 2 {
		return chart{}, false
	}
	admitted, _, _ := tally(answers)
	ends := []float64{0}
	for _, a := range answers {
		ends = append(ends, a.Answered.Seconds())
	}
	c := chart{Title: "Calls admitted so far", XName: "seconds"}
	x, y := newAxis(false, chartLeft, chartRight, ends...), newAxis(false, chartBottom, chartTop, 0, max(float64(admitted), 1))
	c.vertical(y, plainNumber)
	c.horizontal(x, plainNumber)
	var stairs [][2]float64
	thinned := thinning{}
	n := 0.0
	for _, a := range answers {
		at := a.Answered.Seconds()
		class, title := "o-admitted", ""
		switch {
		case a.ByOther && a.Outcome == runlog.Admitted:
			class, title = "q50", "call by the other caller, admitted"
		case a.ByOther:
			class, title = "q50 missed", "call by the other caller, not admitted"
		case a.Outcome == runlog.Refused:
			class, title = "o-refused", "refused"
		case a.Outcome != runlog.Admitted:
			class, title = "o-error5", "failed"
		}
		if a.Outcome == runlog.Admitted {
			if n > 0 {
				stairs = append(stairs, [2]float64{at, n})
			}
			n++
			stairs = append(stairs, [2]float64{at, n})
		}
		if title == "" {
			continue
		}
		if dot := (chartDot{Class: class, X: x.at(at), Y: y.at(n)}); thinned.first(dot) {
			dot.Title = fmt.Sprintf("%s at %.4g s, after %s", title, at, plain.Count(int(n), "admitted call"))
			if a.Status > 0 {
				dot.Title += fmt.Sprintf(" (status %d)", a.Status)
			}
			c.Dots = append(c.Dots, dot)
			if key := (chartKey{class, title}); !slices.Contains(c.Legend, key) {
				c.Legend = append(c.Legend, key)
			}
		}
	}
	c.line("o-admitted", x, y, thinnedLine(stairs, x, y))
	c.Legend = append([]chartKey{{"o-admitted", "admitted"}}, c.Legend...)
	c.experiments(m, x)
	return c, true
}

// thinning leaves out dots that would cover each other.
type thinning map[string]bool

// dotGrid is the distance, in units of the chart, within which dots of one class are one.
const dotGrid = 2.5

func (t thinning) first(d chartDot) bool {
	place := fmt.Sprintf("%s %d %d", d.Class, int(d.X/dotGrid), int(d.Y/dotGrid))
	if t[place] {
		return false
	}
	t[place] = true
	return true
}

// thinnedLine leaves out points that are within half a unit of the one before, but the last.
func thinnedLine(points [][2]float64, x, y axis) [][2]float64 {
	var kept [][2]float64
	for i, p := range points {
		if len(kept) > 0 && i < len(points)-1 {
			before := kept[len(kept)-1]
			dx, dy := x.at(p[0])-x.at(before[0]), y.at(p[1])-y.at(before[1])
			if dx*dx+dy*dy < 0.25 {
				continue
			}
		}
		kept = append(kept, p)
	}
	return kept
}

// experiments marks where each experiment began. A name for which there is no room in three rows is left out.
func (c *chart) experiments(m runlog.Measured, x axis) {
	const rows, height, gap = 3, 13, 8
	var free [rows]float64
	for _, e := range m.Experiments[:min(len(m.Experiments), maxExperimentRows)] {
		at, label := x.at(e.Start.Seconds()), plain.Text(e.Name, 12)
		width := chartLetter*float64(len([]rune(label))) + gap
		anchor, left, right := "start", at, at+width
		if right > chartWidth {
			anchor, left, right = "end", at-width, at
		}
		row := slices.IndexFunc(free[:], func(end float64) bool { return end <= left })
		if row < 0 {
			c.mark("bound", at, "", "start", chartTop)
			continue
		}
		free[row] = right
		c.mark("bound", at, label, anchor, chartTop+10+height*float64(row))
	}
}

// answerBins is how many bars the chart of answers over time has.
const answerBins = 60

// ratesChart draws the answers per second.
func ratesChart(answers []runlog.MeasuredAnswer) (chart, bool) {
	if len(answers) < 2 {
		return chart{}, false
	}
	length := max(answers[len(answers)-1].Answered/answerBins+1, time.Millisecond)
	windows := make([]runlog.MeasuredWindow, answerBins)
	for i := range windows {
		windows[i] = runlog.MeasuredWindow{Start: time.Duration(i) * length, Length: length, Counts: map[runlog.Outcome]uint64{}}
	}
	for _, a := range answers {
		windows[min(max(int(a.Answered/length), 0), answerBins-1)].Counts[a.Outcome]++
	}
	return windowsChart(windows, "refused") // with 429 or another status
}
