package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

//go:embed html
var htmlFiles embed.FS

// page is what the template shows. Its strings are plain already; html/template escapes them once more.
type page struct {
	pageHead
	pageMatrix
	Loads []pageLoad
	// Levels are totals by what By names: "Level", "Target" or "Theme".
	Levels  []pageLevel
	By      string
	Facts   []Fact
	Profile string
	pageAssets
}

// pageHead is the top of a page.
type pageHead struct {
	Title   string
	Verdict contract.Verdict
	// Headline and Detail are the closing sentence of the other reports, cut at its colon.
	Headline, Detail string
	Notes            []string
}

func newPageHead(title string, verdict contract.Verdict, sentence string, notes []string) pageHead {
	h := pageHead{Title: plain.Text(title, nameLimit), Verdict: verdict, Notes: notes}
	h.Headline, h.Detail, _ = strings.Cut(sentence, ": ")
	return h
}

// Sign is the mark of the page's verdict.
func (h pageHead) Sign() string { return sign(h.Verdict) }

type pageMatrix struct {
	Legend  []pageCount
	Columns []string
	Groups  []pageGroup
}

// pageAssets are the style, script and data of the page.
type pageAssets struct {
	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
	Data   template.JS
}

type pageCount struct {
	Verdict contract.Verdict
	Sign    string
	Cases   int
}

type pageLevel struct {
	Name   string
	Cases  int
	Counts []pageCount
	Bars   []pageBar
}

// pageBar is a part of a stacked bar of width 100.
type pageBar struct {
	Verdict  contract.Verdict
	X, Width float64
}

type pageGroup struct {
	Name string
	Rows []pageRow
}

type pageRow struct {
	ID, Meaning, Advice, Status string
	// Parts is ID, divided where a line may break.
	Parts   []string
	Verdict contract.Verdict
	Sign    string
	Link    template.URL
	Cells   []pageCell
}

type pageCell struct {
	Verdict contract.Verdict
	Sign    string
	Link    template.URL
	// Label describes the cell for screen readers.
	Label string
	// Cases is 0 in a cell that opens nothing.
	Cases int
}

// pageEntry is a case with its column in the matrix.
type pageEntry struct {
	runlog.Case
	// Target is the column in a matrix of targets; "" in the matrix of one run, whose columns are surfaces.
	Target string
}

// HTML writes report.html: one file that refers to no other and can run only its own script. Evidence is cut so that the
// file stays below 2 MB; the log has all of it. It fails only when w does.
func HTML(w io.Writer, run runlog.Run) error {
	m := NewMatrix(run)
	p := page{
		pageHead: newPageHead(run.Target.Name, run.Verdict(), Sentence(run), runNotes(run)),
		Facts:    runFacts(run),
		Profile:  plain.Lines(run.Target.Profile, 16<<10),
		By:       "Level",
	}
	for _, l := range append(m.Levels, LevelTotals{"all", m.Totals}) {
		p.Levels = append(p.Levels, newPageLevel(plain.Text(string(l.Level), 20), l.Counts))
	}
	for _, c := range run.Cases {
		if c.Load != nil {
			p.Loads = append(p.Loads, newPageLoad(c, *c.Load))
		}
	}
	var entries []pageEntry
	for _, c := range run.AllCases() {
		entries = append(entries, pageEntry{Case: c})
	}
	return p.write(w, m, entries)
}

// write adds the matrix, the cases behind it and the assets, and writes the page.
func (p page) write(w io.Writer, m Matrix, entries []pageEntry) error {
	tmpl, err := template.New("report.html.tmpl").Funcs(template.FuncMap{"n": chartNumber}).ParseFS(htmlFiles, "html/report.html.tmpl")
	if err != nil {
		return fmt.Errorf("page template: %w", err)
	}
	style, err := htmlFiles.ReadFile("html/report.css")
	if err != nil {
		return fmt.Errorf("page style: %w", err)
	}
	script, err := htmlFiles.ReadFile("html/report.js")
	if err != nil {
		return fmt.Errorf("page script: %w", err)
	}
	data, err := newPageData(entries, m)
	if err != nil {
		return err
	}
	p.Legend, p.Groups = pageCounts(m.Totals), pageGroups(m)
	for _, c := range m.Columns {
		p.Columns = append(p.Columns, plain.Text(c.Name, nameLimit))
	}
	p.Policy = "default-src 'none'; style-src " + digest(style) + "; script-src " + digest(script) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
	p.Style, p.Script = template.CSS(style), template.JS(script)
	// json.Marshal writes <, > and & as escapes, so that no content can end the element it stands in.
	p.Data = template.JS(data)
	var out bytes.Buffer
	if err := tmpl.Execute(&out, p); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return flush(w, &out)
}

func newPageLevel(name string, counts runlog.Counts) pageLevel {
	return pageLevel{name, counts.Total(), pageCounts(counts), pageBars(counts)}
}

// digest is the CSP source that permits an element with exactly this content.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func pageCounts(counts runlog.Counts) []pageCount {
	var list []pageCount
	for _, v := range contract.Verdicts() {
		list = append(list, pageCount{v, sign(v), counts[v]})
	}
	return list
}

func pageBars(counts runlog.Counts) []pageBar {
	var bars []pageBar
	x, total := 0.0, float64(counts.Total())
	for _, v := range contract.Verdicts() {
		if n := counts[v]; n > 0 {
			width := 100 * float64(n) / total
			bars = append(bars, pageBar{v, x, width})
			x += width
		}
	}
	return bars
}

func pageGroups(m Matrix) []pageGroup {
	var groups []pageGroup
	for _, r := range m.Rows {
		row := pageRow{
			ID: plain.Text(string(r.ID), nameLimit), Meaning: r.Meaning, Advice: r.Advice, Status: r.Status.String(),
			Verdict: r.Verdict, Sign: sign(r.Verdict), Link: fragment(string(r.ID)),
		}
		for _, part := range strings.SplitAfter(row.ID, ":") {
			row.Parts = append(row.Parts, strings.SplitAfter(part, "_")...)
		}
		for _, c := range r.Cells {
			label := row.ID + " on " + plain.Text(c.Column, nameLimit) + ": " + string(c.Verdict)
			if n := len(c.Cases); n > 1 {
				label += fmt.Sprintf(", %d of %d cases", c.Counts[c.Verdict], n)
			}
			row.Cells = append(row.Cells, pageCell{
				c.Verdict, sign(c.Verdict), fragment(string(r.ID) + "/" + c.Column), label, len(c.Cases),
			})
		}
		if len(groups) == 0 || groups[len(groups)-1].Name != r.Group {
			groups = append(groups, pageGroup{Name: r.Group})
		}
		last := &groups[len(groups)-1]
		last.Rows = append(last.Rows, row)
	}
	return groups
}

// fragment is the link to an anchor in the page.
func fragment(id string) template.URL {
	return template.URL((&url.URL{Fragment: plain.Text(id, nameLimit)}).String())
}
