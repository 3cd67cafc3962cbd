package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

type explainCommand struct {
	Row    string `arg:"" complete:"rows" help:"Row to explain: a full id (http:404, code:model_not_found) or only the key (404, model_not_found)."`
	Target string `help:"Explain the row as it applies to a gateway with the claims in this profile." placeholder:"FILE" type:"path"`
	claimFlags
}

func (e explainCommand) Run(c *console) error {
	row, err := findRow(e.Row)
	if err != nil {
		return err
	}
	var p profile.Profile
	if e.Target != "" {
		if p, err = loadProfile(e.Target); err != nil {
			return err
		}
	}
	if p, err = e.on(p); err != nil {
		return err
	}
	claims := p.Claims.Declared()
	explainRow(c.out, row, claims)
	fmt.Fprintf(c.out, "\n%s\n", indented(reports.RowText(row.ID), 2, c.width))
	for _, circ := range contract.Circumstances() {
		if circ.Row == row.ID {
			explainCircumstance(c, circ, claims)
		}
	}
	if err := explainClients(c, row); err != nil {
		return fmt.Errorf("read the recorded client behaviour: %w", err)
	}
	fmt.Fprintln(c.out, "\nscenario")
	rule, err := features.Rule(string(row.ID))
	if err != nil {
		return fmt.Errorf("find the scenario of %s: %w", row.ID, err)
	}
	fmt.Fprintln(c.out, rule)
	return nil
}

func findRow(name string) (contract.Row, error) {
	for _, row := range contract.Rows() {
		if string(row.ID) == name || row.Key == name {
			return row, nil
		}
	}
	return contract.Row{}, fmt.Errorf("%w: there is no row %q: %s", gatecert.ErrUsage, name, runner.RowHint(name))
}

func explainRow(w io.Writer, row contract.Row, claims contract.Claims) {
	fmt.Fprintf(w, "%s  (table %d)\n", row.ID, row.Table)
	fmt.Fprintf(w, "  %-13s %s\n", "meaning", row.Meaning)
	for _, f := range reports.RowFacts(row) {
		fmt.Fprintf(w, "  %-13s %s\n", f.Label, f.Text)
	}
	if about := claims.About(row); about != "" {
		fmt.Fprintf(w, "  %-13s %s\n", "claim", plain.Text(about, 400))
	}
}

// peculiar says in what a variant differs from its circumstance and row, "" for nothing.
func peculiar(circ contract.Circumstance, v contract.Variant) string {
	var words []string
	if v.Needs != "" && v.Needs != circ.Needs {
		words = append(words, "needs level "+string(v.Needs))
	}
	if v.Status != nil {
		words = append(words, "status "+v.Status.String())
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// surfacesOf names the surfaces of a variant, where they are nearly all those that it is not on.
func surfacesOf(v contract.Variant) string {
	const named = 5
	absent := slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return slices.Contains(v.Surfaces, s) })
	switch {
	case len(absent) == 0:
		return "all endpoints"
	case len(absent) <= named:
		return "all endpoints except " + plain.Joined(absent)
	default:
		return plain.Joined(v.Surfaces)
	}
}

func explainCircumstance(c *console, circ contract.Circumstance, claims contract.Claims) {
	w := c.out
	fmt.Fprintf(w, "\ncircumstance %s (needs level %s)\n  %s\n", circ.ID, circ.Needs, circ.Sentence)
	if claims.NoClientKeys && circ.NeedsClientKeys() {
		fmt.Fprintln(w, "  claim         the gateway has no client keys, so the cases of this circumstance are not offered")
	}
	for _, v := range circ.Variants {
		fmt.Fprintf(w, "  %-13s %s%s\n", cmp.Or(v.Name, "-"), v.Sentence, peculiar(circ, v))
		fmt.Fprintln(w, indented("on "+surfacesOf(v), 16, c.width))
		if claims.NoClientKeys && v.NeedsClientKeys(circ.ID) {
			fmt.Fprintln(w, "                not offered: the gateway issues no client keys and sends the caller's own key to the upstream, so a key that the upstream rejects is the caller's error")
		}
	}
}

// indented is text in lines of at most width columns, each of which begins with spaces.
func indented(text string, spaces, width int) string {
	margin := strings.Repeat(" ", spaces)
	lines, size := margin, spaces
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case size+1+n > width:
			lines, size = lines+"\n"+margin, spaces
		default:
			lines, size = lines+" ", size+1
		}
		lines, size = lines+word, size+n
	}
	return lines
}
