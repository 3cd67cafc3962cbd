package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The parts of the page.
var (
	//go:embed html/*.html.tmpl
	pageTemplates embed.FS
	//go:embed html/report.css
	pageStyle []byte
	//go:embed html/*.js
	pageScripts embed.FS
)

// shownCauses is how many causes a page shows before the matrix. A real gateway has up to 60; the others are folded.
const shownCauses = 8

// page is what the template shows. Whatever comes from a gateway is made plain in the template; html/template escapes it
// once more.
type page struct {
	Title   string
	Verdict contract.Verdict
	// Brand describes the kind of page, for example "conformance report".
	Brand string
	// About lists the facts that belong to the verdict: date, URL, level and claim.
	About []string
	// Words contains the meaning of verdicts on this page, if it differs from their usual meaning.
	Words map[contract.Verdict]string
	// Headline and Detail are the closing sentence of the other reports, cut at its colon.
	Headline, Detail string
	Notes            []string
	// Targets is set if the columns are targets.
	Targets bool
	// Causes are what to fix first, under Fix. MoreCauses counts those that the page has no room for.
	Causes     []pageCause
	Fix        string
	MoreCauses string
	Matrix     Matrix
	Scores     scores
	// Loads are the load cases. OnlyLoads is set if there are no other cases.
	Loads     []runlog.Case
	OnlyLoads bool
	// Levels are the totals, grouped by what By names: "Level", "Target" or "Theme". Counted names what is counted: "Cases" or "Gateways".
	Levels  []pageLevel
	By      string
	Counted string
	// RowName is the heading of the rows. ColumnName is what a column is called where readers can choose one.
	RowName, ColumnName string
	Facts               []Fact
	Profile             string
	// Callers describes the behaviour of client libraries. It is nil if none ran.
	Callers *callers

	language Language
	// links lead to other pages, nil where the evidence is on this one.
	links *Links

	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
	// Cases and Evidence are JSON. Only Cases is parsed when the page opens.
	Cases, Evidence template.JS
}

func newPage(title string, verdict contract.Verdict, sentence string, notes []string, by string) page {
	p := page{Title: plain.Text(title, nameLimit), Verdict: verdict, Brand: "conformance report", Notes: notes, By: by, Counted: "Cases", RowName: "Row", ColumnName: "Target"}
	p.Headline, p.Detail, _ = strings.Cut(sentence, ": ")
	return p
}

// Word returns the word for a verdict on this page.
func (p page) Word(v contract.Verdict) string { return cmp.Or(p.Words[v], string(v)) }

// Legend returns the verdicts that the page explains, that is, those that have a meaning on it.
func (p page) Legend() []contract.Verdict {
	return slices.DeleteFunc(contract.Verdicts(), func(v contract.Verdict) bool { return p.Words != nil && p.Words[v] == "" })
}

// Many reports whether the matrix has too many columns for numbers in its cells on a laptop.
func (p page) Many() bool { return !p.Targets && len(p.Matrix.Columns) > 10 }

// First returns the causes that the page shows at once. Rest returns those that are collapsed.
func (p page) First() []pageCause { return p.Causes[:min(len(p.Causes), shownCauses)] }

// Rest returns the causes after the first ones.
func (p page) Rest() []pageCause { return p.Causes[len(p.First()):] }

type pageLevel struct {
	Name   string
	Counts runlog.Counts
}

// pageBar is a part of a stacked bar of width 100.
type pageBar struct {
	Verdict  contract.Verdict
	X, Width float64
}

// pageFuncs are the functions that the template calls.
var pageFuncs = template.FuncMap{
	"sign": sign, "verdicts": contract.Verdicts, "bars": pageBars, "groups": groups, "formats": formats, "starts": starts, "parts": nameParts, "label": cellLabel, "link": fragment, "caller": callerFragment, "names": func(list []string) string { return plain.Text(strings.Join(list, ", "), textLimit) }, "part": partLegend,
	"name": func(v any) string { return plain.Text(fmt.Sprint(v), nameLimit) },
	"text": func(s string) string { return plain.Text(s, textLimit) },
	"n":    chartNumber, "charts": loadCharts, "summary": loadSentence, "capital": capital, "check": checkVerdict, "duration": duration,
}

// HTML writes report.html: a single file that refers to no other file and can run only its own script. Evidence is truncated so that the file stays
// below 2.4 MB; the log contains all of it. HTML returns only errors of w.
func HTML(w io.Writer, run runlog.Run) error { return HTMLIn(w, run, Language{}) }

// HTMLIn is like [HTML], but in a given language.
func HTMLIn(w io.Writer, run runlog.Run, l Language) error {
	m := NewMatrix(run)
	p := newPage(targetName(run), run.Verdict(), Sentence(run), runNotes(run), "Level")
	p.About = runAbout(run)
	p.language = l
	p.Facts, p.Profile = runFacts(run), plain.Lines(run.Target.Profile, 16<<10)
	for _, l := range append(m.Levels, LevelTotals{"all", m.Totals}) {
		p.Levels = append(p.Levels, pageLevel{plain.Text(string(l.Level), 20), l.Counts})
	}
	p.Loads = slices.DeleteFunc(slices.Clone(run.Cases), func(c runlog.Case) bool { return c.Load == nil })
	entries := runEntries(run.AllCases(), run.TraceURL)
	if p.OnlyLoads = len(p.Loads) > 0 && len(p.Loads) == len(entries); p.OnlyLoads {
		m.Rows = slices.DeleteFunc(m.Rows, func(r MatrixRow) bool { return r.Counts.Total() == 0 })
	}
	p.Scores = newScores("Endpoint", m.Columns, entries, true)
	p.addCauses(run, entries)
	return p.write(w, m, entries, func(groups int) *callers { return newCallers(run.Clients, groups) })
}

