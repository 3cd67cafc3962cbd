package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

type reportCommand struct {
	Log    string   `arg:"" help:"The run's folder or run.ndjson file." type:"path"`
	Format []string `complete:"formats" help:"Format to print: terminal, html, json, junit, md, verdicts, ctrf, badge, annotations, har, messages. With --out: formats to write. Default: terminal." placeholder:"NAME"`
	Lang   string   `enum:"en,zh" default:"en" help:"Language of the terminal report, summary.md and report.html: en (English) or zh (Chinese). Text from the gateway and notes in the log are not translated." placeholder:"NAME"`
	Out    string   `help:"Folder to write the reports to. Default: print the reports to standard output." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (reportCommand) Help() string {
	return `For measurements (load capacity, load soak), the formats are terminal, html, json, md, openmetrics, hgrm-latency, hgrm-service, hgrm-ttft
and hgrm-itl. The same log always produces the same reports, byte for byte.

The exit code is the same as that of the run: 0 conformant; 1 not conformant; 3 incomplete; 4 conformant, but the baseline is out of date;
5 fault in gatecert itself.`
}

func (r reportCommand) Run(c *console) error {
	c.language = r.Lang
	if isMeasured(r.Log) {
		m, err := readMeasured(r.Log)
		if err != nil {
			return err
		}
		if err := r.renderMeasured(c, m); err != nil {
			return err
		}
		return measuredOutcome(m)
	}
	run, err := readLog(r.Log)
	if err != nil {
		return err
	}
	if err := r.render(c, run); err != nil {
		return err
	}
	return outcome(run)
}

func (r reportCommand) render(c *console, run runlog.Run) error {
	if r.Out == "" && (len(r.Format) == 0 || slices.Equal(r.Format, []string{"terminal"})) {
		return reports.Terminal(c.out, run, c.options(0))
	}
	formats, err := formatsNamed(r.Format, r.Lang)
	switch {
	case err != nil:
		return err
	case r.Out == "" && len(formats) > 1:
		return fmt.Errorf("%w: cannot print %d formats at once: choose one format, or write files with --out DIR", errUsage, len(formats))
	case r.Out == "":
		return c.print(func(w io.Writer) error { return formats[0].Render(w, run) })
	}
	if err := os.MkdirAll(r.Out, 0o750); err != nil {
		return fmt.Errorf("create the folder for the reports: %w (use --out to choose another folder)", err)
	}
	return writeReports(run, formats, r.Out)
}

// formatsNamed returns the formats with these names, and without names those that are not on demand.
func formatsNamed(names []string, language string) ([]reports.Format, error) {
	l, _ := reports.LanguageNamed(language) // the flag has no other names
	var found []reports.Format
	var known []string
	for _, f := range reports.FormatsIn(l) {
		known = append(known, f.Name)
		if slices.Contains(names, f.Name) || len(names) == 0 && !f.OnDemand {
			found = append(found, f)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%w: there is no format %q: %s", errUsage, name, yamlfile.DidYouMean(name, known, "use one of "+strings.Join(known, ", ")))
		}
	}
	return found, nil
}
