// Package docs_test holds the documents equal to what they document.
package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/profile"
)

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(raw)
}

func TestRowsAreExplainedAsTheContractHasThem(t *testing.T) {
	text := read(t, "rows.md")
	for _, row := range contract.Rows() {
		_, rest, found := strings.Cut(text, "### `"+string(row.ID)+"`\n")
		require.True(t, found, "row %s is not explained: add a section to docs/rows.md", row.ID)
		part, _, _ := strings.Cut(rest, "\n### ")
		assert.NotEmpty(t, reports.RowText(row.ID))
		assert.Contains(t, part, reports.RowText(row.ID), "reports/rowtexts.go and docs/rows.md differ")
		assert.Contains(t, part, row.Meaning)
		assert.Contains(t, part, row.Advice)
		assert.Contains(t, part, "**"+row.Status.String()+"**, "+string(row.Status.Basis))
		for _, c := range contract.Circumstances() {
			if c.Row != row.ID {
				continue
			}
			assert.Contains(t, part, "`"+c.ID+"` (level "+string(c.Needs)+"): "+c.Sentence)
			for _, v := range c.Variants {
				if v.Name != "" {
					assert.Contains(t, part, "`"+v.Name+"`: "+v.Sentence)
				}
			}
		}
	}
}

func TestEveryFieldOfAProfileIsDocumented(t *testing.T) {
	text := read(t, "profile.md")
	for _, part := range []reflect.Type{reflect.TypeFor[profile.Profile](), reflect.TypeFor[profile.Recipe](), reflect.TypeFor[profile.Keys](), reflect.TypeFor[profile.Limits](), reflect.TypeFor[profile.Upstream]()} {
		for field := range part.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if name != "-" {
				assert.Contains(t, text, name, "field %s of %s is not documented: add it to docs/profile.md", name, part.Name())
			}
		}
	}
}

func TestEverySurfaceIsDocumented(t *testing.T) {
	text := read(t, "profile.md")
	for _, s := range dialect.Surfaces() {
		name := s
		if twin, ok := s.Twin(); ok && s.Streaming() {
			name = twin
		}
		assert.Contains(t, text, "`"+string(name)+"`", "surface %s is not documented: add it to the field models of docs/profile.md", s)
	}
}

// pages are the documents of the repository, named from its root.
func pages(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	require.Greater(t, len(pages), 20)
	return pages
}

func TestLinksLeadToFiles(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			if target := match[1]; !strings.Contains(target, "://") {
				_, err := os.Stat(filepath.Join(filepath.Dir(page), target))
				assert.NoError(t, err, "%s links %s", page, target)
			}
		}
	}
}

// TestTheReadmeQuotesAScenario holds the scenario that README.md shows equal to the feature it comes from.
func TestTheReadmeQuotesAScenario(t *testing.T) {
	_, rest, found := strings.Cut(read(t, "../README.md"), "```gherkin\n")
	require.True(t, found)
	scenario, _, _ := strings.Cut(rest, "```")
	names, err := filepath.Glob("../features/*.feature")
	require.NoError(t, err)
	var features strings.Builder
	for _, name := range names {
		features.WriteString(read(t, name))
	}
	for line := range strings.Lines(scenario) {
		assert.Contains(t, features.String(), strings.TrimSpace(line)+"\n")
	}
}

func TestEveryDecisionIsListed(t *testing.T) {
	index := read(t, "decisions/README.md")
	found, err := filepath.Glob("decisions/0*.md")
	require.NoError(t, err)
	for _, page := range found {
		text := read(t, page)
		number, title, _ := strings.Cut(strings.TrimPrefix(strings.SplitN(text, "\n", 2)[0], "# "), ". ")
		assert.Contains(t, index, "| "+number+" | ["+title+"]("+filepath.Base(page)+") |")
		assert.Regexp(t, `(?s)\n## Context\n.+\n## Decision\n.+\n## Consequences\n.+`, text, page)
	}
}

func TestTheWordsListTheOrderOfVerdictsAndLevels(t *testing.T) {
	text := read(t, "architecture.md")
	var verdicts, levels []string
	for _, v := range contract.Verdicts() {
		verdicts = append(verdicts, "`"+string(v)+"`")
	}
	for _, l := range contract.Levels() {
		levels = append(levels, "`"+string(l)+"`")
	}
	assert.Contains(t, text, strings.Join(verdicts, " < "))
	assert.Contains(t, text, strings.Join(levels, " < "))
}

// TestNumbersOfCases holds the numbers that the documents state equal to the contract's.
func TestNumbersOfCases(t *testing.T) {
	cases, edge, relay, load := contract.Cases(), 0, 0, 0
	edgeRows := map[string]bool{}
	for _, c := range cases {
		if contract.Relay.Includes(c.Level()) {
			relay++
		}
		if contract.Edge.Includes(c.Level()) {
			edgeRows[string(c.Row)] = true
		}
		switch {
		case c.IsLoad():
			load++
		case c.Level() == contract.Edge:
			edge++
		}
	}
	readme := read(t, "../README.md")
	all := thousands(len(cases))
	assert.Contains(t, readme, fmt.Sprintf("There are %s cases: %d circumstances and their variants", all, len(contract.Circumstances())))
	assert.Contains(t, readme, fmt.Sprintf("tests all %d rows", len(contract.Rows())))
	assert.Equal(t, 12, load, "README.md writes this number as a word: three places")
	assert.Contains(t, readme, fmt.Sprintf("in %d of the %s cases", edge, all))
	assert.Contains(t, readme, fmt.Sprintf("level `relay`, %d cases", relay))
	assert.Len(t, edgeRows, 7, "README.md writes this number as a word: two places")
	assert.Len(t, dialect.Endpoints(), 13, "README.md and docs/architecture.md write this number as a word")
	assert.Len(t, dialect.Surfaces(), 13+4, "README.md and docs/architecture.md write as a word how many endpoints also stream")
	assert.Contains(t, read(t, "profile.md"), fmt.Sprintf("%d of the %s cases", edge, all))
	chinese := read(t, "../README.zh-CN.md")
	assert.Contains(t, chinese, fmt.Sprintf("7 个条目，%s 个用例中的 %d 个", all, edge))
	assert.Contains(t, chinese, fmt.Sprintf("共 %d 个用例", relay))
	assert.Contains(t, chinese, fmt.Sprintf("契约的全部 %d 个条目", len(contract.Rows())))
	assert.Contains(t, read(t, "load.md"), "three of the twelve load cases")
	architecture := read(t, "architecture.md")
	assert.Contains(t, architecture, fmt.Sprintf("There are %d circumstances |", len(contract.Circumstances())))
	assert.Contains(t, architecture, fmt.Sprintf("There are %d surfaces, for thirteen endpoints", len(dialect.Surfaces())))
	assert.Contains(t, read(t, "new-api.md"), fmt.Sprintf("of the contract's %d circumstances", len(contract.Circumstances())))
}

// thousands writes a number from 1,000 to 999,999 as the documents do.
func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
