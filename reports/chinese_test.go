package reports_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
)

// inEnglish are texts of a report that stay as they are: what a finding or a control says, and the notes of a log.
var inEnglish = regexp.MustCompile(`^note: `)

// The reports of the golden runs lack no translation, and are as wide as the terminal.
func TestReportsInChinese(t *testing.T) {
	chinese, ok := reports.LanguageNamed("zh")
	require.True(t, ok)
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			l, missing := reports.Recorded(chinese)
			var out bytes.Buffer
			require.NoError(t, reports.Terminal(&out, run, reports.TerminalOptions{Language: l}))
			if name == "failing" {
				golden(t, "failing.zh.txt", out.Bytes())
			}
			causes, _, _ := strings.Cut(out.String(), "\n\n级别")
			for line := range strings.Lines(causes) {
				if name != "hostile" && !strings.Contains(line, "curl ") && !strings.HasPrefix(line, "注意") {
					assert.LessOrEqual(t, displaywidth.String(strings.TrimSuffix(line, "\n")), 82, line)
				}
			}
			out.Reset()
			require.NoError(t, reports.MarkdownIn(&out, run, l))
			if name == "failing" {
				golden(t, "failing.summary.zh.md", out.Bytes())
			}
			for _, text := range missing() {
				if name == "hostile" {
					break // a gateway's own words
				}
				assert.Regexp(t, inEnglish, text, "not in the catalogue")
			}
		})
	}
}
