package watch

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

//go:embed page.html.tmpl
var pageFiles embed.FS

// shownRounds is how many rounds the page lists.
const shownRounds = 200

// indexPolicy lets the page do nothing but show itself.
const indexPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page is what the template shows.
type page struct {
	Target string
	Every  time.Duration
	Last   *Entry
	// Report is the newest round with a report.
	Report  string
	Entries []Entry
}

// Handler serves the history (/), the reports of the kept runs (/runs/ID/), the newest report (/report), the metrics (/metrics), and /healthz, which
// responds with 200 while the watch is running.
func (w *Watcher) Handler() (http.Handler, error) {
	tmpl, err := template.New("page.html.tmpl").Funcs(template.FuncMap{
		"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"took": func(e Entry) time.Duration { return e.Ended.Sub(e.Started).Round(100 * time.Millisecond) },
	}).ParseFS(pageFiles, "page.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("watch page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", w.metrics.handler())
	mux.HandleFunc("GET /healthz", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = out.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /report", func(out http.ResponseWriter, request *http.Request) {
		if id := w.newestReport(); id != "" {
			http.Redirect(out, request, "/runs/"+id+"/", http.StatusFound)
			return
		}
		http.Error(out, "no run has finished yet", http.StatusNotFound)
	})
	mux.HandleFunc("GET /runs/{id}/{$}", w.serveReport)
	mux.HandleFunc("GET /{$}", func(out http.ResponseWriter, _ *http.Request) {
		p := page{Target: w.config.Target, Every: w.config.Every, Report: w.newestReport(), Entries: w.History(shownRounds)}
		if len(p.Entries) > 0 {
			p.Last = &p.Entries[0]
		}
		out.Header().Set("Content-Type", "text/html; charset=utf-8")
		out.Header().Set("Content-Security-Policy", indexPolicy)
		_ = tmpl.Execute(out, p) // the reader left
	})
	return mux, nil
}

// serveReport serves report.html of a run. Of a folder it serves nothing else: the log has every answer of the gateway.
func (w *Watcher) serveReport(out http.ResponseWriter, request *http.Request) {
	id := request.PathValue("id")
	if !runFolder.MatchString(id) {
		http.NotFound(out, request)
		return
	}
	file, err := os.Open(filepath.Join(w.folder.path(runsName), id, "report.html")) //nolint:gosec // the name of a run was matched above
	if err != nil {
		http.Error(out, "no report is stored for this round: the watch keeps only the newest reports (--keep)", http.StatusNotFound)
		return
	}
	defer file.Close() //nolint:errcheck // it was only read
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(out, request, "", time.Time{}, file)
}

// newestReport is the id of the newest round with a report, "" for none.
func (w *Watcher) newestReport() string {
	for _, e := range w.History(maxEntries) {
		if e.Report {
			return e.ID
		}
	}
	return ""
}
