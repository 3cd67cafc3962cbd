package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/upstream"
)

type listCommand struct {
	What     string   `arg:"" optional:"" default:"rows" help:"rows, circumstances, cases, surfaces, levels, directives, mutants or permitted. Default: rows."`
	Level    string   `help:"With cases: those up to this level. Default: full."`
	Rows     []string `help:"With cases: those of these rows or patterns. Default: all." placeholder:"ROW"`
	Surfaces []string `help:"With cases: those on these surfaces. Default: all." placeholder:"SURFACE"`
}

func (l listCommand) Run(c *console) error {
	switch l.What {
	case "rows":
		return table(c.out, []string{"row", "status", "meaning", "what to do / common cause"}, rowLines())
	case "circumstances":
		return table(c.out, []string{"circumstance", "row", "needs", "brought about by"}, circumstanceLines())
	case "cases":
		return l.cases(c)
	case "surfaces":
		return table(c.out, []string{"surface", "dialect", "streaming", "error envelope"}, surfaceLines())
	case "levels":
		return table(c.out, []string{"level", "cases", "needs"}, levelLines())
	case "directives":
		return table(c.out, []string{"word", "values", "what the upstream does"}, directiveLines())
	case "mutants":
		return table(c.out, []string{"mutant", "theme", "killed by", "what the gateway does wrong"}, mutantLines())
	case "permitted":
		return table(c.out, []string{"permitted behaviour", "what the gateway does"}, permittedLines())
	default:
		return fmt.Errorf("%w: cannot list %q: want rows, circumstances, cases, surfaces, levels, directives, mutants or permitted", errUsage, l.What)
	}
}

func (l listCommand) cases(c *console) error {
	asked, err := runner.Select(runner.Choice{Level: cmp.Or(contract.Level(l.Level), contract.Full), Rows: l.Rows, Surfaces: l.Surfaces})
	if err != nil {
		return err
	}
	cases := slices.DeleteFunc(contract.Cases(), func(k contract.Case) bool { return !asked.Asks(k) })
	if len(cases) == 0 {
		return fmt.Errorf("%w: the selection holds no case", gatecert.ErrNothingToRun)
	}
	for _, selected := range cases {
		fmt.Fprintln(c.out, selected.ID())
	}
	return nil
}

func rowLines() [][]string {
	var lines [][]string
	for _, r := range contract.Rows() {
		lines = append(lines, []string{string(r.ID), r.Status.String(), r.Meaning, r.Advice})
	}
	return lines
}

func circumstanceLines() [][]string {
	var lines [][]string
	for _, c := range contract.Circumstances() {
		lines = append(lines, []string{c.ID, string(c.Row), string(c.Needs), c.Sentence})
	}
	return lines
}

func surfaceLines() [][]string {
	var lines [][]string
	for _, s := range dialect.Surfaces() {
		streaming := ""
		if s.Streaming() {
			streaming = "yes"
		}
		lines = append(lines, []string{string(s), string(s.Dialect()), streaming, s.Dialect().EnvelopeShape()})
	}
	return lines
}

// levelNeeds says what each level asks of a target, in the words of the contract's column.
var levelNeeds = map[contract.Level]string{
	contract.Edge:    "a URL and a key",
	contract.Relay:   "and one model routed to our upstream",
	contract.Account: "and prepared keys, models and channels",
	contract.Store:   "and faults of the gateway's store",
	contract.Load:    "and limits",
	contract.Full:    "everything",
}

func levelLines() [][]string {
	var lines [][]string
	for _, level := range contract.Levels() {
		count := 0
		for _, c := range contract.Cases() {
			if level.Includes(c.Level()) {
				count++
			}
		}
		lines = append(lines, []string{string(level), fmt.Sprint(count), levelNeeds[level]})
	}
	return lines
}

func directiveLines() [][]string {
	var lines [][]string
	for _, w := range upstream.Vocabulary() {
		lines = append(lines, []string{w.Name, w.Values, w.Sentence})
	}
	return lines
}

func mutantLines() [][]string {
	var lines [][]string
	for _, m := range mutants.All() {
		lines = append(lines, []string{m.Name, m.Theme, fmt.Sprintf("%d cases", len(m.Cases())), m.Sentence})
	}
	return lines
}

func permittedLines() [][]string {
	var lines [][]string
	for _, p := range mutants.Permitted() {
		lines = append(lines, []string{p.Name, p.Sentence})
	}
	return lines
}

// table prints lines under a header, without borders: it is for reading and for grep alike.
func table(w io.Writer, header []string, lines [][]string) error {
	t := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.Off},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: tw.CellConfig{Formatting: tw.CellFormatting{AutoFormat: tw.Off}, Alignment: tw.CellAlignment{Global: tw.AlignLeft}},
			Row:    tw.CellConfig{Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone}, Alignment: tw.CellAlignment{Global: tw.AlignLeft}},
		}),
	)
	t.Header(slices.Collect(func(yield func(string) bool) {
		for _, h := range header {
			if !yield(strings.ToUpper(h)) {
				return
			}
		}
	}))
	if err := t.Bulk(lines); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if err := t.Render(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}
