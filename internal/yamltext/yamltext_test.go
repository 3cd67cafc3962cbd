package yamltext

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type item struct {
	Name string   `yaml:"name"`
	Note string   `yaml:"note,omitempty"`
	Line int      `yaml:"-"`
	Tags []string `yaml:"tags,omitempty"`
}

type document struct {
	Title string `yaml:"title"`
	Done  bool   `yaml:"done,omitempty"`
	Stats struct {
		Passed int `yaml:"passed"`
	} `yaml:"stats"`
	Items []item   `yaml:"items"`
	Empty []string `yaml:"empty"`
}

func TestMarshal(t *testing.T) {
	d := document{Title: "a: b", Done: true, Items: []item{{Name: "code:model_not_found/**", Tags: []string{"x", "2027-03-31"}}, {Name: "no", Line: 7}}}
	d.Stats.Passed = 3
	assert.Equal(t, `title: "a: b"
done: true
stats:
  passed: 3
items:
  - name: code:model_not_found/**
    tags:
      - x
      - "2027-03-31"
  - name: "no"
empty: []
`, Marshal(d))
	assert.Equal(t, "- a\n- \"1\"\n", Marshal([]string{"a", "1"}))
	assert.Panics(t, func() { Marshal(struct{ F float64 }{1}) })
}

func TestPlainTextStaysReadable(t *testing.T) {
	for _, text := range []string{
		"code:channel:*/*/chat", "failed in run 20260504-030201-a1b2", "sha256:c0ffee", "known (owner ada)", "https://example.com/12", "a, b", "gpt-4o",
	} {
		assert.Equal(t, text, quote(text))
	}
}

func FuzzQuote(f *testing.F) {
	for _, text := range []string{
		"", " ", "a", "a ", "a:", "a: b", "a #b", "a#b", "a,", "- a", "'", "\"", "\x1b[31m", "\u202e", "\u2028", "é漢👩", "\x00", "\xff", "a\nb", "a\tb",
		"null", "~", "TRUE", "off", "1e3", ".inf", "0x1", "12:30:00", "2027-03-31", "a\n---\nb", "{a}", "[a]", "*a", "&a", "!a", "%a", "@a", "`a", "a: ", "a :b", "\ufeff", "\u0085", "N",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 {
			return // the YAML library takes its time over long nonsense
		}
		want := strings.ToValidUTF8(text, "\uFFFD")
		var got []item
		written := Marshal([]item{{Name: text, Note: text}})
		require.NoError(t, yaml.UnmarshalWithOptions([]byte(written), &got, yaml.Strict()), written)
		require.Equal(t, []item{{Name: want, Note: want}}, got, written)
	})
}
