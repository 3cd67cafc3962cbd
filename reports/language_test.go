package reports

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// Every text that gatecert itself may write into a report is in the catalogue.
func TestTheCatalogueIsComplete(t *testing.T) {
	t.Parallel()
	l, missing := Recorded(chinese())
	for _, r := range append(slices.Concat(contract.Requirements(), contract.LoadRequirements(contract.LimitLoad)), contract.LoadRequirements(contract.OutageLoad)...) {
		d, ok := r.Details()
		require.True(t, ok)
		l.text(d.Sentence)
	}
	for _, m := range remedies {
		for _, text := range []string{m.title, m.suffers, m.mend} {
			l.text(text)
		}
		for _, row := range contract.Rows() {
			l.text(m.suffers + " " + RowText(row.ID))
		}
	}
	for _, k := range kindRemedies {
		l.text(k.mend)
	}
	for _, row := range contract.Rows() {
		l.text(row.Meaning)
		l.text(strings.ToLower(row.Meaning))
		l.text(RowText(row.ID))
	}
	for _, v := range legendVerdicts() {
		l.text(string(v))
		l.text(styleOf(v).one)
		l.text(styleOf(v).many)
	}
	for _, a := range contract.Aspects() {
		l.text(string(a))
	}
	for _, level := range contract.Levels() {
		l.text("level " + string(level))
	}
	assert.Empty(t, missing())
}

// translatedText has no English prose of its own.
func TestTranslationsDifferFromTheirTexts(t *testing.T) {
	t.Parallel()
	han := regexp.MustCompile(`\p{Han}`)
	for _, entry := range slices.Concat(zhFrame, zhPage, zhTitles, zhContract, zhRows, zhRemedies) {
		if slices.Contains([]string{"url", "message", "param", "type", "recipes", "{} {#} of {#}", "{#} with {}", "{} on {}: {}", "{#} of {#}"}, entry[0]) || !regexp.MustCompile(`[A-Za-z]{2}`).MatchString(strings.ReplaceAll(entry[0], "(s)", "")) {
			continue
		}
		assert.Regexp(t, han, entry[1], entry[0])
		assert.Equal(t, strings.Count(entry[0], "{}")+strings.Count(entry[0], "{#}")+strings.Count(entry[0], "{*}"), len(regexp.MustCompile(`\{\d\}`).FindAllString(entry[1], -1)), "places of %q", entry[0])
	}
}

func TestPhrases(t *testing.T) {
	t.Parallel()
	for english, want := range map[string]string{
		"2 cases, 1 endpoint":       "2 个用例，1 个端点",
		"401 answers have no param": "401 响应缺少 param",
		"Answers have no code":      "响应缺少错误码",
		"503 instead of 404":        "应为 404，实际为 503",
		"NOT conformant at level edge: 4 of 32 rows fail, 3 pass, 25 not run.": "不符合契约（级别 edge）：32 个条目中 4 个失败，3 个通过，25 个未运行。",
		"conformant at level full without load cases: 32 of 32 rows pass.":     "符合契约（级别 full（不含负载用例））：32 个条目中 32 个通过。",
		"PASS: 1 of 1 selected row passes (http:401, level full).":             "通过：选定的 1 个条目中 1 个通过（http:401，级别 full）。",
		"status 51 of 73":                      "状态码 51/73",
		"something that nobody has translated": "something that nobody has translated",
	} {
		assert.Equal(t, want, chinese().text(english))
	}
	assert.Equal(t, "2 cases", Language{}.text("2 cases"))
}

func TestLanguageNames(t *testing.T) {
	t.Parallel()
	for _, name := range LanguageNames() {
		_, ok := LanguageNamed(name)
		assert.True(t, ok, name)
	}
	_, ok := LanguageNamed("de")
	assert.False(t, ok)
}
