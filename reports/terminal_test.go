package reports_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestTerminal(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			got := render(t, run, func(w *bytes.Buffer, run runlog.Run) error {
				return reports.Terminal(w, run, reports.TerminalOptions{})
			})
			golden(t, name+".txt", got)
		})
	}
}

func TestASurfaceThatDoesNotAnswerIsOneLineAfterWhatIsProven(t *testing.T) {
	cases := every(contract.Rows()[:6], dialect.Chat, dialect.Messages)
	for i := range cases {
		switch {
		case cases[i].Surface == dialect.Messages:
			cases[i].Verdict, cases[i].Reason, cases[i].Observation = contract.Error, "control failed: the healthy call on messages: 502", nil
		case cases[i].Row == "http:5xx":
			cases[i].Verdict = contract.Fail
			cases[i].Findings = []contract.Finding{{Requirement: contract.StatusClass, Level: contract.Must, Want: "5xx", Got: "400"}}
		}
	}
	run := concluded(header(contract.Relay), cases)
	got := terminal(t, run, reports.TerminalOptions{})
	failure, dead := strings.Index(got, " 1. ✗ 400 instead of 5xx"), strings.Index(got, " 2. E Could not be judged: control failed")
	require.Positive(t, failure, got)
	assert.Greater(t, dead, failure, got)
	assert.Equal(t, 1, strings.Count(got, "control failed"), got)
	assert.Contains(t, got, "found in  6 cases, 1 endpoint", got)
	assert.Equal(t, contract.Fail, run.Verdict(), "a proven failure stands")
}

func TestTerminalOptions(t *testing.T) {
	t.Run("colour adds sequences and changes no word", func(t *testing.T) {
		plain := terminal(t, failingRun(), reports.TerminalOptions{})
		colored := terminal(t, failingRun(), reports.TerminalOptions{Color: true})
		assert.NotContains(t, plain, "\x1b")
		assert.Contains(t, colored, "\x1b[1;31m✗\x1b[0m")
		assert.Equal(t, plain, regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, ""))
	})
	t.Run("no more causes than selected have an example, the others have a line each", func(t *testing.T) {
		got := terminal(t, failingRun(), reports.TerminalOptions{Failures: 2})
		assert.Equal(t, 2, strings.Count(got, "\n    found in  "))
		assert.Contains(t, got, "\n 6. ! 503 responses have no param (1 case, 1 endpoint)\n")
	})
	t.Run("what has no line is counted", func(t *testing.T) {
		run := failingRun()
		for i := range run.Cases {
			run.Cases[i].Verdict = contract.Fail
			run.Cases[i].Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must, Want: "none", Got: strconv.Quote(strings.Repeat("x", i%50))}}
		}
		assert.Contains(t, terminal(t, run, reports.TerminalOptions{}), "\n… and 15 more causes, in report.html\n")
	})
	t.Run("a writer that fails is reported", func(t *testing.T) {
		err := reports.Terminal(brokenWriter{}, goodRun(), reports.TerminalOptions{})
		assert.ErrorIs(t, err, errBroken)
	})
}

// wideRun has every surface, and among its cells those that were tested in part.
func wideRun() runlog.Run {
	cases := slices.DeleteFunc(every(contract.Rows(), dialect.Surfaces()...), func(c runlog.Case) bool {
		return c.Surface == dialect.Models && c.Row == "code:empty_response"
	})
	for i, c := range cases {
		second := c
		second.ID += "/second"
		switch {
		case c.Surface == dialect.Rerank:
			second.Verdict = contract.NotOffered
		case c.Surface == dialect.ChatStream && c.Row == "code:bad_response":
			second.Verdict = contract.Fail
		case c.Surface == dialect.MessagesStream && c.Row == "http:5xx":
			cases[i].Verdict, second.Verdict = contract.Untestable, contract.Untestable
		default:
			continue
		}
		cases = append(cases, second)
	}
	return concluded(header(contract.Edge, dialect.Surfaces()...), cases)
}

func TestTerminalIsInert(t *testing.T) {
	got := terminal(t, hostileRun(), reports.TerminalOptions{})
	require.True(t, utf8.ValidString(got))
	for _, r := range got {
		require.True(t, r == '\n' || unicode.IsPrint(r), "%U", r)
	}
	assert.Less(t, len(got), 200_000)
}

func terminal(t *testing.T, run runlog.Run, opts reports.TerminalOptions) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, reports.Terminal(&out, run, opts))
	return out.String()
}

var errBroken = errors.New("broken pipe")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }
