package clientlog

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// WriteTerminal writes the table for a terminal: each row of the contract, what the row states, and below it what the clients did.
func WriteTerminal(w io.Writer, l Log) error {
	var b strings.Builder
	fmt.Fprintf(&b, "How client libraries handle the responses of %s\n", plain.Text(l.Target, maxWord))
	for _, c := range l.Clients {
		fmt.Fprintf(&b, "  %s\n", ClientLine(c))
	}
	b.WriteString("● is a request that received an error, ○ a request that succeeded, × a request without a complete response. ! marks behaviour that contradicts the row's advice.\n")
	for _, row := range contract.Rows() {
		if calls := l.OfRow(row.ID); len(calls) > 0 {
			fmt.Fprintf(&b, "\n%s: %s\n", row.ID, row.Advice)
			writeGroups(&b, Grouped(calls))
			if advice := Advice(l, row); advice != "" {
				fmt.Fprintf(&b, "  => %s\n", advice)
			}
		}
	}
	for i, name := range l.Probes() {
		if i == 0 {
			b.WriteString("\nProbes (responses that gatecert itself sent instead of the gateway)\n")
		}
		fmt.Fprintf(&b, "\nprobe %s\n", plain.Text(name, maxWord))
		writeGroups(&b, Grouped(l.OfProbe(name)))
	}
	writeSkipped(&b, l)
	_, err := io.WriteString(w, b.String())
	return err
}

// ClientLine returns the name of a client, its library and versions, and a description of what its adapter did wrong. The result is safe to show.
func ClientLine(c Client) string {
	line := strings.TrimSpace(fmt.Sprintf("%s: %s %s, %s", plain.Text(c.Name, maxWord), plain.Text(c.Package, maxWord), plain.Text(c.Version, maxWord), plain.Text(c.Runtime, maxWord)))
	line = strings.TrimSuffix(strings.TrimSuffix(line, ","), ":  ")
	if c.Fault != "" {
		line += " - " + plain.Text(c.Fault, 300)
	}
	return line
}

func writeGroups(b *strings.Builder, groups []Group) {
	for _, g := range groups {
		flag := " "
		if g.Found {
			flag = "!"
		}
		pad := strings.Repeat(" ", max(0, maxMarks-utf8.RuneCountInString(g.Marks)))
		fmt.Fprintf(b, "  %s %s%s %s: %s\n", flag, g.Marks, pad, strings.Join(g.Clients, ", "), g.Sentence)
	}
}

func writeSkipped(b *strings.Builder, l Log) {
	if l.Interrupted {
		b.WriteString("\nThe run was interrupted: some calls were not made.\n")
	}
	for i, s := range NotPlayed(l) {
		if i == 0 {
			b.WriteString("\nSkipped\n")
		}
		fmt.Fprintf(b, "  %s\n", s)
	}
}

// NotPlayed lists what did not run. If several clients lack something in the same way, they share one line.
func NotPlayed(l Log) []string {
	var keys []string
	clients := map[string][]string{}
	for _, s := range l.Skipped {
		key := plain.Text(strings.TrimSpace(string(s.Row)+" "+s.Probe)+": "+s.Reason, 300)
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		if name := plain.Text(s.Client, maxWord); name != "" && !slices.Contains(clients[key], name) {
			clients[key] = append(clients[key], name)
		}
	}
	for i, key := range keys {
		if who := clients[key]; len(who) > 0 {
			keys[i] = plain.Text(strings.TrimPrefix(key, ": ")+" ("+strings.Join(who, ", ")+")", 900)
		}
	}
	return keys
}
