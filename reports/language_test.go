package reports

import (
	"io/fs"
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
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
		l.text(row.Advice)
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
	for _, c := range contract.Circumstances() {
		l.text(c.Sentence)
	}
	for step := range scenarioSteps(t) {
		l.text(step)
	}
	assert.Empty(t, missing())
}

// scenarioSteps are the sentences of all scenarios.
func scenarioSteps(t *testing.T) iter.Seq[string] {
	t.Helper()
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	step := regexp.MustCompile(`(?m)^ +(?:Given|When|Then|And|But) (.+)$`)
	return func(yield func(string) bool) {
		for _, name := range files {
			content, err := fs.ReadFile(features.FS, name)
			require.NoError(t, err)
			for _, match := range step.FindAllSubmatch(content, -1) {
				if !yield(string(match[1])) {
					return
				}
			}
		}
	}
}

// The notes of a run are written by packages that this one does not import; these are their sentences.
func TestNotesAreTranslated(t *testing.T) {
	t.Parallel()
	for note, want := range map[string]string{
		"The gateway called the upstream in anthropic format for chat, chat-stream; in openai format for messages":                                                                                                                                           "网关调用上游的格式：anthropic（端点 chat, chat-stream）；openai（端点 messages）",
		"The healthy control call on messages, made between the cases, failed: timed-out":                                                                                                                                                                    "用例之间，端点 messages 的 healthy 对照调用失败：timed-out",
		"endpoint chat is certified with the model gpt-4o, because the gateway returned 404 for the model that gatecert tried first":                                                                                                                         "端点 chat 用模型 gpt-4o 认证，因为网关对首先尝试的模型返回 404",
		"The gateway propagates some traces: 3 of 9 upstream requests carried the caller's traceparent":                                                                                                                                                      "网关只传递部分链路追踪：9 次调用中有 3 次的 traceparent 到达了上游",
		"the valid key is rate-limited, so the run made only one call every 1.5s; declare the limit in a profile (limits.valid)":                                                                                                                             "有效密钥受限流：本次运行每 1.5s 调用一次；可在配置文件中声明（limits.valid）",
		"the gateway stopped serving healthy calls 3 times, for up to 2s, after failures that the cases caused: it seems to have a circuit breaker or a limit; disable the breaker or the limit for the run, list more relay models, or set settle.recovery": "用例引发失败之后，网关3 次（最长 2s）停止响应正常调用：它似乎有熔断器或限流；请在运行期间关闭它，列出更多 relay 模型，或设置 settle.recovery",
		"1 of 4 passes and 3 of 3 failures are the upstream's own responses, forwarded by the gateway":                                                                                                                                                       "4 个通过中的 1 个和3 个失败中的 3 个是网关原样转发的上游响应",
		"keys.revoked: the gateway rejects this key with 401, like a key that was never issued; check that the key is spelled correctly":                                                                                                                     "keys.revoked：网关用 401 回应，如同从未签发的密钥：拼写是否正确？",
	} {
		assert.Equal(t, want, chinese().text(note))
	}
}

// translatedText has no English prose of its own.
func TestTranslationsDifferFromTheirTexts(t *testing.T) {
	t.Parallel()
	han := regexp.MustCompile(`\p{Han}`)
	for _, entry := range slices.Concat(zhFrame, zhPage, zhCallers, zhTitles, zhContract, zhRows, zhRemedies, zhNotes, zhSteps, zhCircumstances, zhMatrix, zhAdvice) {
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
		"2 cases, 1 endpoint":         "2 个用例，1 个端点",
		"401 responses have no param": "401 响应缺少 param",
		"Responses have no code":      "响应缺少错误码",
		"503 instead of 404":          "应为 404，实际为 503",
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
