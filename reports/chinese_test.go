//go:build !race

// The page is rendered by one goroutine; with the race detector this takes ten seconds more.

package reports_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/browsertest"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

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
			if name != "hostile" { // a gateway's own words
				assert.Empty(t, missing(), "not in the catalogue")
			}
		})
	}
}

// So does the matrix of several runs.
func TestMatrixInChinese(t *testing.T) {
	chinese, ok := reports.LanguageNamed("zh")
	require.True(t, ok)
	l, missing := reports.Recorded(chinese)
	older := goodRun()
	older.Target.Name, older.ContractDigest = "older", "another"
	m := reports.NewSideBySide([]runlog.Run{failingRun(), older, callersRun()}).In(l)
	var out bytes.Buffer
	require.NoError(t, m.Terminal(&out, reports.TerminalOptions{}))
	golden(t, "matrix.zh.txt", out.Bytes())
	out.Reset()
	require.NoError(t, m.Markdown(&out))
	golden(t, "matrix.zh.md", out.Bytes())
	assert.Empty(t, missing(), "not in the catalogue")
}

func TestMatrixPageInChinese(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	chinese, _ := reports.LanguageNamed("zh")
	m := reports.NewSideBySide([]runlog.Run{failingRun(), goodRun(), callersRun()}).In(chinese)
	p := browsertest.Start(t).Show(t, m.HTML, "#code:model_not_found/"+m.Matrix.Columns[0].Name)
	assert.Equal(t, "3 个目标的对比", p.Eval(t, `document.querySelector("h1").innerText`))
	names := map[string]bool{"edge": true, "relay": true, "gatecert": true, "chat": true, "chat-stream": true, "messages": true, "gemini": true, "openai": true, "anthropic": true}
	for _, c := range m.Matrix.Columns {
		names[c.Name] = true
	}
	for word := range strings.SplitSeq(p.Eval(t, english).(string), "\n") {
		assert.True(t, names[word] || strings.Contains(word, "wrong-key") || strings.Contains(word, "cause-of-") || strings.Contains(word, "model"), "still English: %q", word)
	}
}

// english finds words of the page's own that are still English: names, ids and what quotes a gateway stand in elements of their own.
const english = `(() => {
	const quotes = "pre, code, script, style, bdi:not(.title), .mono, .got, .findings, .notes, .id, th.surface, th.format, .expected, article.load, dd, noscript, #list, #evidence :is(p, li, td, small, summary), .id";
	const words = [];
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = texts.nextNode(); node; node = texts.nextNode()) {
		const text = node.nodeValue.trim();
		if (/[a-z]{3}/.test(text) && !/\p{Script=Han}/u.test(text) && !node.parentElement.closest(quotes)) words.push(text);
	}
	return [...new Set(words)].join("\n");
})()`

func TestPageInChinese(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	chinese, _ := reports.LanguageNamed("zh")
	browser := browsertest.Start(t)
	p := browser.Show(t, func(w io.Writer) error { return reports.HTMLIn(w, failingRun(), chinese) }, "#code:model_not_found/chat")
	assert.Equal(t, "zh", p.Eval(t, `document.documentElement.lang`))
	assert.Contains(t, p.Text(t, ".verdict .sentence"), "不符合契约（级别 relay）：32 个条目中 2 个失败")
	assert.Contains(t, p.Text(t, "#causes h2"), "优先修复：4 个失败和 1 个警告，共 6 个原因")
	assert.Contains(t, p.Text(t, "#causes .title"), "失败的流看起来像正常完成")
	assert.Equal(t, "code:model_not_found，chat：失败", p.Eval(t, `document.querySelector("#matrix [href='#code:model_not_found/chat']").ariaLabel`))
	assert.Equal(t, "响应", p.Eval(t, `[...document.querySelectorAll("#evidence h4 span")].map((e) => e.textContent).find((t) => t === "响应")`), "what a script adds is translated too")
	assert.Contains(t, p.Eval(t, `document.querySelector("#evidence pre").textContent`), "Model not found", "what a gateway sent is not")
	names := map[string]bool{"chat": true, "chat-stream": true, "messages": true, "gemini": true, "edge": true, "relay": true, "gatecert": true, "openai": true, "anthropic": true}
	for word := range strings.SplitSeq(p.Eval(t, english).(string), "\n") {
		assert.True(t, names[word] || strings.Contains(word, "wrong-key") || strings.Contains(word, "cause-of-") || strings.Contains(word, "model"), "still English: %q", word)
	}
}
