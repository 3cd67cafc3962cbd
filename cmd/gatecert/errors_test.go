package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An error says what is wrong, where, and what to do.
func TestErrorsHaveThreeParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	url := []string{"run", "http://127.0.0.1:1", "--key", "k", "--model", "m"}
	for name, tt := range map[string]struct {
		args            []string
		what, where, do string
	}{
		"a number out of bounds":  {[]string{"run", "--concurrency", "0", "--target", "reference", "--out", dir, "--concurrency", "300"}, "300", "--concurrency", "must be 1 to 256"},
		"a time":                  {[]string{"run", "--time-limit=-1s"}, "-1s", "--time-limit", "must be a positive time, or 0 for no limit"},
		"too few rounds":          {[]string{"load", "capacity", "--rounds", "3"}, "3", "--rounds", "must be 0 (skip) or at least 5"},
		"keep and out":            {[]string{"run", "--keep", "2", "--out", dir}, "2", "--keep", "--out left out"},
		"a level":                 {[]string{"run", "--level", "top"}, `no level "top"`, "level", "must be one of edge, relay"},
		"a level too high":        {append(url, "--level", "relay"), "needs more than a URL", "--level relay", "gatecert init URL writes one"},
		"a surface":               {[]string{"run", "--surfaces", "chatt"}, `no surface "chatt"`, "surface", "must be one of chat"},
		"a surface for load":      {[]string{"load", "soak", "--surface", "chatt"}, `"chatt": no such endpoint`, "--surface", "gatecert list surfaces"},
		"a row":                   {[]string{"run", "--rows", "http:418"}, "no row matches", `"http:418"`, "gatecert list rows shows all 32"},
		"a format":                {[]string{"run", "--format", "pdf"}, `no format "pdf"`, "format", "must be one of html"},
		"a profile":               {[]string{"run", "--target", file + ".yaml"}, "no such file", file + ".yaml", "gatecert init URL writes a profile"},
		"a folder that is a file": {[]string{"run", "--rows", "http:401", "--surfaces", "chat", "--out", file}, "not a directory", file, "--out names another"},
		"a model without a URL":   {[]string{"run", "--target", "reference", "--model", "m"}, "needs a URL", "--model", "models:"},
		"no scheme":               {[]string{"run", "127.0.0.1:8080", "--key", "k", "--model", "m"}, "is not an http or https URL", `"127.0.0.1:8080"`, "did you mean http://127.0.0.1:8080?"},
		"no model":                {[]string{"run", "http://127.0.0.1:1", "--key", "k"}, "a URL needs", "--model", "gatecert init URL chooses"},
		"a key without a gateway": {[]string{"replay", "http:401/missing-key/chat", "--from", file}, "no header", file, "log"},
		"until pass":              {[]string{"run", "--until-pass"}, "--until-pass", "an earlier run", "--failed RUN"},
		"a mutant":                {[]string{"gateway", "--mutant", "nosuch"}, `unknown mutant "nosuch"`, "--mutant", "see gatecert list mutants"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := invoke(t.Context(), tt.args...)
			assert.NotEqual(t, exitConformant, code)
			for _, part := range []string{tt.what, tt.where, tt.do} {
				assert.Contains(t, stderr, part)
			}
		})
	}
}
