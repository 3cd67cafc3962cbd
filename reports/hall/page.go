package hall

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The templates of the pages.
var (
	//go:embed html/*.html.tmpl
	pageTemplates embed.FS
	//go:embed html/hall.css
	pageStyle []byte
)

// indexTemplate is the template of the only page with a matrix.
const indexTemplate = "index.html.tmpl"

// conduct is the page with the rules of a hall.
const conduct = "https://github.com/gatecert/gatecert/blob/main/docs/hall.md"

// frame is what every page has around its content.
type frame struct {
	// Title is safe to show.
	Title string
	// Root leads from the page to the folder of all pages: "" or "../".
	Root    string
	Conduct string
	Content any

	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
}

// render writes a page: one file that loads nothing, and can run only the script that chooses its colours, and walks its matrix.
func render(w io.Writer, name, title, root string, content any) error {
	scriptOf := reports.ThemeScript
	if name == indexTemplate {
		scriptOf = reports.MatrixScript
	}
	script, err := scriptOf()
	if err != nil {
		return err
	}
	tmpl, err := template.New(name).Funcs(template.FuncMap{
		"sign": reports.Sign, "date": date, "text": func(s string) string { return plain.Text(s, maxReason) },
	}).ParseFS(pageTemplates, "html/frame.html.tmpl", "html/"+name)
	if err != nil {
		return fmt.Errorf("page template: %w", err)
	}
	style := append(reports.Style(), pageStyle...)
	var out bytes.Buffer
	if err := tmpl.ExecuteTemplate(&out, "frame", frame{
		Title: title, Root: root, Conduct: conduct, Content: content,
		Policy: reports.Policy(style, script), Style: template.CSS(style), Script: template.JS(script),
	}); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	_, err = w.Write(out.Bytes())
	return err
}

// The addresses of pages, from the folder of all.
func gatewayPage(g Gateway) string { return "gateways/" + g.Slug + ".html" }

func rowPage(id contract.RowID) string { return "rows/" + rowFile(id) }

func runFolder(e Entry) string { return "runs/" + e.ID() + "/" }

// The files in the folder of a run.
const (
	evidenceFile = "index.html"
	packedLog    = "run.ndjson.gz"
)

// evidencePage is the address of what a run has about a row, a cell or a case of it.
func evidencePage(e Entry, about string) string {
	return runFolder(e) + evidenceFile + (&url.URL{Fragment: plain.Text(about, maxReason)}).String()
}

// index is what the first page shows.
type index struct {
	Sentence        string
	About           []string
	Matrix, Aspects template.HTML
	Gateways        []listed
	Refused         []Refusal
}

// listed is a gateway in the list of all.
type listed struct {
	Name, Version, Page, Badge, Evidence, Log string
	Date                                      string
	Verdict                                   contract.Verdict
	Sentence                                  string
	Signer                                    string
	Runs                                      int
}

func (h Hall) listed(g Gateway) listed {
	e := g.Current
	return listed{
		Name: g.Name, Version: plain.Text(e.Run.Target.Version, maxName), Page: gatewayPage(g), Badge: badgeFile(g),
		Evidence: evidencePage(e, ""), Log: runFolder(e) + packedLog, Date: date(e.day()),
		Verdict: e.Run.Verdict(), Sentence: e.sentence(), Signer: shortKey(e.Signer), Runs: len(g.Runs),
	}
}

// shortKey is the beginning of the id of a key.
func shortKey(id string) string { return id[:min(len(id), 12)] }

// sideBySide is the matrix of the current runs.
func (h Hall) sideBySide() reports.SideBySide {
	var runs []runlog.Run
	for _, g := range h.Gateways {
		runs = append(runs, g.Current.Run)
	}
	return reports.NewSideBySide(runs)
}

func (h Hall) indexPage(w io.Writer) error {
	s := h.sideBySide()
	gatewayOf := make(map[string]Gateway)
	for i, c := range s.Matrix.Columns {
		gatewayOf[c.Name] = h.Gateways[i]
	}
	p := index{
		Sentence: h.Sentence(),
		About:    []string{"as of " + date(h.options.Today), "level " + h.Scope, "contract " + shortDigest(contract.Digest())},
		Refused:  h.Refused,
	}
	var err error
	p.Matrix, p.Aspects, err = s.Tables(reports.Links{
		Cell: func(row contract.RowID, column string) string {
			return evidencePage(gatewayOf[column].Current, string(row))
		},
		Row:    rowPage,
		Column: func(column string) string { return gatewayPage(gatewayOf[column]) },
	})
	if err != nil {
		return err
	}
	for _, g := range h.Gateways {
		p.Gateways = append(p.Gateways, h.listed(g))
	}
	return render(w, indexTemplate, "Hall of results", "", p)
}

func shortDigest(digest string) string {
	const most = len("sha256:") + 12
	return digest[:min(len(digest), most)]
}

// Sentence summarises the hall, for example "3 gateways are listed at level relay; 2 logs are not listed".
func (h Hall) Sentence() string {
	verb := "are"
	if len(h.Gateways) == 1 {
		verb = "is"
	}
	text := fmt.Sprintf("%s %s listed at level %s", plain.Count(len(h.Gateways), "gateway"), verb, h.Scope)
	switch n := len(h.Refused); n {
	case 0:
	case 1:
		text += "; 1 log is not listed"
	default:
		text += fmt.Sprintf("; %d logs are not listed", n)
	}
	return text
}

// claim is the part of the contract that a run is judged by.
func claim(run runlog.Run) string { return strings.TrimSpace(run.Target.Claims.String()) }
