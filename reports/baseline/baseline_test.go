package baseline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	chat   = "code:model_not_found/absent-model/chat"
	stream = "code:model_not_found/absent-model/chat-stream"
	html   = "code:bad_response/bad-upstream-response/chat/html"
)

var day = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// parseYAML is the parser that the command line brings.
func parseYAML(file string, data []byte) (baseline.Document, error) {
	return yamlfile.Parse(file, data)
}

func parse(t *testing.T, text string) baseline.Baseline {
	t.Helper()
	b, err := baseline.Parse("known.yaml", []byte(text), parseYAML)
	require.NoError(t, err)
	return b
}

func result(id string, v contract.Verdict) runlog.Case {
	return runlog.Case{CaseKey: runlog.CaseKey{ID: id}, Verdict: v, Findings: []contract.Finding{
		{Requirement: contract.RequestID, Level: contract.Note, Want: "a request id", Got: "none"},
		{Requirement: contract.StatusClass, Level: contract.Must, Want: "404", Got: "503"},
	}}
}

func everything(contract.Case) bool { return true }

func TestParse(t *testing.T) {
	b := parse(t, `# a comment
expected_failures:
  - case: code:model_not_found/**
    reason: the model list is upstream's
    link: https://example.com/12
    owner: ada
    expires: 2027-03-31

  - {case: http:404/*/chat, reason: soon}
`)
	assert.Equal(t, baseline.Baseline{File: "known.yaml", Entries: []baseline.Entry{
		{Case: "code:model_not_found/**", Reason: "the model list is upstream's", Link: "https://example.com/12", Owner: "ada", Expires: "2027-03-31", Line: 3},
		{Case: "http:404/*/chat", Reason: "soon", Line: 9},
	}}, b)
}

func TestParseSaysWhereAndWhat(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "known.yaml:1:1: expected exactly one YAML document"},
		{"two documents", "expected_failures: []\n---\nexpected_failures: []\n", "known.yaml:1:1: expected exactly one YAML document"},
		{"another file altogether", "name: my-gateway\n", `known.yaml:1:1: unknown key "name": must be expected_failures`},
		{"an unknown key", "expected_failures:\n  - case: a\n    reason: b\n    note: c\n", `known.yaml:4:5: unknown key "note": must be case, reason, link, owner or expires`},
		{"an entry that is not a mapping", "expected_failures:\n  - code:model_not_found/**\n", "known.yaml:2:5: expected a mapping, got a string"},
		{"a list where text belongs", "expected_failures:\n  - case: [a]\n    reason: b\n", "known.yaml:2:11: expected a string, got a list"},
		{"no reason", "expected_failures:\n  - case: http:404/**\n", "known.yaml:2:5: reason is missing: explain why it is acceptable that http:404/** fails"},
		{"a blank reason", "expected_failures:\n  - reason: ' '\n    case: a\n", "known.yaml:2:5: reason is missing: explain why it is acceptable that a fails"},
		{"no case", "expected_failures:\n  - reason: x\n", `known.yaml:2:5: case: "" is not a pattern for case ids: use a pattern such as code:model_not_found/*/chat`},
		{"a broken pattern", "expected_failures:\n  - case: 'http:404/['\n    reason: x\n", `known.yaml:2:5: case: "http:404/[" is not a pattern for case ids: use a pattern such as code:model_not_found/*/chat`},
		{"no day", "expected_failures:\n  - case: a\n    reason: x\n    expires: next week\n", `known.yaml:2:5: expires: "next week" is not a date such as 2027-03-31`},
		{"a day that no month has", "expected_failures:\n  - case: a\n    reason: x\n    expires: 2026-02-30\n", `known.yaml:2:5: expires: "2026-02-30" is not a date such as 2027-03-31`},
		{"twice the same", "expected_failures:\n  - case: a\n    reason: x\n  - case: a\n    reason: y\n", "known.yaml:4:5: a is already listed on line 2"},
		{"no YAML", "expected_failures: [\n", "known.yaml:1:20: sequence end token ']' not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := baseline.Parse("known.yaml", []byte(tt.text), parseYAML)
			require.ErrorIs(t, err, baseline.ErrBaseline)
			assert.Equal(t, tt.want, err.Error())
		})
	}
}

