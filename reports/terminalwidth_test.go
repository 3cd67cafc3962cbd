//go:build !race

// One goroutine renders a hundred widths; with the race detector this takes five times as long.

package reports_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
)

func TestTheMatrixFitsTheTerminal(t *testing.T) {
	for _, width := range []int{80, 100, 120, 200} {
		t.Run(fmt.Sprint("every surface at ", width), func(t *testing.T) {
			got := terminal(t, wideRun(), reports.TerminalOptions{Width: width})
			matrix, _, _ := strings.Cut(got, "Fix these first") // requests stay on one line, however long
			for line := range strings.Lines(matrix) {
				assert.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), width, line)
			}
			golden(t, fmt.Sprintf("wide-%d.txt", width), []byte(matrix))
		})
	}
	t.Run("every surface in summary.md", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, reports.Markdown(&out, wideRun()))
		_, matrix, _ := strings.Cut(out.String(), "| | row |")
		matrix, _, _ = strings.Cut(matrix, "\n\n")
		golden(t, "wide.summary.md", []byte("| | row |"+matrix+"\n"))
		for line := range strings.Lines(matrix) {
			assert.Less(t, strings.Count(line, " | "), 8, "a table that no page scrolls: %s", line)
		}
	})
	rows := func(got string) int { return strings.Count(got, "\n✓ channel:invalid_key") }
	run := concluded(header(contract.Edge, dialect.Surfaces()...), every(contract.Rows(), dialect.Surfaces()...))
	t.Run("one matrix down to the width of the names and a sign for each surface", func(t *testing.T) {
		for width := 53; width <= 140; width++ {
			assert.Equal(t, 1, rows(terminal(t, run, reports.TerminalOptions{Width: width})), width)
		}
	})
	t.Run("bands where even that is too wide", func(t *testing.T) {
		got := terminal(t, run, reports.TerminalOptions{Width: 45})
		assert.Equal(t, 2, rows(got))
		table, _, _ := strings.Cut(got, "✓ pass")
		for line := range strings.Lines(table) {
			if strings.HasPrefix(line, "✓") {
				assert.LessOrEqual(t, len([]rune(line)), 46, line)
			}
		}
		assert.GreaterOrEqual(t, rows(terminal(t, run, reports.TerminalOptions{Width: 5})), 12, "a terminal too narrow for anything")
	})
	t.Run("a surface that only streams has its own name and sign", func(t *testing.T) {
		only := concluded(header(contract.Edge, dialect.MessagesStream), every(contract.Rows(), dialect.MessagesStream))
		got := terminal(t, only, reports.TerminalOptions{})
		assert.Contains(t, got, "msgs messages-stream  ~ streaming")
		assert.Regexp(t, `Anthropic\n  row +msgs\n +~\n`, got)
	})
}
