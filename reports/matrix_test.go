package reports_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestMatrix(t *testing.T) {
	m := reports.NewMatrix(failingRun())

	t.Run("has the rows of the contract in their order", func(t *testing.T) {
		require.Len(t, m.Rows, 32)
		for i, row := range contract.Rows() {
			assert.Equal(t, row, m.Rows[i].Row)
		}
	})
	t.Run("gives a cell the worst verdict of its cases", func(t *testing.T) {
		run := goodRun()
		second := result(contract.Rows()[0], dialect.Chat)
		second.ID, second.Verdict = second.ID+"/other", contract.Warn
		cell := reports.NewMatrix(concluded(header(contract.Edge), append(run.Cases, second))).Rows[0].Cells[0]
		assert.Equal(t, contract.Warn, cell.Verdict)
		assert.Equal(t, runlog.Counts{contract.Pass: 1, contract.Warn: 1}, cell.Counts)
		assert.Equal(t, []string{"http:400/cause-of-400/chat", "http:400/cause-of-400/chat/other"}, cell.Cases)
	})
	t.Run("lets no offered cell hide one that is not", func(t *testing.T) {
		row := m.Rows[6]
		assert.Equal(t, contract.RowID("code:invalid_request"), row.ID)
		assert.Equal(t, contract.NotOffered, row.Verdict)
		assert.Equal(t, runlog.Counts{contract.Pass: 3, contract.NotOffered: 1}, row.Counts)
	})
	t.Run("shows a row without a case as not run", func(t *testing.T) {
		assert.Equal(t, reports.NotRun, m.Rows[31].Verdict)
		assert.Equal(t, reports.NotRun, m.Rows[31].Cells[0].Verdict)
		assert.Empty(t, m.Rows[31].Cells[0].Cases)
	})
	t.Run("shows how much of a cell was tested, where that is a part", func(t *testing.T) {
		with := func(verdicts ...contract.Verdict) reports.Cell {
			var cases []runlog.Case
			for i, v := range verdicts {
				c := result(contract.Rows()[0], dialect.Chat)
				c.ID, c.Verdict = fmt.Sprint(c.ID, i), v
				cases = append(cases, c)
			}
			return reports.NewMatrix(concluded(header(contract.Edge), cases)).Rows[0].Cells[0]
		}
		cell := with(contract.Pass, contract.Warn, contract.NotOffered)
		assert.Equal(t, contract.NotOffered, cell.Verdict, "what is not offered never turns a cell green")
		assert.Equal(t, "2/3", cell.Partly())
		cell = with(contract.Fail, contract.ExpectedFail, contract.NotOffered, contract.Untestable, contract.Error)
		assert.Equal(t, contract.Fail, cell.Verdict)
		assert.Equal(t, "2/5", cell.Partly())
		assert.Empty(t, with(contract.Pass, contract.Fail).Partly(), "all")
		assert.Empty(t, with(contract.NotOffered, contract.NotOffered).Partly(), "none")
	})
	t.Run("totals add up", func(t *testing.T) {
		assert.Equal(t, 96, m.Totals.Total())
		assert.Equal(t, 32, m.RowCounts().Total())
		sum := 0
		for _, l := range m.Levels {
			sum += l.Counts.Total()
		}
		assert.Equal(t, 96, sum)
		assert.Equal(t, contract.Edge, m.Levels[0].Level)
		assert.Equal(t, contract.Relay, m.Levels[1].Level)
	})
	t.Run("turns a case that never ran into an error of its cell", func(t *testing.T) {
		m := reports.NewMatrix(incompleteRun())
		assert.Equal(t, contract.Pass, m.Rows[3].Verdict)
		assert.Equal(t, contract.Error, m.Rows[4].Verdict)
		assert.Equal(t, []string{"http:429/cause-of-429/chat"}, m.Rows[4].Cells[0].Cases)
	})
	t.Run("drops neither a row nor a surface that the contract does not know", func(t *testing.T) {
		odd := result(contract.Rows()[0], "telepathy")
		odd.ID, odd.Row, odd.Verdict = "code:unheard_of/x/telepathy", "code:unheard_of", contract.Fail
		m := reports.NewMatrix(concluded(header(contract.Edge, dialect.Embeddings, dialect.Chat), []runlog.Case{odd}))
		assert.Equal(t, []reports.Column{{Name: "chat", Short: "chat", Group: "OpenAI"}, {Name: "embeddings", Short: "embd", Group: "OpenAI"}, {Name: "telepathy", Short: "tele"}}, m.Columns)
		require.Len(t, m.Rows, 33)
		assert.Equal(t, contract.Fail, m.Rows[32].Verdict)
	})
}