func TestOnlyFailuresAreExcused(t *testing.T) {
	b := parse(t, "expected_failures:\n  - case: code:model_not_found/**\n    reason: known\n    owner: ada\n    expires: 2026-12-31\n  - case: '**'\n    reason: anything\n")
	for verdict, want := range map[contract.Verdict]contract.Verdict{
		contract.Pass: contract.Pass, contract.Warn: contract.Warn, contract.NotOffered: contract.NotOffered,
		contract.Fail: contract.ExpectedFail, contract.Untestable: contract.Untestable, contract.Error: contract.Error,
	} {
		assert.Equal(t, want, b.Excused(result(chat, verdict)).Verdict, verdict)
	}
	assert.Equal(t, "expected by known.yaml:2: known (owner ada; until 2026-12-31)", b.Excused(result(chat, contract.Fail)).Reason)
	assert.Equal(t, "expected by known.yaml:6: anything", b.Excused(result(html, contract.Fail)).Reason)
	assert.Equal(t, contract.Fail, baseline.Baseline{}.Excused(result(chat, contract.Fail)).Verdict)
	assert.Len(t, b.Excused(result(chat, contract.Fail)).Findings, 2, "the findings stay")
}

func TestStale(t *testing.T) {
	for _, tt := range []struct {
		name, entry string
		cases       []runlog.Case
		selected    func(contract.Case) bool
		want        []string
	}{
		{"an entry that holds", "case: code:model_not_found/**", []runlog.Case{result(chat, contract.ExpectedFail)}, everything, nil},
		{"a case that passes", "case: " + chat, []runlog.Case{result(chat, contract.Pass)}, everything,
			[]string{"known.yaml:2: " + chat + ": the entry expects failures, but 1 of 1 case passed: " + chat + "; remove the entry or narrow it"}},
		{"a case that only warns passes", "case: " + chat, []runlog.Case{result(chat, contract.Warn)}, everything,
			[]string{"known.yaml:2: " + chat + ": the entry expects failures, but 1 of 1 case passed: " + chat + "; remove the entry or narrow it"}},
		{"one of two", "case: code:model_not_found/**", []runlog.Case{result(chat, contract.ExpectedFail), result(stream, contract.Pass)}, everything,
			[]string{"known.yaml:2: code:model_not_found/**: the entry expects failures, but 1 of 2 cases passed: " + stream + "; remove the entry or narrow it"}},
		{"a case that does not exist", "case: code:model_not_fund/**", nil, everything,
			[]string{"known.yaml:2: code:model_not_fund/**: the entry matches no case of the contract; correct or remove it"}},
		{"a case that is not offered", "case: " + chat, []runlog.Case{result(chat, contract.NotOffered)}, everything,
			[]string{"known.yaml:2: " + chat + ": the entry matches no case that this target offers; remove it"}},
		{"a case that nobody asked for", "case: " + chat, nil, func(c contract.Case) bool { return c.Surface == dialect.Embeddings }, nil},
		{"a setup error says nothing about the entry", "case: " + chat, []runlog.Case{result(chat, contract.Untestable)}, everything, nil},
		{"its last day", "case: " + chat + "\n    expires: 2026-05-03", []runlog.Case{result(chat, contract.ExpectedFail)}, everything, nil},
		{"a day later", "case: " + chat + "\n    expires: 2026-05-02", []runlog.Case{result(chat, contract.ExpectedFail)}, everything,
			[]string{"known.yaml:2: " + chat + ": the entry expired on 2026-05-02; renew or remove it"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := parse(t, "expected_failures:\n  - "+tt.entry+"\n    reason: known\n")
			assert.Equal(t, tt.want, b.Stale(tt.cases, tt.selected, day))
		})
	}
}

func TestUpdated(t *testing.T) {
	b := parse(t, `expected_failures:
  - {case: "code:model_not_found/**", reason: of which one passes now, owner: ada}
  - {case: "code:bad_response/**", reason: holds}
  - {case: "http:404/**", reason: passes now}
  - {case: "http:429/**", reason: was not asked for}
  - {case: "http:418/**", reason: does not exist}
`)
	cases := []runlog.Case{
		result(chat, contract.ExpectedFail), result(stream, contract.Pass), result(html, contract.ExpectedFail),
		result("http:404/unknown-model/chat", contract.Pass),
		result("http:401/wrong-key/chat/header", contract.Fail), result("http:403/revoked-key/chat", contract.Untestable),
	}
	selected := func(c contract.Case) bool { return c.Row != "http:429" }
	updated := b.Updated(cases, selected)
	assert.Equal(t, []baseline.Entry{
		{Case: chat, Reason: "of which one passes now", Owner: "ada", Line: 2},
		{Case: "code:bad_response/**", Reason: "holds", Line: 3},
		{Case: "http:429/**", Reason: "was not asked for", Line: 5},
		{Case: "http:401/wrong-key/chat/header", Reason: "MUST status-class: got 503, want 404"},
	}, updated.Entries)
	assert.Empty(t, updated.Stale(cases, selected, day))

	var out bytes.Buffer
	require.NoError(t, updated.Write(&out))
	again, err := baseline.Parse("known.yaml", out.Bytes(), parseYAML)
	require.NoError(t, err)
	for i := range again.Entries {
		again.Entries[i].Line = updated.Entries[i].Line
	}
	assert.Equal(t, updated.Entries, again.Entries, "what was written reads the same")
}

