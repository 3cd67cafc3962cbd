package contract

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tables stand in testdata/CONTRACT.md as the gateway documentation publishes them.
func contractText(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "CONTRACT.md"))
	require.NoError(t, err)
	return string(raw)
}

// section returns the table lines between a heading and the next one.
func section(t *testing.T, text, heading string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(text, heading)
	require.True(t, found, heading)
	rest, _, _ = strings.Cut(rest, "\n## ")
	var lines [][]string
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		lines = append(lines, cells)
	}
	return lines[1:] // without the header
}

// The tables are compared byte by byte with the published text: the apostrophe of "your plan’s models" is U+2019.
func TestRowsAreTheTablesOfTheContractVerbatim(t *testing.T) {
	text := contractText(t)
	for table, header := range map[int]string{
		1: "| Status | Meaning | Common cause |\n|---|---|---|\n",
		2: "| code | Meaning | What to do |\n|---|---|---|\n",
	} {
		var ours strings.Builder
		ours.WriteString(header)
		for _, r := range Rows() {
			if r.Table == table {
				fmt.Fprintf(&ours, "| %s | %s | %s |\n", r.Key, r.Meaning, r.Advice)
			}
		}
		_, rest, found := strings.Cut(text, fmt.Sprintf("## Table %d", table))
		require.True(t, found)
		start := strings.Index(rest, "|")
		end := start + strings.Index(rest[start:], "\n\n") + 1
		assert.Equal(t, rest[start:end], ours.String())
	}
	assert.Len(t, Rows(), 32)
}

func TestTablesCannotBeChangedByACaller(t *testing.T) {
	before := Digest()
	for _, r := range Rows() {
		r.Status.Classes[0] = 2
	}
	one, _ := RowByID("code:invalid_request")
	one.Status.Exact[0] = 200
	for _, c := range Circumstances() {
		c.Variants[0].Name = "changed"
		c.Variants[0].Surfaces[0] = "changed"
	}
	circumstance, _ := CircumstanceByID("missing-key")
	circumstance.Variants[0].Surfaces[0] = "changed"
	Requirements()[0] = "changed"
	details, _ := StatusExact.Details()
	details.Levels[0] = Note
	assert.Equal(t, before, Digest())
}

func TestRowIDsAreThoseTheContractNames(t *testing.T) {
	for _, r := range Rows() {
		prefix := "http:"
		if r.Table == 2 {
			prefix = "code:"
			assert.Equal(t, r.Key, r.Code())
		} else {
			assert.Empty(t, r.Code())
		}
		assert.Equal(t, RowID(prefix+r.Key), r.ID)
		found, ok := RowByID(r.ID)
		assert.True(t, ok)
		assert.Equal(t, r, found)
	}
	_, ok := RowByID("http:418")
	assert.False(t, ok)
}

func TestCircumstancesAreTheContractsBothWays(t *testing.T) {
	want := section(t, contractText(t), "## Circumstances")
	for i := range want {
		want[i][3] = string(LevelOf(want[i][3])) // the text says "load" for full
	}
	var got [][]string
	for _, c := range Circumstances() {
		got = append(got, []string{c.ID, string(c.Row), c.Sentence, string(c.Needs)})
	}
	assert.Equal(t, want, got)
	assert.Len(t, got, 37)
}

// Table "Expected statuses of the codes": every code has exactly one line there, and our rule says what the line says.
func TestExpectedStatusesAreTheContracts(t *testing.T) {
	stated := map[string]string{}
	basis := map[string]Basis{}
	for _, line := range section(t, contractText(t), "## Expected statuses of the codes") {
		for name := range strings.SplitSeq(line[0], ", ") {
			for _, code := range expand(strings.TrimPrefix(name, "every ")) {
				require.NotContains(t, stated, code, "a code with two lines")
				stated[code], basis[code] = line[1], Basis(regexp.MustCompile(`^\w+`).FindString(line[2]))
			}
		}
	}
	for _, r := range Rows() {
		if r.Table == 1 {
			continue
		}
		t.Run(r.Key, func(t *testing.T) {
			require.Contains(t, stated, r.Key)
			assert.True(t, strings.HasPrefix(stated[r.Key], r.Status.String()), "%s, the contract says %s", r.Status, stated[r.Key])
			assert.Equal(t, basis[r.Key], r.Status.Basis)
		})
	}
	assert.Len(t, stated, 26)
}

// expand turns "channel:…" into the codes it stands for.
func expand(name string) []string {
	name = strings.Trim(name, "`")
	if name != "channel:…" {
		return []string{name}
	}
	var codes []string
	for _, r := range Rows() {
		if strings.HasPrefix(r.Key, "channel:") {
			codes = append(codes, r.Key)
		}
	}
	return codes
}

