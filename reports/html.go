package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/contract"
)

//go:embed html
var htmlFiles embed.FS

// pageData bounds the evidence in a page, in bytes of JSON. What a page adds around it stays below 300 KiB.
const pageData = 1600 << 10

// page is what the template shows. Its strings are plain already; html/template escapes them once more.
type page struct {
	Title   string
	Verdict contract.Verdict
	Sign    string
	// Headline and Detail are the closing sentence, here the first.
	Headline, Detail string

	Facts    [][2]string
	Remarks  []string
	Legend   []pageCount
	Levels   []pageLevel
	Surfaces []contract.Surface
	Groups   []pageGroup
	Profile  string

	Policy string
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

// pageBar is a part of a stacked bar that is 100 wide.
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
	// Parts is ID, cut where a line may break.
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
	// Label says the cell in words, for those who do not see it.
	Label string
	// Cases is 0 in a cell that opens nothing.
	Cases int
}

// HTML writes report.html: one file without a reference to any other, that may run its own script and nothing else.
// Evidence is cut until the file stays below 2 MB; the log keeps it whole. It fails when w does.
func HTML(w io.Writer, run Run) error {
	tmpl, err := template.ParseFS(htmlFiles, "html/report.html.tmpl")
	if err != nil {
		return fmt.Errorf("page template: %w", err)
	}
	p, err := newPage(run)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, p); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func newPage(run Run) (page, error) {
	style, err := htmlFiles.ReadFile("html/report.css")
	if err != nil {
		return page{}, fmt.Errorf("page style: %w", err)
	}
	script, err := htmlFiles.ReadFile("html/report.js")
	if err != nil {
		return page{}, fmt.Errorf("page script: %w", err)
	}
	data, err := evidence(run)
	if err != nil {
		return page{}, err
	}
	m := NewMatrix(run)
	headline, detail, _ := strings.Cut(Sentence(run), ": ")
	p := page{
		Title:    Plain(run.Target.Name, nameLimit),
		Verdict:  run.Verdict(),
		Sign:     sign(run.Verdict()),
		Headline: headline,
		Detail:   detail,
		Facts:    facts(run),
		Remarks:  remarks(run),
		Legend:   pageCounts(m.Totals),
		Groups:   pageGroups(m),
		Profile:  plainLines(run.Target.Profile, 16<<10),
		Policy: "default-src 'none'; style-src " + digest(style) + "; script-src " + digest(script) +
			"; img-src data:; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(style),
		Script: template.JS(script),
		// json.Marshal writes <, > and & as escapes, so that no content can end the element it stands in.
		Data: template.JS(data),
	}
	for _, s := range m.Surfaces {
		p.Surfaces = append(p.Surfaces, contract.Surface(Plain(string(s), nameLimit)))
	}
	for _, l := range append(m.Levels, LevelTotals{"all", m.Totals}) {
		p.Levels = append(p.Levels, pageLevel{Plain(string(l.Level), 20), l.Counts.Total(), pageCounts(l.Counts), pageBars(l.Counts)})
	}
	return p, nil
}

// digest is the CSP source that allows exactly this content of an element.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func pageCounts(counts Counts) []pageCount {
	var list []pageCount
	for _, v := range contract.Verdicts() {
		list = append(list, pageCount{v, sign(v), counts[v]})
	}
	return list
}

func pageBars(counts Counts) []pageBar {
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
	names := []string{"Other rows", "HTTP status codes", "Business error codes"}
	byTable := make([][]pageRow, len(names))
	for _, r := range m.Rows {
		row := pageRow{
			ID: Plain(string(r.ID), nameLimit), Meaning: r.Meaning, Advice: r.Advice, Status: r.Status.String(),
			Verdict: r.Verdict, Sign: sign(r.Verdict), Link: fragment(string(r.ID)),
		}
		for _, part := range strings.SplitAfter(row.ID, ":") {
			row.Parts = append(row.Parts, strings.SplitAfter(part, "_")...)
		}
		for _, c := range r.Cells {
			surface := Plain(string(c.Surface), nameLimit)
			label := row.ID + " on " + surface + ": " + string(c.Verdict)
			if n := len(c.Cases); n > 1 {
				label += fmt.Sprintf(", %d of %d cases", c.Counts[c.Verdict], n)
			}
			row.Cells = append(row.Cells, pageCell{
				c.Verdict, sign(c.Verdict), fragment(string(r.ID) + "/" + string(c.Surface)), label, len(c.Cases),
			})
		}
		byTable[r.Table] = append(byTable[r.Table], row)
	}
	var groups []pageGroup
	for _, table := range []int{1, 2, 0} {
		if rows := byTable[table]; len(rows) > 0 {
			groups = append(groups, pageGroup{names[table], rows})
		}
	}
	return groups
}

// fragment is the link to a place in the page.
func fragment(id string) template.URL {
	return template.URL((&url.URL{Fragment: Plain(id, nameLimit)}).String())
}

// evidence encodes the cases with as much evidence as fits the page: first all bodies are shown shorter, then cases go
// without evidence, those that need no attention before the others.
func evidence(run Run) ([]byte, error) {
	outcomes := run.Outcomes()
	var cases []json.RawMessage
	size := 0
	for _, limit := range []int{8 << 10, 2 << 10, 512} {
		cases, size = make([]json.RawMessage, 0, len(outcomes)), 0
		for _, c := range outcomes {
			data, err := json.Marshal(newPageCase(c, limit))
			if err != nil {
				return nil, fmt.Errorf("page data: %w", err)
			}
			cases = append(cases, data)
			size += len(data)
		}
		if size <= pageData {
			break
		}
	}
	for _, attention := range []bool{false, true} {
		for i := len(cases) - 1; i >= 0 && size > pageData; i-- {
			if failed(outcomes[i].Verdict) != attention {
				continue
			}
			data, err := json.Marshal(newPageCase(outcomes[i], 0))
			if err != nil {
				return nil, fmt.Errorf("page data: %w", err)
			}
			size -= len(cases[i]) - len(data)
			cases[i] = data
		}
	}
	data, err := json.Marshal(cases)
	if err != nil {
		return nil, fmt.Errorf("page data: %w", err)
	}
	return data, nil
}
