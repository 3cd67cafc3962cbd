package clientlog

import (
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// WriteMarkdown writes the content of [WriteTerminal] as Markdown tables. describe returns a sentence for the name of a probe.
func WriteMarkdown(w io.Writer, l Log, describe func(probe string) string) error {
	var b strings.Builder
	b.WriteString("| client | library | version | runtime |\n|---|---|---|---|\n")
	for _, c := range l.Clients {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(c.Name), cell(c.Package), cell(c.Version), cell(strings.TrimSpace(c.Runtime+" "+c.Fault)))
	}
	b.WriteString("\n| row | clients | requests | what they do |\n|---|---|---|---|\n")
	for _, row := range contract.Rows() {
		calls := l.OfRow(row.ID)
		if len(calls) == 0 {
			continue
		}
		name := fmt.Sprintf("`%s`: %s", row.ID, cell(row.Advice))
		for _, g := range Grouped(calls) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, cell(strings.Join(g.Clients, ", ")), g.Marks, flagged(g))
			name = ""
		}
		if advice := Advice(l, row); advice != "" {
			fmt.Fprintf(&b, "| | | | *%s* |\n", cell(advice))
		}
	}
	for i, name := range l.Probes() {
		if i == 0 {
			b.WriteString("\n| response | clients | requests | what they do |\n|---|---|---|---|\n")
		}
		title := fmt.Sprintf("`%s`", plain.Text(name, maxWord))
		if text := describe(name); text != "" {
			title += ": " + cell(text)
		}
		for _, g := range Grouped(l.OfProbe(name)) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", title, cell(strings.Join(g.Clients, ", ")), g.Marks, flagged(g))
			title = ""
		}
	}
	for i, line := range NotPlayed(l) {
		if i == 0 {
			b.WriteString("\nSkipped, with the names of the clients in parentheses:\n\n")
		}
		fmt.Fprintf(&b, "- %s\n", cell(line))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// flagged is the sentence, in bold where it is not what the row's advice is.
func flagged(g Group) string {
	if g.Found {
		return "**" + cell(g.Sentence) + "**"
	}
	return cell(g.Sentence)
}

// cell is hostile text as a cell of a Markdown table.
func cell(s string) string {
	s = plain.Text(s, 600)
	for _, special := range []string{`\`, "|", "<", ">", "*", "_", "`", "[", "]"} {
		s = strings.ReplaceAll(s, special, `\`+special)
	}
	return s
}
