// Package docs_test holds the documents equal to what they document.
package docs_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
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
		require.True(t, found, row.ID)
		part, _, _ := strings.Cut(rest, "\n### ")
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
					assert.Contains(t, part, "`"+v.Name+"` "+v.Sentence)
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
				assert.Contains(t, text, name, part.Name())
			}
		}
	}
}
