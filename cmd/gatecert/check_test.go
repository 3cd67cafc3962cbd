package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFilesAreCheckedWithoutTheirVariables(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good := write("gateway.yaml", "name: g\nbase_url: ${UNSET_URL}\nsurfaces: [chat]\nkeys: {valid: \"${UNSET_KEY}\"}\nmodels: {default: m}\nenv: [UNSET_URL]\n")
	known := write("known.yaml", "expected_failures:\n- {case: code:bad_request_body/**, reason: later}\n")
	wrong := write("wrong.yaml", "name: g\nbase_url: https://gateway.example\nsurfaces: [chatt]\n")
	stale := write("stale.yaml", "expected_failures:\n- {case: code:bad_request_body/**}\n")
	for _, c := range []struct {
		files []string
		code  int
		says  []string
	}{
		{[]string{good, known}, exitConformant, nil},
		{[]string{wrong, good, stale}, exitUsage, []string{"wrong.yaml:3:12: unknown endpoint \"chatt\": did you mean \"chat\"?", "stale.yaml:2:"}},
		{[]string{filepath.Join(dir, "none.yaml")}, exitUsage, []string{"none.yaml"}},
	} {
		code, stdout, stderr := invoke(t.Context(), append([]string{"check"}, c.files...)...)
		assert.Equal(t, c.code, code, stderr)
		assert.Empty(t, stdout)
		for _, want := range c.says {
			assert.Contains(t, stderr, want)
		}
	}
}
