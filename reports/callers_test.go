package reports_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/runlog"
)

// played is a call of a client on a row, with an attempt for each status.
func played(client string, row contract.RowID, outcome clientlog.Outcome, statuses ...int) clientlog.Call {
	known, _ := contract.RowByID(row)
	c := clientlog.Call{
		Client: client, Surface: dialect.Chat, Row: row, Case: string(row) + "/x/chat", Outcome: outcome, Class: "APIError", Status: statuses[len(statuses)-1],
		Code: known.Code(), CodeAt: "err.code", Shown: clientlog.InField,
	}
	for i, status := range statuses {
		c.Attempts = append(c.Attempts, clientlog.Attempt{Gap: int64(500 * min(i, 1)), Status: status, Success: status == 200 && outcome == clientlog.Answered})
	}
	return c
}

// probed is a call of a client on a probe of a status.
func probed(client string, statuses ...int) clientlog.Call {
	c := played(client, "", clientlog.Typed, statuses...)
	c.Case, c.Code, c.Probe = "", "", clientlog.StatusProbe(statuses[0])
	return c
}

// callersRun is a run whose gateway answers 429 where a quota is spent: two of its three clients retry in vain.
func callersRun() runlog.Run {
	const quota, support, stream = "code:insufficient_user_quota", "code:model_price_error", "code:read_response_body_failed"
	run := goodRun()
	half := played("two", stream, clientlog.Accepted, 200)
	half.Surface, half.Text = dialect.ChatStream, "Hello"
	prose := played("three", quota, clientlog.Typed, 429)
	prose.Shown, prose.CodeAt = clientlog.InMessage, ""
	run.Clients = &clientlog.Log{
		Tool: run.Tool, ContractDigest: run.ContractDigest, Target: run.Target.Name, RunID: run.RunID,
		Clients: []clientlog.Client{
			{Name: "one", Package: "library", Version: "1.2", Runtime: "node 22", Surfaces: []dialect.Surface{dialect.Chat}},
			{Name: "two", Package: "other", Version: "v3", Runtime: "go1.26", Surfaces: []dialect.Surface{dialect.Chat, dialect.ChatStream}},
			{Name: "three", Package: "third", Version: "0.1", Fault: "it ended: exit status 1", Surfaces: []dialect.Surface{dialect.Chat}},
		},
		Calls: []clientlog.Call{
			played("one", quota, clientlog.Typed, 429, 429, 429), played("two", quota, clientlog.Typed, 429, 429, 429), prose,
			played("one", support, clientlog.Typed, 500, 500), played("two", support, clientlog.Typed, 500),
			half, played("one", "http:404", clientlog.Typed, 404),
			probed("one", 402), probed("two", 402), probed("one", 403), probed("two", 403), probed("one", 503, 503), probed("two", 503, 503),
		},
		Skipped: []clientlog.Skip{{Client: "one", Probe: "retry-after-70", Reason: "this probe makes a client wait for minutes, so it runs only with --slow"}},
	}
	return run
}

// hostileClients has venom in every field that a client or a stranger could fill, and more of everything than a page has room for.
func hostileClients() *clientlog.Log {
	l := &clientlog.Log{Tool: venom, ContractDigest: venom, Target: venom, RunID: venom}
	for i := range 40 {
		name := fmt.Sprint(venom, i)
		l.Clients = append(l.Clients, clientlog.Client{Name: name, Package: venom, Version: venom, Runtime: venom, Fault: venom})
		l.Skipped = append(l.Skipped, clientlog.Skip{Client: name, Row: "http:400", Probe: venom, Reason: fmt.Sprint(i, venom)})
		for j, row := range contract.Rows() {
			c := played(name, row.ID, clientlog.Typed, 429, 429)
			c.Class, c.Message, c.Text, c.CodeAt = fmt.Sprint(i, venom), venom, venom, fmt.Sprint(i, venom)
			c.Case, c.Doubts, c.Attempts[0].RetryAfter = venom, []string{fmt.Sprint(i, venom)}, venom
			l.Calls = append(l.Calls, c)
			c.Probe, c.Row = fmt.Sprint(j, venom), ""
			l.Calls = append(l.Calls, c)
		}
	}
	return l
}

func TestCallersAreBounded(t *testing.T) {
	run := goodRun()
	run.Clients = hostileClients()
	var page, summary, terminal bytes.Buffer
	require.NoError(t, reports.HTML(&page, run))
	assert.Less(t, page.Len(), pageLimit)
	assert.True(t, strings.Contains(page.String(), "24 more clients are only in clients.json, to keep this page small."))
	require.NoError(t, reports.Markdown(&summary, run))
	assert.Less(t, summary.Len(), 400<<10)
	require.NoError(t, reports.Terminal(&terminal, run, reports.TerminalOptions{}))
	assert.Less(t, strings.Count(terminal.String(), "\n"), 250)
	for name, text := range map[string]string{"page": page.String(), "summary": summary.String(), "terminal": terminal.String()} {
		assert.False(t, strings.Contains(text, "\x1b"), name)
		assert.False(t, name != "terminal" && strings.Contains(text, "<script>document.title"), name)
	}
}

func TestCallersChangeNoVerdict(t *testing.T) {
	var without, with bytes.Buffer
	require.NoError(t, reports.JUnit(&without, goodRun()))
	require.NoError(t, reports.JUnit(&with, callersRun()))
	assert.Equal(t, without.String(), with.String())
	assert.Equal(t, reports.Sentence(goodRun()), reports.Sentence(callersRun()))
}

func TestTheTerminalNamesWhatWouldHelpCallers(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, reports.Terminal(&out, callersRun(), reports.TerminalOptions{Width: 160}))
	assert.Contains(t, out.String(), "What your callers do: 3 clients, 4 rows: on 3 rows at least one client wastes requests or treats an error as a success\n")
	assert.Contains(t, out.String(), "code:insufficient_user_quota: 2 of 3 clients retry in vain (one, two); 402 (causes a warning) or 403 instead of 429 would stop all of them\n")
	assert.Contains(t, out.String(), "code:model_price_error: 1 of 2 clients retries in vain (one); no status that the contract names for this row makes any of them stop retrying\n")
}

func TestTargetsAreComparedByTheirCallers(t *testing.T) {
	other := goodRun()
	other.Target.Name = "other gateway"
	m := reports.NewSideBySide([]runlog.Run{callersRun(), other})
	var terminal, markdown, page, raw bytes.Buffer
	require.NoError(t, m.Terminal(&terminal, reports.TerminalOptions{Width: 160}))
	assert.Contains(t, terminal.String(), "clients that follow the row's advice (a row is omitted if all clients do):\n  code:insufficient_user_quota: A 0/3, B ·\n")
	require.NoError(t, m.Markdown(&markdown))
	assert.Contains(t, markdown.String(), "| `code:model_price_error` | 1/2 | · |\n")
	require.NoError(t, m.HTML(&page))
	assert.Contains(t, page.String(), ">0/3<small>!</small></a>")
	require.NoError(t, m.JSON(&raw))
	var got struct {
		Clients []struct {
			ID    string
			Cells []struct {
				Column        string
				Right, Played int
				Advice        string
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw.Bytes(), &got))
	require.Len(t, got.Clients, 4)
	assert.Equal(t, "http:404", got.Clients[0].ID)
	assert.Equal(t, 1, got.Clients[0].Cells[0].Right)
	raw.Reset()
	require.NoError(t, reports.NewSideBySide([]runlog.Run{other, other}).JSON(&raw))
	assert.NotContains(t, raw.String(), `"clients"`)
}
