package reports

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Verdicts writes one line for each case, "verdict case-id", sorted by id, so that diff can compare two runs. The last line of an incomplete run
// states the reason. Verdicts returns only errors of w.
func Verdicts(w io.Writer, run runlog.Run) error {
	cases := slices.SortedFunc(slices.Values(run.AllCases()), func(a, b runlog.Case) int { return strings.Compare(a.ID, b.ID) })
	out := bufio.NewWriter(w)
	for _, c := range cases {
		fmt.Fprintf(out, "%-13s %s\n", c.Verdict, plain.Text(c.ID, nameLimit))
	}
	if gap := run.Incomplete(); gap != "" {
		fmt.Fprintf(out, "# incomplete: %s\n", gap)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write verdicts: %w", err)
	}
	return nil
}
