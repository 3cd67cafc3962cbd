package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/measured"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// measuredRun is the folder that a measurement writes: its log, and the reports that are rendered from it. The log is written anew
// whenever something was found, so that a measurement that is killed keeps what it had.
type measuredRun struct {
	c   *console
	out *output
	log runlog.Measured
}

// openMeasured opens the folder, unless the preparation of the target has, and writes the header of the log. The preparation closes the
// folder.
func (c *console) openMeasured(p *preparation, named string, target profile.Profile, log runlog.Measured) (*measuredRun, error) {
	if p.out == nil {
		out, err := c.openOutput(named, latestLoad, target)
		if err != nil {
			return nil, err
		}
		p.out = out
	}
	r := &measuredRun{c, p.out, log}
	return r, r.save()
}

// begin opens the folder and writes the header of the log. Nothing of the measurement was sent yet, and [agree] has returned it.
func (s *loadSession) begin(c *console, kind runlog.MeasuredKind, slo *load.SLO, facts ...runlog.MeasuredFact) (*measuredRun, error) {
	log := runlog.Measured{MeasuredHeader: runner.MeasuredHeader(s.prepared.Profile, kind, os.Args, s.surfaces()...)}
	log.Facts = append(s.facts(), facts...)
	if slo != nil {
		log.SLO, log.Bounds = slo.String(), slo.Logged()
	}
	return c.openMeasured(&s.changes, s.flags.Out, s.prepared.Profile, log)
}

// facts are what the flags say of the requests.
func (s *loadSession) facts() []runlog.MeasuredFact {
	facts := []runlog.MeasuredFact{{Name: "arrivals", Text: s.flags.Arrivals}, {Name: "connections", Text: fmt.Sprint(s.flags.Connections)}}
	if model := s.measured.Model; !model.IsZero() {
		facts = append(facts, runlog.MeasuredFact{Name: "upstream", Text: "simulates a model: " + model.String()})
	}
	if len(s.mix) > 1 {
		facts = append(facts, runlog.MeasuredFact{Name: "endpoints", Text: s.flags.Surface})
	}
	return append(facts, s.flags.facts()...)
}

// save writes the log as it is.
func (r *measuredRun) save() error {
	var out bytes.Buffer
	err := runlog.NewMeasuredWriter(&out).Measured(r.log)
	if err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	log := &r.out.log
	if log.inPlace {
		return atomicfile.WriteBytes(filepath.Join(log.dir, logName), 0o600, out.Bytes())
	}
	_, err = log.Write(out.Bytes())
	return err
}

// point adds a probe, and writes the log.
func (r *measuredRun) point(p runlog.Point) {
	r.log.Points = append(r.log.Points, p)
	if err := r.save(); err != nil {
		fmt.Fprintf(r.c.err, "note: %v\n", err)
	}
}

// experiment adds an experiment of an inference, and writes the log.
func (r *measuredRun) experiment(e runlog.MeasuredExperiment) {
	r.log.Experiments = append(r.log.Experiments, e)
	if err := r.save(); err != nil {
		fmt.Fprintf(r.c.err, "note: %v\n", err)
	}
}

// checkpoint writes what is known so far of the main measurement. The log has no footer yet: when nothing follows, it was cut
// short.
func (r *measuredRun) checkpoint(m load.Measurement) {
	m.LogMain(&r.log, &runlog.MeasuredFooter{})
	if err := r.save(); err != nil {
		fmt.Fprintf(r.c.err, "note: %v\n", err)
	}
}

// end writes the log with its footer, and the reports. It may be called again when more was found.
func (r *measuredRun) end(footer runlog.MeasuredFooter) error {
	footer.Ended = time.Now().Round(0).UTC()
	r.log.Footer = &footer
	if err := r.save(); err != nil {
		return err
	}
	// What was read is what is rendered: a report is a function of the log.
	log, err := readMeasured(r.out.dir)
	if err != nil {
		return err
	}
	return writeMeasuredReports(log, measured.Formats(), r.out.dir)
}

// shown is the page as messages name it.
func (r *measuredRun) shown() string { return r.out.shown(measured.Formats()[0].File) }

// writeMeasuredReports writes the formats of which the measurement has anything.
func writeMeasuredReports(m runlog.Measured, formats []measured.Format, dir string) error {
	for _, f := range formats {
		path := filepath.Join(dir, f.File)
		err := atomicfile.Write(path, 0o600, func(w io.Writer) error { return f.Render(w, m) })
		switch {
		case errors.Is(err, measured.ErrNone):
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove an earlier report: %w", err)
			}
		case err != nil:
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// readMeasured reads the log of a measurement, given its folder or the log.
func readMeasured(path string) (runlog.Measured, error) { return readFrom(path, runlog.ReadMeasured) }

// isMeasured reports whether a path leads to the log of a measurement. What cannot be read is not one: whoever reads it as another log
// says why.
func isMeasured(path string) bool {
	schema, err := readFrom(path, runlog.SchemaOf)
	return err == nil && strings.HasPrefix(schema, "gatecert.load/")
}

// measuredOutcome is the verdict of a measurement and its gates as an error, nil when all is well.
func measuredOutcome(m runlog.Measured) error {
	if !m.Complete() {
		return shownError{exitIncomplete, "the measurement is incomplete"}
	}
	return errors.Join(gateOutcome(m.Footer.Gates), loadOutcome(m.Verdict()))
}

// gateOutcome is a gate that was not met as an error: 1 where it is violated, 5 where the measurement does not decide.
func gateOutcome(gates []runlog.Gate) error {
	has := func(r contract.Result) bool {
		return slices.ContainsFunc(gates, func(g runlog.Gate) bool { return g.Result == r })
	}
	switch {
	case has(contract.Violated):
		return shownError{exitNotConformant, "at least one gate failed"}
	case has(contract.Untested):
		return shownError{exitHarness, "at least one gate is undecided"}
	default:
		return nil
	}
}

func printGates(c *console, gates []runlog.Gate) {
	for _, g := range gates {
		word := map[contract.Result]string{contract.Held: "met", contract.Violated: "NOT MET", contract.Untested: "undecided"}[g.Result]
		fmt.Fprintf(c.out, "gate      %s %s: %s\n", g.Text, word, g.Why)
	}
}

// render prints or writes reports of a measurement's log.
func (r reportCommand) renderMeasured(c *console, m runlog.Measured) error {
	if r.Lang != "en" {
		fmt.Fprintln(c.err, "note: load measurement reports are in English only")
	}
	if r.Out == "" && (len(r.Format) == 0 || slices.Equal(r.Format, []string{"terminal"})) {
		return c.print(func(w io.Writer) error { return measured.Terminal(w, m) })
	}
	var formats []measured.Format
	var known []string
	for _, f := range measured.Formats() {
		known = append(known, f.Name)
		if len(r.Format) == 0 || slices.Contains(r.Format, f.Name) {
			formats = append(formats, f)
		}
	}
	for _, name := range r.Format {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%w: measurements have no report format %q: %s", errUsage, name, yamlfile.DidYouMean(name, known, "use one of "+strings.Join(known, ", ")))
		}
	}
	switch {
	case r.Out == "" && len(formats) > 1:
		return fmt.Errorf("%w: cannot print %d formats at once: choose one format, or write files with --out DIR", errUsage, len(formats))
	case r.Out == "":
		return c.print(func(w io.Writer) error { return formats[0].Render(w, m) })
	}
	if err := os.MkdirAll(r.Out, 0o750); err != nil {
		return fmt.Errorf("create the folder for the reports: %w", err)
	}
	return writeMeasuredReports(m, formats, r.Out)
}
