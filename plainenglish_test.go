//go:build !race

package gatecert_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stiffSentences are sentences that users read once and that were unclear, cryptic or not idiomatic, each with what is said now.
// They stay away: see [TestStiffSentencesStayAway].
var stiffSentences = []struct{ pattern, instead string }{
	{`decide by it whether to retry`, "rely on it to decide whether to retry"},
	{`What will be sent is said beforehand`, "gatecert prints its traffic plan before it sends anything"},
	{`shows when many call at once`, "only show their true behaviour under concurrency"},
	{`everything a provider can do wrong`, "every upstream failure is tested as well"},
	{`obligations are told, never only the first`, "every broken requirement is reported, not just the first"},
	{`proves nothing`, "inconclusive"},
	{`this machine was not fit`, "the load generator could not keep up on this machine"},
	{`pass, as far as it got`, "pass (search stopped early)"},
	{`were of no use`, "were inconclusive"},
	{`unusable stage`, "name the flag and the values that it takes"},
	{`Objective: the`, "SLO: maximum …"},
	{`Width of the bracket`, "stop when upper and lower bound differ by less than this"},
	{`A trend is told|called growth`, "each trend is shown with its confidence interval, and flagged GROWS"},
	{`refusals told one|statements about requests in`, "all refusals carried …; consistent rate-limit headers"},
	{`with a sick one|beside sick`, "one faulty call per four healthy ones"},
	{`nothing that must stay inside is shown`, "the response leaks no internals"},
	{`the error is whole and in the caller's`, "the error is complete and in the client's API format"},
	{`is asked within bounds|left in peace`, "not called more often than allowed; cancelled once the client disconnects"},
	{`no envelope to hold it`, "no error object"},
	{`as if all were well`, "ordinary answer"},
	{`of the \d+ cases selected .* the target offers none`, "what the rows need, and the level of this run"},
	{`play the upstream at`, "… (upstream.listen) is in use"},
	{`is each noticed as it should be|It is a picture, so that`, "check that each known fault is caught; matrix only displays, use diff to gate"},
	{`a pointer over a narrow one`, "hover to see its name"},
	{`>Due<|>Again<`, "Expected, Reproduce"},
	{`conformant at level load on the`, "PASS: 1 of 1 selected case"},
	{`The baseline does not hold`, "baseline out of date"},
	{`is no (https?|day|kind|pattern|authority|valid)\b`, "is not a …"},
	{`This page is the map`, "this page shows which package holds what"},
	{`is hung up on`, "get their connection closed"},
	{`was no evidence any more`, "could no longer be judged, as intended"},
	{`\bshell lines?\b`, "shell commands"},
	{`question of a user`, "user message"},
	{`vectors that are numbered wrongly`, "wrong index numbers on the vectors"},
	{`the code stands in`, "the code is in"},
	{`, whose own (is|key is)\b`, "although the client's key is valid"},
	{`embedded (reference )?gateway`, "built-in"},
	{`doubled until the SLO|a hill under|within bounds; processes`, "starts at … and doubles until …, higher latency, limits on time and output"},
	{`\b(he|him|his) (own )?(key|keys|logs|account|plan|timeout|error|limit)\b`, "their, the caller's"},
}

// TestStiffSentencesStayAway reads everything that has texts for users and prints a line for every sentence that came back.
func TestStiffSentencesStayAway(t *testing.T) {
	patterns := make([]*regexp.Regexp, len(stiffSentences))
	for i, s := range stiffSentences {
		patterns[i] = regexp.MustCompile(s.pattern)
	}
	for _, file := range tracked(t, "*.go", "*.md", "*.feature", "*.tmpl", "*.js", "*.yml", "*.txt", "*.html") {
		if file == "plainenglish_test.go" || file == "words_test.go" || file == "CHANGELOG.md" || strings.HasPrefix(file, "contract/testdata/") {
			continue
		}
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, pattern := range patterns {
			if at := pattern.FindIndex(raw); at != nil {
				t.Errorf("%s:%d: %q: say: %s", file, 1+strings.Count(string(raw[:at[0]]), "\n"), raw[at[0]:at[1]], stiffSentences[i].instead)
			}
		}
	}
}
