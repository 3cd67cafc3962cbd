package zoo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
)

// table collects results.
type table struct {
	species []species
	// path is the file of the table, "" for none. Next to it, each result is appended to a file of records as soon as it is there.
	path    string
	records *os.File

	mu      sync.Mutex
	entries []entry
	byBusy  map[bool]*counts
}

func newTable(all []species) *table {
	return &table{species: all, byBusy: map[bool]*counts{true: {}, false: {}}}
}

type entry struct {
	experiment
	result
}

// record is an entry as it is kept.
type record struct {
	Library, Limiter, Declared string
	Run                        int
	Busy                       bool
	Verdict                    verdict
	Sentence                   string
	Took                       time.Duration
}

// progressEvery is after how many results a line is printed.
const progressEvery = 50

// open keeps the results in files, after those that are there already where an earlier test is continued.
func (t *table) open(tb testing.TB, path string, continued bool) {
	tb.Helper()
	if path == "" {
		return
	}
	t.path = path
	records := path + ".jsonl"
	if continued {
		t.read(tb, records)
	} else {
		require.NoError(tb, os.RemoveAll(records))
	}
	f, err := os.OpenFile(records, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, f.Close()) })
	t.records = f
}

// read adds the results of an earlier test. Limiters and declarations that are not there any more are left out.
func (t *table) read(tb testing.TB, path string) {
	tb.Helper()
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(tb, err)
	for line := range bytes.Lines(content) {
		var r record
		if json.Unmarshal(line, &r) != nil {
			continue // it was being written when the test was ended
		}
		for _, e := range experiments(t.species, r.Run, r.Busy) {
			if s := t.species[e.species]; s.library == r.Library && s.name == r.Limiter && e.declaration.name == r.Declared {
				t.entries = append(t.entries, entry{e, result{r.Verdict, r.Sentence, r.Took}})
				t.byBusy[r.Busy][r.Verdict]++
			}
		}
	}
}

// has reports whether an experiment has a result.
func (t *table) has(e experiment) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.entries, func(known entry) bool {
		return known.species == e.species && known.run == e.run && known.declaration.name == e.declaration.name
	})
}

func (t *table) add(tb testing.TB, e experiment, r result) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries = append(t.entries, entry{e, r})
	t.byBusy[e.busy][r.verdict]++
	if t.records == nil {
		return
	}
	if n := len(t.entries); n%progressEvery == 0 {
		tb.Logf("%s: %d results", time.Now().Format(time.TimeOnly), n)
	}
	s := t.species[e.species]
	line, err := json.Marshal(record{s.library, s.name, e.declaration.name, e.run, e.busy, r.verdict, r.sentence, r.took})
	require.NoError(tb, err)
	_, err = t.records.Write(append(line, '\n'))
	require.NoError(tb, err)
}

func (t *table) write(tb testing.TB) {
	tb.Helper()
	if t.path != "" {
		require.NoError(tb, os.WriteFile(t.path, []byte(t.String()), 0o644))
	}
}

// wrong counts the results that say something wrong, or miss it.
func (t *table) wrong() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, e := range t.entries {
		if e.verdict > tolerated {
			n++
		}
	}
	return n
}

// tally sums the results up in one line.
func (t *table) tally() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c counts
	for _, e := range t.entries {
		c[e.verdict]++
	}
	return c.words()
}

// columns are the declarations in the order of the table.
var columns = []string{
	"true", "half", "double", "+1", "-1", "+15%", "-15%",
	"true" + kindless, "half" + kindless, "double" + kindless, "+1" + kindless, "-1" + kindless, "+15%" + kindless, "-15%" + kindless,
	inferred,
}

// counts are the results of a cell, by verdict.
type counts [falseMust + 1]int

// String is "right/unclear/tolerated/missed" with what is wrong after it: "1/0/0/0 WRONG 1", "- " for none.
func (c counts) String() string {
	if c == (counts{}) {
		return "-"
	}
	s := fmt.Sprintf("%d/%d/%d/%d", c[right], c[unclear], c[tolerated], c[missed])
	if c[wrong] > 0 {
		s += fmt.Sprintf(" WRONG %d", c[wrong])
	}
	if c[falseMust] > 0 {
		s += fmt.Sprintf(" FALSE MUST %d", c[falseMust])
	}
	return s
}

func (c counts) words() string {
	return fmt.Sprintf("%d right, %d unclear, %d tolerated, %d missed, %d wrong, %d false MUST",
		c[right], c[unclear], c[tolerated], c[missed], c[wrong], c[falseMust])
}

// String is the table, its sums, and the results that are wrong.
func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	b.WriteString("Each cell: right/unclear/tolerated/missed, and what was wrong. A FALSE MUST is one although the limiter kept the declared promise.\n" +
		"Tolerated: what differs by less than the method tells apart (docs/limits.md). any: the limit is declared without a kind.\n" +
		"Seconds: the mean of verifying the truth, and of inferring, on the limiter's clock.\n\n")
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
	for _, busy := range []bool{false, true} {
		fmt.Fprintf(&b, "cores busy %v: %s\n", busy, t.byBusy[busy].words())
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

var verdicts = map[verdict]string{unclear: "unclear", tolerated: "tolerated", missed: "MISSED", wrong: "WRONG", falseMust: "FALSE MUST"}

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
		if e.busy {
			busy = ", busy"
		}
		fmt.Fprintf(b, "\n%s: %s: %s, declared %s, run %d%s, %.1fs\n", verdicts[e.verdict], s.library, s.name, e.declaration.name, e.run, busy, e.took.Seconds())
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
