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

// group are clients of which the same is to be said.
type group struct {
	marks, sentence string
	clients         []string
	found           bool
}

// grouped puts together the calls with the same marks and the same sentence.
func grouped(calls []Call) []group {
	var groups []group
	for _, c := range calls {
		marks, sentence, found := Marks(c), Sentence(c), len(Findings(c)) > 0
		who := plain.Text(c.Client, maxWord)
		if c.Surface.Streaming() {
			who += " (stream)"
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.marks == marks && g.sentence == sentence && g.found == found })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{marks: marks, sentence: sentence, found: found})
		}
		if !slices.Contains(groups[i].clients, who) {
			groups[i].clients = append(groups[i].clients, who)
		}
	}
	return groups
}

// WriteTerminal writes the table for a terminal: a row of the contract, what it says, and below it what the clients did.
func WriteTerminal(w io.Writer, l Log) error {
	var b strings.Builder
	fmt.Fprintf(&b, "What clients make of the answers of %s\n", plain.Text(l.Target, maxWord))
	for _, c := range l.Clients {
		fmt.Fprintf(&b, "  %s\n", clientLine(c))
	}
	b.WriteString("Each ● is a request that got an error, ○ one that got an ordinary answer, × one without a whole answer. ! marks what the row's advice is not.\n")
	for _, row := range contract.Rows() {
		if calls := l.OfRow(row.ID); len(calls) > 0 {
			fmt.Fprintf(&b, "\n%s: %s\n", row.ID, row.Advice)
			writeGroups(&b, grouped(calls))
			if advice := Advice(l, row); advice != "" {
				fmt.Fprintf(&b, "  => %s\n", advice)
			}
		}
	}
	for i, name := range probeNames(l) {
		if i == 0 {
			b.WriteString("\nAnswers that gatecert gave by itself\n")
		}
		fmt.Fprintf(&b, "\nprobe %s\n", plain.Text(name, maxWord))
		writeGroups(&b, grouped(l.OfProbe(name)))
	}
	writeSkipped(&b, l)
	_, err := io.WriteString(w, b.String())
	return err
}

func clientLine(c Client) string {
	line := strings.TrimSpace(fmt.Sprintf("%s: %s %s, %s", plain.Text(c.Name, maxWord), plain.Text(c.Package, maxWord), plain.Text(c.Version, maxWord), plain.Text(c.Runtime, maxWord)))
	line = strings.TrimSuffix(strings.TrimSuffix(line, ","), ":  ")
	if c.Fault != "" {
		line += " - " + plain.Text(c.Fault, 300)
	}
	return line
}

func writeGroups(b *strings.Builder, groups []group) {
	for _, g := range groups {
		flag := " "
		if g.found {
			flag = "!"
		}
		pad := strings.Repeat(" ", max(0, maxMarks-utf8.RuneCountInString(g.marks)))
		fmt.Fprintf(b, "  %s %s%s %s: %s\n", flag, g.marks, pad, strings.Join(g.clients, ", "), g.sentence)
	}
}

// probeNames are the probes of the log in their order.
func probeNames(l Log) []string {
	var names []string
	for _, c := range l.Calls {
		if c.Probe != "" && !slices.Contains(names, c.Probe) {
			names = append(names, c.Probe)
		}
	}
	return names
}

func writeSkipped(b *strings.Builder, l Log) {
	if l.Interrupted {
		b.WriteString("\nInterrupted: not everything was played.\n")
	}
	for i, s := range skippedLines(l) {
		if i == 0 {
			b.WriteString("\nNot played\n")
		}
		fmt.Fprintf(b, "  %s\n", s)
	}
}

// skippedLines has one line for what several clients lack in the same way.
func skippedLines(l Log) []string {
	var keys []string
	clients := map[string][]string{}
	for _, s := range l.Skipped {
		key := plain.Text(strings.TrimSpace(string(s.Row)+" "+s.Probe)+": "+s.Reason, 300)
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		if s.Client != "" && !slices.Contains(clients[key], s.Client) {
			clients[key] = append(clients[key], s.Client)
		}
	}
	for i, key := range keys {
		if who := clients[key]; len(who) > 0 {
			keys[i] = strings.TrimPrefix(key, ": ") + " (" + strings.Join(who, ", ") + ")"
		}
	}
	return keys
}
