package measured

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The parts of the page.
var (
	//go:embed html/page.html.tmpl
	pageTemplate string
	//go:embed html/page.css
	pageStyle []byte
)

// page is what the template shows. Every text of the log was made plain; html/template escapes it once more.
type page struct {
	Title, Kind, Headline, SLO, Judged string
	Verdict                            contract.Verdict
	Sign, Counts, At, RateNote         string
	Gates                              []pageGate
	Notes                              []string
	Charts                             []chart
	Metrics                            []metricRow
	Workers                            [][]string
	WorkerColumns                      []string
	Limiter                            []limiterRow
	Scope                              string
	Experiments                        []experimentRow
	Evidence                           []string
	Compared                           []comparedRow
	ComparedOf                         string
	Trends                             []runlog.MeasuredTrend
	Violations                         []pageViolation
	Points                             []pagePoint
	PointCount                         string
	Facts                              []fact
	Profile                            string

	Width, Height, Top, Depth, Right int

	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
}

type pageGate struct {
	Verdict               contract.Verdict
	Sign, Word, Text, Why string
}

type pageViolation struct {
	Verdict    contract.Verdict
	Sign, Text string
}

type pagePoint struct {
	Rate, Lasted, P50, P99 string
	Admitted               uint64
	Result                 string
}

// maxPagePoints bounds the probes in the table; the log has all of them.
const maxPagePoints = 300

// HTML writes report.html: a single file that refers to no other file and can run only its own script, which changes nothing but the colours. HTML
// returns only errors of w.
func HTML(w io.Writer, m runlog.Measured) error {
	script, err := reports.ThemeScript()
	if err != nil {
		return err
	}
	style := append(reports.Style(), pageStyle...)
	p := page{
		Title: name(m.Target.Name), Kind: kindName(m.Kind), Headline: headline(m), SLO: text(m.SLO), Judged: judged(m) + qualified(m) + ".",
		Verdict: m.Verdict(), Sign: sign(m.Verdict()), Notes: notes(m), Charts: charts(m), Metrics: metricRows(m), Facts: facts(m),
		Profile: plain.Lines(m.Target.Profile, 16<<10),
		Width:   chartWidth, Height: chartHeight, Top: chartTop, Depth: chartBottom - chartTop, Right: chartRight,
		Policy: reports.Policy(style, script), Style: template.CSS(style), Script: template.JS(script), //nolint:gosec // both are our own
	}
	for _, x := range m.Metrics {
		if x.Unit == runlog.UnitRate {
			p.RateNote = "For tokens/s, p95 is the rate that 95 % of the streams exceed, and p99 is the rate that 99 % exceed."
		}
	}
	for _, pt := range m.Points[:min(len(m.Points), maxPagePoints)] {
		t := pt.Times["latency"]
		p.Points = append(p.Points, pagePoint{pointName(pt), plain.Time(pt.Lasted), plain.Time(t.P50), plain.Time(t.P99), pt.Counts[runlog.Admitted], pointResult(pt)})
	}
	p.Counts = cmp.Or(sampleText(m), inferenceText(m))
	p.Limiter, p.Scope, p.Experiments, p.Evidence = limiterRows(limiter(m)), scopeText(limiter(m)), experimentRows(m), evidence(m)
	p.PointCount = fmt.Sprintf("All %s in search order", plain.Count(len(m.Points), "probe"))
	if m.Footer != nil {
		p.addFooter(*m.Footer)
	}
	tmpl, err := template.New("page").Funcs(template.FuncMap{"n": number}).Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("page template: %w", err)
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, p); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return flush(w, &out)
}

func (p *page) addFooter(f runlog.MeasuredFooter) {
	if s := f.Sample; s != nil && s.Offered > 0 {
		p.At = rate(f.Rate)
	}
	for _, g := range clipped(f.Gates) {
		shown := pageGate{Verdict: contract.Error, Sign: gateSign(g), Word: name(string(g.Result)), Text: text(g.Text), Why: text(g.Why)}
		switch g.Result {
		case contract.Held:
			shown.Verdict = contract.Pass
		case contract.Violated:
			shown.Verdict = contract.Fail
		case contract.Untested: // stays undecided
		}
		p.Gates = append(p.Gates, shown)
	}
	for _, r := range workerRows(&f) {
		p.Workers = append(p.Workers, r.cells())
	}
	p.WorkerColumns = workerColumns()
	p.WorkerColumns[0], p.WorkerColumns[1] = "Worker", "Machine"
	if c := f.Compared; c != nil {
		p.Compared = comparedRows(c)
		p.ComparedOf = fmt.Sprintf("%s (A) and %s (B), at %s in %d interleaved rounds", name(c.A), name(c.B), rate(c.Rate), c.Rounds)
	}
	for _, t := range clipped(f.Trends) {
		p.Trends = append(p.Trends, runlog.MeasuredTrend{Grows: t.Grows, Text: text(t.Text)})
	}
	for _, v := range clipped(f.Violations) {
		verdict := contract.VerdictOf([]contract.Finding{v.Finding})
		p.Violations = append(p.Violations, pageViolation{verdict, sign(verdict), text(v.Finding.String()) + ", in " + plain.Count(v.Count, "response")})
	}
}