// write adds the matrix, the cases behind it, what clients do and the assets, and writes the page.
func (p page) write(w io.Writer, m Matrix, entries []pageEntry, clients func(groups int) *callers) error {
	tmpl, err := newPageTemplate()
	if err != nil {
		return err
	}
	script, err := pageScript(p.language)
	if err != nil {
		return err
	}
	size, err := p.addCallers(tmpl, clients)
	if err != nil {
		return err
	}
	cases, evidence, err := newPageData(entries, m, evidenceLimit-size)
	if err != nil {
		return err
	}
	p.Matrix = m
	p.Policy = Policy(pageStyle, script)
	p.Style, p.Script = template.CSS(pageStyle), template.JS(script)
	// json.Marshal writes <, > and & as escapes, so that no content can end the element it stands in.
	p.Cases, p.Evidence = template.JS(cases), template.JS(evidence)
	var out bytes.Buffer
	if err := tmpl.Execute(&out, p); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return flush(w, &out)
}

func newPageTemplate() (*template.Template, error) {
	tmpl, err := template.New("report.html.tmpl").Funcs(pageFuncs).ParseFS(pageTemplates, "html/*.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("page template: %w", err)
	}
	return tmpl, nil
}

// pageScript is the script of the page: its files in the order in which they need each other, in one scope of their own.
func pageScript(l Language) ([]byte, error) {
	script := []byte("\"use strict\";\n(() => {\n")
	names := []string{"base", "list", "causes", "diff", "evidence", "panel", "callers", "keys"}
	if l.name != "" {
		catalogue, err := l.catalogue()
		if err != nil {
			return nil, fmt.Errorf("page script: %w", err)
		}
		script = append(append(append(script, "const catalogue = "...), catalogue...), ";\n"...)
		names = append(names, "translate")
	}
	for _, name := range names {
		part, err := pageScripts.ReadFile("html/" + name + ".js")
		if err != nil {
			return nil, fmt.Errorf("page script: %w", err)
		}
		script = append(append(script, part...), '\n')
	}
	return append(script, "})();\n"...), nil
}

// digest is the CSP source that permits an element with exactly this content.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
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

// groups are the rows of a matrix, divided where the group changes.
func groups(m Matrix) [][]MatrixRow {
	var list [][]MatrixRow
	for i, r := range m.Rows {
		if i == 0 || r.Group != m.Rows[i-1].Group {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], r)
	}
	return list
}

// pageFormat is a heading above neighbouring columns.
type pageFormat struct {
	Name string
	Span int
}

// formats are the headings above the columns, none where no column has one.
func formats(m Matrix) []pageFormat {
	var list []pageFormat
	named := false
	for i, c := range m.Columns {
		if i == 0 || c.Group != m.Columns[i-1].Group {
			list = append(list, pageFormat{Name: c.Group})
		}
		list[len(list)-1].Span++
		named = named || c.Group != ""
	}
	if !named {
		return nil
	}
	return list
}

// starts reports whether a column is the first under its heading.
func starts(m Matrix, column int) bool {
	return column == 0 && m.Columns[0].Group != "" || column > 0 && m.Columns[column].Group != m.Columns[column-1].Group
}

// nameParts are the name of a row, divided where a line may break.
func nameParts(id contract.RowID) []string {
	var parts []string
	for _, part := range strings.SplitAfter(plain.Text(string(id), nameLimit), ":") {
		parts = append(parts, strings.SplitAfter(part, "_")...)
	}
	return parts
}

// cellLabel describes a cell for screen readers.
func cellLabel(r MatrixRow, c Cell) string {
	label := plain.Text(string(r.ID), nameLimit) + " on " + plain.Text(c.Column, nameLimit) + ": " + string(c.Verdict)
	if n := len(c.Cases); n > 1 {
		label += fmt.Sprintf(", %d of %d cases", c.Counts[c.Verdict], n)
	}
	if c.Partly() != "" && tested(c.Counts) != c.Counts[c.Verdict] {
		label += fmt.Sprintf(", %d tested", tested(c.Counts))
	}
	return label
}

// CellLink returns the address to which a cell links.
func (p page) CellLink(row contract.RowID, column string) template.URL {
	if p.links == nil {
		return fragment(row, column)
	}
	return template.URL(p.links.Cell(row, column))
}

// RowLink returns the address to which a row links.
func (p page) RowLink(row contract.RowID) template.URL {
	if p.links == nil {
		return fragment(row)
	}
	return template.URL(p.links.Row(row))
}

// ColumnLink returns the address to which a column links, or "" if it does not link to anything.
func (p page) ColumnLink(column string) template.URL {
	if p.links == nil {
		return ""
	}
	return template.URL(p.links.Column(column))
}

// Static reports whether the page has no script that filters its cases.
func (p page) Static() bool { return p.links != nil }

// fragment is the link to a row of the page, or to a cell of it.
func fragment(row contract.RowID, column ...string) template.URL {
	id := strings.Join(append([]string{string(row)}, column...), "/")
	return template.URL((&url.URL{Fragment: plain.Text(id, nameLimit)}).String())
}
