package zoo

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
)

// table collects results.
type table struct {
	species []species
	// path is the file that the table is written to while it grows, "" for none.
	path string
	// spinning says that all cores are busy now.
	spinning bool

	mu      sync.Mutex
	written time.Time
	entries []entry
	// bySpinning has the results by verdict.
	bySpinning map[bool]*counts
}

func newTable(all []species) *table {
	return &table{species: all, bySpinning: map[bool]*counts{true: {}, false: {}}}
}

type entry struct {
	experiment
	result
	spinning bool
}

func (t *table) add(e experiment, r result) error {
	t.mu.Lock()
	t.entries = append(t.entries, entry{e, r, t.spinning})
	t.bySpinning[t.spinning][r.verdict]++
	old := time.Since(t.written) > time.Minute
	if old {
		t.written = time.Now()
	}
	t.mu.Unlock()
	if !old {
		return nil
	}
	return t.write()
}

func (t *table) write() error {
	if t.path == "" {
		return nil
	}
	return os.WriteFile(t.path, []byte(t.String()), 0o644)
}

// wrong counts the results that are neither right nor unclear.
func (t *table) wrong() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, e := range t.entries {
		if e.verdict > unclear {
			n++
		}
	}
	return n
}

// columns are the declarations in the order of the table.
var columns = []string{
	"true", "half", "double", "+1", "-1", "+15%", "-15%",
	"true" + kindless, "half" + kindless, "double" + kindless, "+1" + kindless, "-1" + kindless, "+15%" + kindless, "-15%" + kindless,
	inferred,
}

// counts are the results of a cell, by verdict.
type counts [falseMust + 1]int

// String is "right/unclear/wrong", with the number of false MUSTs: "1/0/1!1".
func (c counts) String() string {
	if c == (counts{}) {
		return "-"
	}
	s := fmt.Sprintf("%d/%d/%d", c[right], c[unclear], c[missed]+c[wrong]+c[falseMust])
	if c[falseMust] > 0 {
		s += fmt.Sprintf("!%d", c[falseMust])
	}
	return s
}

// String is the table, its sums, and the results that are wrong.
func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	b.WriteString("Each cell: right/unclear/wrong, of which !n are a MUST although the limiter kept the declared promise.\n" +
		"any: the limit is declared without a kind. Seconds: the mean of verifying the truth, and of inferring.\n\n")
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintf(w, "limiter\tlibrary\ttruth\t%s\tverify s\tinfer s\n", strings.Join(columns, "\t"))
	sums := make(map[string]*counts)
	for _, c := range columns {
		sums[c] = new(counts)
	}
	for i, s := range t.species {
		fmt.Fprintf(w, "%s\t%s\t%s", s.name, s.library, describeLimit(s.truth, s.inferOnly))
		for _, column := range columns {
			var cell counts
			for _, e := range t.entries {
				if e.species == i && e.declaration.name == column {
					cell[e.verdict]++
					sums[column][e.verdict]++
				}
			}
			fmt.Fprintf(w, "\t%s", cell)
		}
		fmt.Fprintf(w, "\t%.1f\t%.1f\n", t.meanSeconds(i, "true", "true"+kindless), t.meanSeconds(i, inferred))
	}
	fmt.Fprint(w, "sum\t\t")
	for _, c := range columns {
		fmt.Fprintf(w, "\t%s", sums[c])
	}
	fmt.Fprint(w, "\t\t\n")
	_ = w.Flush()
	for _, spinning := range []bool{false, true} {
		c := t.bySpinning[spinning]
		fmt.Fprintf(&b, "cores busy %v: %d right, %d unclear, %d missed, %d wrong, %d false MUST\n", spinning, c[right], c[unclear], c[missed], c[wrong], c[falseMust])
	}
	t.describeWrong(&b)
	return b.String()
}

func (t *table) meanSeconds(species int, declarations ...string) float64 {
	var sum time.Duration
	n := 0
	for _, e := range t.entries {
		if e.species == species && slices.Contains(declarations, e.declaration.name) {
			sum += e.took
			n++
		}
	}
	return sum.Seconds() / float64(max(n, 1))
}

var verdicts = map[verdict]string{unclear: "unclear", missed: "MISSED", wrong: "WRONG", falseMust: "FALSE MUST"}

// describeWrong lists the results that are not right, the wrong ones first.
func (t *table) describeWrong(b *strings.Builder) {
	sorted := slices.Clone(t.entries)
	slices.SortStableFunc(sorted, func(a, b entry) int {
		if a.verdict != b.verdict {
			return int(b.verdict - a.verdict)
		}
		return a.species - b.species
	})
	for _, e := range sorted {
		if e.verdict == right {
			continue
		}
		s := t.species[e.species]
		busy := ""
		if e.spinning {
			busy = ", busy"
		}
		fmt.Fprintf(b, "\n%s: %s: %s, declared %s%s, %.1fs\n", verdicts[e.verdict], s.library, s.name, e.declaration.name, busy, e.took.Seconds())
		for line := range strings.Lines(e.sentence) {
			fmt.Fprintf(b, "    %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
}

func describeLimit(d limits.DeclaredLimit, none bool) string {
	if none {
		return "-"
	}
	s := fmt.Sprintf("%s %d", d.Kind, d.Limit)
	if d.Kind == "" {
		s = fmt.Sprintf("no kind %d", d.Limit)
	}
	if d.Kind != contract.Concurrency {
		s += " in " + d.Window.String()
	}
	if d.Burst > 0 && d.Burst != d.Limit {
		s += fmt.Sprintf(", burst %d", d.Burst)
	}
	if d.RefusedCount {
		s += ", refused count"
	}
	return s
}
