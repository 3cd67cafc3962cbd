package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/upstream"
)

type listCommand struct {
	What     string   `arg:"" complete:"lists" optional:"" default:"rows" help:"What to list: rows, circumstances, cases, surfaces (endpoints), levels, directives, mutants or permitted. Default: rows."`
	Level    string   `complete:"levels" help:"For gatecert list cases: list only cases up to this level. Default: full."`
	Rows     []string `complete:"rows" help:"For gatecert list cases: list only cases in these rows or in rows that match these patterns. Default: all." placeholder:"ROW"`
	Surfaces []string `complete:"surfaces" help:"For gatecert list cases: list only cases on these endpoints. Default: all." placeholder:"SURFACE"`
}

// listed is what can be listed.
func listed() []string {
	return []string{"rows", "circumstances", "cases", "surfaces", "levels", "directives", "mutants", "permitted"}
}

func (l listCommand) Run(c *console) error {
	switch l.What {
	case "rows":
		return listAll(c, contract.Rows(), []string{"row", "status", "meaning", "what to do / common cause"}, func(r contract.Row) []string {
			return []string{string(r.ID), r.Status.String(), r.Meaning, r.Advice}
		})
	case "circumstances":
		return listAll(c, contract.Circumstances(), []string{"circumstance", "row", "needs", "description"}, func(c contract.Circumstance) []string {
			return []string{c.ID, string(c.Row), string(c.Needs), c.Sentence}
		})
	case "cases":
		return l.cases(c)
	case "surfaces":
		return listAll(c, dialect.Surfaces(), []string{"endpoint", "API format", "request", "response", "error envelope"}, surfaceLine)
	case "levels":
		return listAll(c, contract.Levels(), []string{"level", "cases", "needs"}, levelLine)
	case "directives":
		return listAll(c, upstream.Vocabulary(), []string{"word", "values", "what the upstream does"}, func(w upstream.Word) []string {
			return []string{w.Name, w.Values, w.Sentence}
		})
	case "mutants":
		return listAll(c, mutants.All(), []string{"mutant", "theme", "killed by", "what the gateway does wrong"}, func(m mutants.Mutant) []string {
			return []string{m.Name, m.Theme, plain.Count(len(m.Cases()), "case"), m.Sentence}
		})
	case "permitted":
		return listAll(c, mutants.Permitted(), []string{"permitted behaviour", "what the gateway does"}, func(p mutants.PermittedBehaviour) []string {
			return []string{p.Name, p.Sentence}
		})
	default:
		return fmt.Errorf("%w: cannot list %q: %s", errUsage, l.What, yamlfile.DidYouMean(l.What, listed(), "use one of "+strings.Join(listed(), ", ")))
	}
}

func listAll[T any](c *console, values []T, header []string, line func(T) []string) error {
	var lines [][]string
	for _, v := range values {
		lines = append(lines, line(v))
	}
	return table(c.out, header, lines)
}

func (l listCommand) cases(c *console) error {
	asked, err := runner.Select(runner.Choice{Level: cmp.Or(contract.Level(l.Level), contract.Full), Rows: l.Rows, Surfaces: l.Surfaces})
	if err != nil {
		return err
	}
	cases := slices.DeleteFunc(contract.Cases(), func(k contract.Case) bool { return !asked.Asks(k) })
	if len(cases) == 0 {
		return fmt.Errorf("%w: no case matches this combination of --level, --rows and --surfaces: to see all cases, run gatecert list cases", gatecert.ErrNothingToRun)
	}
	for _, selected := range cases {
		fmt.Fprintln(c.out, selected.ID())
	}
	return nil
}

func surfaceLine(s dialect.Surface) []string {
	e, _ := s.Details()
	request, answer := s.Method()+" "+e.Path, cmp.Or(e.Media, "JSON")
	if s.TakesForm() {
		request += ", a multipart form"
	}
	if s.Streaming() {
		request, answer = s.Method()+" "+cmp.Or(e.StreamPath, e.Path), "events"
	}
	return []string{string(s), string(s.Dialect()), request, answer, s.Dialect().EnvelopeShape()}
}

// levelNeeds says what each level asks of a target, in the words of the contract's column.
var levelNeeds = map[contract.Level]string{
	contract.Edge:    "a URL and a key",
	contract.Relay:   "everything that edge requires, plus one model that is routed to the mock upstream",
	contract.Account: "everything that relay requires, plus prepared keys, models and channels",
	contract.Store:   "everything that account requires, plus a way to make the gateway's database fail",
	contract.Full:    "everything that store requires, plus the gateway's rate limit and timeout, declared in the profile",
}

func levelLine(level contract.Level) []string {
	count := 0
	for _, c := range contract.Cases() {
		if level.Includes(c.Level()) {
			count++
		}
	}
	return []string{string(level), fmt.Sprint(count), levelNeeds[level]}
}

// table prints lines under a header, without borders: it is for reading and for grep alike.
func table(w io.Writer, header []string, lines [][]string) error {
	for i := range header {
		header[i] = strings.ToUpper(header[i])
	}
	if err := reports.Table(w, header, lines, tw.CellConfig{Alignment: tw.CellAlignment{Global: tw.AlignLeft}}); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}
