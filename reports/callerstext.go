package reports

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	// terminalAdvice is how many rows the terminal names on which another answer would help callers.
	terminalAdvice = 6
	// markdownCallersLimit bounds what summary.md says of clients, in bytes, and markdownGroupsLimit the groups of clients of a row.
	markdownCallersLimit = 120 << 10
	markdownGroupsLimit  = 12
)

// callers sums up what clients did, and names the rows on which another answer would help them.
func (t *terminal) callers(run runlog.Run) {
	if run.Clients == nil {
		return
	}
	say := t.opts.Language.text
	t.entry("", 2, say("What your callers do")+": "+say(callersSentence(*run.Clients)))
	lines := advisedTogether(*run.Clients)
	for _, l := range lines[:min(len(lines), terminalAdvice)] {
		t.entry("  ", 4, l.rows+": "+say(l.better))
	}
	if rest := len(lines) - terminalAdvice; rest > 0 {
		t.line("  %s", say(fmt.Sprintf("… and %d more, see report.html", rest)))
	}
	t.line("")
}

type advice struct{ rows, better string }

// advisedTogether has one line for rows of which the same is to be said.
func advisedTogether(l clientlog.Log) []advice {
	var list []advice
	for _, r := range advised(l) {
		i := slices.IndexFunc(list, func(a advice) bool { return a.better == r.Better[0] })
		if i < 0 {
			list = append(list, advice{string(r.ID), r.Better[0]})
		} else {
			list[i].rows += ", " + string(r.ID)
		}
	}
	return list
}

// markdownCallers writes what clients did: the counts, what would help, and the rows on which it is not what the row says.
func markdownCallers(out *bytes.Buffer, run runlog.Run, l Language) {
	if run.Clients == nil {
		return
	}
	fmt.Fprintf(out, "### %s\n\n%s.\n\n", l.text("What your callers do"), l.text(callersSentence(*run.Clients)))
	if tallies := clientlog.Tallies(*run.Clients); len(tallies) > 0 {
		fmt.Fprintf(out, "| %s | %s | %s |\n|:--|--:|--:|\n", l.text("Clients …"), l.text("Clients"), l.text("Rows"))
		for _, t := range tallies {
			fmt.Fprintf(out, "| %s | %d | %d |\n", l.text(t.Words), t.Clients, t.Rows)
		}
		out.WriteString("\n")
	}
	for i, r := range advised(*run.Clients) {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(out, "- %s: %s", code(string(r.ID), nameLimit), htmlCode(l.text(r.Better[0])))
	}
	out.WriteString("\n\n")
	var rows []string
	size := 0
	for _, row := range contract.Rows() {
		lines := markdownCallerRow(*run.Clients, row, l)
		if size += len(lines); size > markdownCallersLimit {
			break
		}
		rows = append(rows, lines)
	}
	if size == 0 {
		return
	}
	fmt.Fprintf(out, "<details><summary>%s</summary>\n\n| %s | | %s | %s |\n|:--|:--|:--|:--|\n%s\n</details>\n\n",
		html.EscapeString(l.text("Clients that do not follow the row's advice, by row")), l.text("row"), l.text("Client libraries"), l.text("What they do"), strings.Join(rows, ""))
}

// markdownCallerRow are the lines of a table about the clients that do not do what a row says.
func markdownCallerRow(l clientlog.Log, row contract.Row, language Language) string {
	var b strings.Builder
	for _, g := range firstGroups(l.OfRow(row.ID), markdownGroupsLimit) {
		if !g.Found {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(string(row.ID), nameLimit), g.Marks,
			htmlCode(plain.Text(strings.Join(g.Clients, ", "), textLimit)), htmlCode(language.text(g.Sentence)))
	}
	return b.String()
}

// callers are how many clients do what a row says, by target; nil where none played.
func (s SideBySide) callers() *callers {
	var names []string
	for _, c := range s.Matrix.Columns {
		names = append(names, c.Name)
	}
	return callersSideBySide(s.Runs, names)
}

func (c *callers) sideBySideTerminal(t *terminal) {
	t.line("%s", t.opts.Language.text("clients that follow the row's advice (a row is omitted if all clients do):"))
	for _, r := range c.Rows {
		if r.Kind == callerRight {
			continue
		}
		var parts []string
		for i, cell := range r.Cells {
			parts = append(parts, letter(i)+" "+cell.Marks)
		}
		t.entry("  ", 4, string(r.ID)+": "+strings.Join(parts, ", "))
	}
	t.line("")
}

func (c *callers) sideBySideMarkdown(out *bytes.Buffer, l Language) {
	fmt.Fprintf(out, "\n| %s |", l.text("clients that follow the row's advice"))
	for _, name := range c.Columns {
		fmt.Fprintf(out, " %s |", cell(name, nameLimit))
	}
	out.WriteString("\n|:--|" + strings.Repeat("--:|", len(c.Columns)) + "\n")
	for _, r := range c.Rows {
		fmt.Fprintf(out, "| %s |", cell(string(r.ID), nameLimit))
		for _, caller := range r.Cells {
			fmt.Fprintf(out, " %s |", caller.Marks)
		}
		out.WriteString("\n")
	}
}

// matrixCallers is how many clients do what a row says, by target.
type matrixCallers struct {
	ID    contract.RowID       `json:"id"`
	Cells []matrixCallersOnRow `json:"cells"`
}

type matrixCallersOnRow struct {
	Column string `json:"column"`
	Right  int    `json:"right"`
	Played int    `json:"played"`
	// Advice is what would make more of them do it.
	Advice string `json:"advice,omitempty"`
}

func (s SideBySide) matrixCallers() []matrixCallers {
	var list []matrixCallers
	for _, row := range contract.Rows() {
		line := matrixCallers{ID: row.ID, Cells: []matrixCallersOnRow{}}
		for i, run := range s.Runs {
			if run.Clients == nil {
				continue
			}
			if right, played, _ := rightClients(*run.Clients, row.ID); played > 0 {
				line.Cells = append(line.Cells, matrixCallersOnRow{s.Matrix.Columns[i].Name, right, played, clientlog.Advice(*run.Clients, row)})
			}
		}
		if len(line.Cells) > 0 {
			list = append(list, line)
		}
	}
	return list
}
