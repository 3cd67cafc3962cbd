package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// wideMatrix is the number of columns beyond which the matrix of summary.md has one for each API format: GitHub scrolls a wider
// table, and a comment on a change is narrower still.
const wideMatrix = 6

func markdownMatrix(out *bytes.Buffer, m Matrix, l Language) {
	if len(m.Columns) > wideMatrix {
		markdownGroups(out, m, l)
	} else {
		markdownColumns(out, m, l)
	}
	var legend []string
	for _, v := range legendVerdicts() {
		legend = append(legend, sign(v)+" "+l.text(string(v)))
	}
	if part := partLegend(m); part != "" {
		legend = append(legend, l.text(part))
	}
	out.WriteString("\n" + strings.Join(legend, " &nbsp; ") + "\n\n")
}

// markdownColumns writes the matrix with a column for each endpoint.
func markdownColumns(out *bytes.Buffer, m Matrix, l Language) {
	fmt.Fprintf(out, "| | %s | %s | %s |", l.text("row"), l.text("meaning"), l.text("status"))
	for _, c := range m.Columns {
		fmt.Fprintf(out, " %s |", cell(c.Name, 40))
	}
	out.WriteString("\n|:-:|:--|:--|:--|" + strings.Repeat(":-:|", len(m.Columns)) + "\n")
	for _, r := range m.Rows {
		fmt.Fprintf(out, "| %s | %s | %s | %s |", sign(r.Verdict), cell(string(r.ID), nameLimit), l.text(r.Meaning), r.Status)
		for _, c := range r.Cells {
			fmt.Fprintf(out, " %s |", strings.TrimSpace(sign(c.Verdict)+" "+c.Partly()))
		}
		out.WriteString("\n")
	}
}

// markdownGroups writes the matrix with a column for each API format, which names the endpoints that need attention and counts
// the others.
func markdownGroups(out *bytes.Buffer, m Matrix, l Language) {
	var groups [][]int // places in m.Columns
	for i, c := range m.Columns {
		if i == 0 || c.Group != m.Columns[i-1].Group {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], i)
	}
	fmt.Fprintf(out, "| | %s | %s | %s |", l.text("row"), l.text("meaning"), l.text("status"))
	for _, g := range groups {
		fmt.Fprintf(out, " %s |", l.text(plain.Count(len(g), cmp.Or(m.Columns[g[0]].Group, "other")+" endpoint")))
	}
	out.WriteString("\n|:-:|:--|:--|:--|" + strings.Repeat(":--|", len(groups)) + "\n")
	for _, r := range m.Rows {
		fmt.Fprintf(out, "| %s | %s | %s | %s |", sign(r.Verdict), cell(string(r.ID), nameLimit), l.text(r.Meaning), r.Status)
		for _, g := range groups {
			fmt.Fprintf(out, " %s |", groupCell(m, r, g, l))
		}
		out.WriteString("\n")
	}
}

// groupCell is a row on the endpoints of one API format: the gravest verdicts first, a line for each.
func groupCell(m Matrix, r MatrixRow, group []int, l Language) string {
	verdicts := legendVerdicts()
	slices.SortStableFunc(verdicts, func(a, b contract.Verdict) int { return cmp.Compare(gravity(b), gravity(a)) })
	var lines []string
	for _, v := range verdicts {
		var names []string
		n := 0
		for _, i := range group {
			if c := r.Cells[i]; c.Verdict == v {
				n++
				if part := c.Partly(); part != "" || gravity(v) > 0 {
					names = append(names, strings.TrimSpace(cell(m.Columns[i].Name, 40)+" "+part))
				}
			}
		}
		switch {
		case n == 0:
		case len(group) > 1 && n == len(group) && gravity(v) > 0:
			lines = append(lines, sign(v)+" "+l.text("all"))
		case len(names) == n:
			lines = append(lines, sign(v)+" "+strings.Join(names, ", "))
		case len(names) > 0:
			lines = append(lines, fmt.Sprintf("%s %d (%s: %s)", sign(v), n, l.text("in part"), strings.Join(names, ", ")))
		default:
			lines = append(lines, fmt.Sprintf("%s %d", sign(v), n))
		}
	}
	return strings.Join(lines, "<br>")
}

// gravity orders verdicts in a cell of several endpoints: 0 for what needs no name.
func gravity(v contract.Verdict) int {
	switch v {
	case contract.Pass, contract.NotOffered, NotRun:
		return 0
	default:
		return slices.Index(contract.Verdicts(), v)
	}
}