func TestWriteNothing(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, baseline.Baseline{}.Write(&out))
	b, err := baseline.Parse("known.yaml", out.Bytes(), parseYAML)
	require.NoError(t, err)
	assert.Empty(t, b.Entries)
}

func TestExpectSurvivesHostileText(t *testing.T) {
	c := result(chat, contract.Fail)
	c.Findings[1].Got = "\x1b[31m\u202e\"'#: {}\n- case: '**'" + strings.Repeat("x", 5000)
	var out bytes.Buffer
	require.NoError(t, baseline.Baseline{Entries: []baseline.Entry{baseline.Expect(c)}}.Write(&out))
	b, err := baseline.Parse("known.yaml", out.Bytes(), parseYAML)
	require.NoError(t, err)
	require.Len(t, b.Entries, 1)
	assert.Equal(t, contract.Pattern(chat), b.Entries[0].Case)
	assert.Less(t, out.Len(), 1000)
}

func TestLoadTheResultOfARun(t *testing.T) {
	dir := t.TempDir()
	cases := []runlog.Case{result(chat, contract.Fail), result(stream, contract.ExpectedFail), result(html, contract.Pass), result("http:403/revoked-key/chat", contract.Error)}
	h := runlog.Header{RunID: "r1", Selection: runlog.Selection{Level: contract.Edge}}
	for _, c := range cases {
		h.Expected = append(h.Expected, c.ID)
	}
	var log bytes.Buffer
	w := runlog.NewWriter(&log)
	require.NoError(t, w.Header(h))
	for _, c := range cases {
		require.NoError(t, w.Case(c))
	}
	torn := bytes.Clone(log.Bytes())
	require.NoError(t, w.Footer(runlog.Conclude(h, cases, day)))
	run, err := runlog.Read(bytes.NewReader(log.Bytes()))
	require.NoError(t, err)
	var verdicts bytes.Buffer
	require.NoError(t, reports.Verdicts(&verdicts, run))
	for name, content := range map[string][]byte{"run.ndjson": log.Bytes(), "verdicts.txt": verdicts.Bytes(), "torn.ndjson": torn, "bad.txt": []byte("fail a b c\n")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	for _, path := range []string{dir, filepath.Join(dir, "run.ndjson"), filepath.Join(dir, "verdicts.txt")} {
		b, err := baseline.Load(path, parseYAML)
		require.NoError(t, err)
		assert.True(t, b.Recorded)
		require.Len(t, b.Entries, 2, path)
		assert.Equal(t, contract.Pattern(chat), b.Entries[0].Case)
		assert.Equal(t, contract.Pattern(stream), b.Entries[1].Case)
	}
	_, err = baseline.Load(filepath.Join(dir, "torn.ndjson"), parseYAML)
	require.ErrorIs(t, err, baseline.ErrBaseline)
	assert.Equal(t, "torn.ndjson: the run is incomplete and cannot be used as a baseline: the log has no footer", err.Error())
	_, err = baseline.Load(filepath.Join(dir, "bad.txt"), parseYAML)
	require.ErrorIs(t, err, baseline.ErrBaseline)
	assert.Equal(t, "bad.txt:1:1: the line must consist of a verdict and a case ID", err.Error())
	_, err = baseline.Load(filepath.Join(dir, "nothing-there"), parseYAML)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("expected_failures:\n  - case: http:404/**\n    reason: known\n    expires: 2027-03-31\n"))
	f.Add([]byte("expected_failures: [{case: '**', reason: *x}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			return // the YAML library takes its time over long nonsense
		}
		b, err := baseline.Parse("known.yaml", data, parseYAML)
		if err != nil {
			require.ErrorIs(t, err, baseline.ErrBaseline)
			return
		}
		var out bytes.Buffer
		require.NoError(t, b.Write(&out))
		again, err := baseline.Parse("known.yaml", out.Bytes(), parseYAML)
		require.NoError(t, err, out.String())
		assert.Len(t, again.Entries, len(b.Entries))
	})
}