func TestEveryCircumstanceHasACaseAndEveryCaseAnID(t *testing.T) {
	seen := map[string]bool{}
	circumstances := map[string]bool{}
	for _, c := range Cases() {
		id := c.ID()
		assert.False(t, seen[id], "%s stands twice", id)
		seen[id], circumstances[c.Circumstance] = true, true
		parsed, err := ParseCase(id)
		require.NoError(t, err)
		assert.Equal(t, c, parsed)
		assert.True(t, c.Surface.Valid())
		assert.True(t, c.Level().Valid())
	}
	assert.Len(t, circumstances, 37)
}

func TestParseCaseSaysWhichPartIsWrong(t *testing.T) {
	for _, tt := range []struct{ id, want string }{
		{"http:404", `case "http:404": the id must have the form row/circumstance/surface or row/circumstance/surface/variant`},
		{"http:404/nope/chat", `case "http:404/nope/chat": there is no circumstance "nope"`},
		{"http:400/absent-model/chat", `case "http:400/absent-model/chat": circumstance absent-model belongs to row code:model_not_found`},
		{"http:404/unknown-model/chat/x", `case "http:404/unknown-model/chat/x": circumstance unknown-model has no variant "x"`},
		{"http:404/unknown-model/telegraph", `case "http:404/unknown-model/telegraph": circumstance unknown-model has no such case on surface "telegraph"`},
		{"http:400/missing-parameter/gemini/no-model", `case "http:400/missing-parameter/gemini/no-model": circumstance missing-parameter has no such case on surface "gemini"`},
	} {
		_, err := ParseCase(tt.id)
		require.EqualError(t, err, tt.want)
	}
}

func TestLevelsIncludeThoseBelow(t *testing.T) {
	assert.True(t, Full.Includes(Edge))
	assert.True(t, Account.Includes(Relay))
	assert.True(t, Relay.Includes(Relay))
	assert.False(t, Edge.Includes(Relay))
}

func TestVerdictsAreOrdered(t *testing.T) {
	for i, v := range Verdicts() {
		for j, w := range Verdicts() {
			assert.Equal(t, i > j, v.Worse(w), "%s worse than %s", v, w)
		}
	}
	assert.True(t, Verdict("made up").Worse(Error), "an unknown verdict never makes anything better")
	_, ok := Worst()
	assert.False(t, ok, "nothing is never a success")
	worst, _ := Worst(Pass, NotOffered, Warn)
	assert.Equal(t, NotOffered, worst)
	var v Verdict
	require.Error(t, v.UnmarshalText([]byte("green")))
	require.NoError(t, v.UnmarshalText([]byte("warn")))
}

func TestDigestIsStable(t *testing.T) {
	assert.Equal(t, Digest(), Digest())
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, Digest())
}

var update = flag.Bool("update", false, "write the golden findings of a raised JudgeVersion")

// Whoever changes what the judge finds has to raise JudgeVersion, so that the digest of the contract changes with it.
func TestFindingsAreThoseOfTheJudgeVersion(t *testing.T) {
	const golden = "testdata/findings.golden"
	var found strings.Builder
	for _, row := range judgeTable() {
		fmt.Fprintf(&found, "%s: %s\n", row.id, row.name)
		for _, line := range findings(mustCase(t, row.id), row.o) {
			fmt.Fprintf(&found, "\t%s\n", line)
		}
	}
	raw, err := os.ReadFile(golden)
	require.NoError(t, err)
	first, want, _ := strings.Cut(string(raw), "\n")
	version := fmt.Sprintf("judge version %d", JudgeVersion)
	if first == version && want != found.String() {
		assert.Equal(t, want, found.String(), "the judge finds something else: raise contract.JudgeVersion, then go test ./contract -update; if only words changed, edit the golden file")
		return
	}
	if first != version && *update {
		require.NoError(t, os.WriteFile(golden, []byte(version+"\n"+found.String()), 0o600))
		return
	}
	assert.Equal(t, version, first, "go test ./contract -update writes the findings of a new version")
}

// Findings never have a level that the requirement's details do not list.
func TestFindingsHaveALevelOfTheirRequirement(t *testing.T) {
	for _, row := range judgeTable() {
		for _, f := range Judge(mustCase(t, row.id), row.o).Findings {
			details, ok := f.Requirement.Details()
			require.True(t, ok, f.Requirement)
			assert.Contains(t, details.Levels, f.Level, f.String())
		}
	}
}
