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
	found := filepath.Join(dir, "found")
	require.NoError(t, os.MkdirAll(filepath.Join(found, "reports", "latest"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(found, foundProfile), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(found, "reports", "latest", logName), nil, 0o600))
	url := []string{"run", "http://127.0.0.1:1", "--key", "k", "--model", "m"}
	for name, tt := range map[string]struct {
		args            []string
		what, where, do string
	}{
		"a number out of bounds":  {[]string{"run", "--concurrency", "0", "--target", "reference", "--out", dir, "--concurrency", "300"}, "300", "--concurrency", "must be between 1 and 256"},
		"a time":                  {[]string{"run", "--time-limit=-1s"}, "-1s", "--time-limit", "must be positive, or 0 for no limit"},
		"too few rounds":          {[]string{"load", "capacity", "--rounds", "3"}, "3", "--rounds", "must be 0 (no comparison) or at least 5"},
		"keep and out":            {[]string{"run", "--keep", "2", "--out", dir}, "2", "--keep", "cannot be combined with --out"},
		"a level":                 {[]string{"run", "--level", "top"}, `no level "top"`, "level", "use one of edge, relay"},
		"a level too high":        {append(url, "--level", "relay"), "needs more than a URL", "--level relay", "gatecert init URL writes a profile"},
		"a surface":               {[]string{"run", "--surfaces", "telegraph"}, `no endpoint "telegraph"`, "endpoint", "use one of chat"},
		"a typo of a surface":     {[]string{"run", "--surfaces", "chatt"}, `no endpoint "chatt"`, "endpoint", `did you mean "chat"?`},
		"a typo of a level":       {[]string{"run", "--level", "relai"}, `no level "relai"`, "level", `did you mean "relay"?`},
		"a typo of a row":         {[]string{"run", "--rows", "model_not_fund"}, "no row matches", `"model_not_fund"`, `did you mean "model_not_found"?`},
		"a typo to explain":       {[]string{"explain", "model_not_fund"}, "no row", `"model_not_fund"`, `did you mean "model_not_found"?`},
		"a typo of a format":      {[]string{"run", "--format", "jsn"}, `no format "jsn"`, "format", `did you mean "json"?`},
		"a typo of a list":        {[]string{"list", "rowz"}, "cannot list", `"rowz"`, `did you mean "rows"?`},
		"a typo of a mutant":      {[]string{"gateway", "--mutant", "rate-limit-as-50"}, "unknown mutant", "--mutant", `did you mean "rate-limit-as-503"?`},
		"a typo in a self-test":   {[]string{"selftest", "--mutant", "rate-limit-as-50"}, "unknown mutant", `"rate-limit-as-50"`, `did you mean "rate-limit-as-503"?`},
		"a time without a unit":   {[]string{"watch", "--every", "15"}, `"15" has no unit`, "--every", "use 15s, 15m or 15h"},
		"no time":                 {[]string{"watch", "--every", "soon"}, `"soon" is not a duration`, "--every", "such as 30s"},
		"a flag for a time":       {[]string{"watch", "--every", "--yes"}, "the flag has no value", "--every", "add a duration"},
		"a typo of a value":       {[]string{"gateway", "--limiter", "token-buckett"}, `invalid value "token-buckett"`, "--limiter", `did you mean "token-bucket"?`},
		"an unknown value":        {[]string{"diff", dir, dir, "--format", "xlsx"}, `invalid value "xlsx"`, "--format", "must be one of terminal, md, json"},
		"no number":               {[]string{"run", "--concurrency", "x"}, `"x" is not a whole number`, "--concurrency", "use a number such as 10"},
		"a negative number":       {[]string{"run", "--keep", "-1"}, "-1", "--keep", "must be at least 1"},
		"no argument":             {[]string{"report"}, "an argument is missing", "<log>", "gatecert report --help"},
		"no command":              {[]string{"load"}, "a command is missing", "soak", "gatecert load --help"},
		"a file for a URL":        {[]string{"run", file}, "is a file, not a URL", file, "--target " + file},
		"a folder for a URL":      {[]string{"run", dir}, "is a folder, not a URL", dir, "--target FILE"},
		"no file for a URL":       {[]string{"run", file + ".yaml"}, "neither a URL nor a file", file + ".yaml", "gatecert init URL"},
		"the word for a URL":      {[]string{"run", "reference"}, "is not a URL", `"reference"`, "--target reference"},
		"a file to init":          {[]string{"init", file, "--key", "k"}, "is a file, not a URL", file, "specify its URL"},
		"a folder for a profile":  {[]string{"run", "--target", dir}, "is a folder, not a profile", dir, "specify the profile's YAML file"},
		"a folder with a profile": {[]string{"run", "--target", found}, "is a folder, not a profile", found, "did you mean " + filepath.Join(found, "gatecert.yaml")},
		"a folder to check":       {[]string{"check", dir}, "is a folder", dir, "specify the files in it"},
		"a folder without a run":  {[]string{"report", dir}, "contains no run", dir, "specify the folder of a run, or its run.ndjson"},
		"a folder above a run":    {[]string{"report", found}, "contains no run", found, "did you mean " + filepath.Join(found, "reports", "latest")},
		"no folder of a run":      {[]string{"replay", "x", "--from", file + "s"}, "does not exist", file + "s", "specify the folder of a run"},
		"no latest run":           {[]string{"report", filepath.Join(dir, "latest")}, "does not exist", "latest", "gatecert run creates this link"},
		"a file of another kind":  {[]string{"report", file}, "is not the log of a run", file, "specify the folder of a run"},
		"no key":                  {[]string{"certify", dir, "--key", file + ".pem"}, "does not exist", "--key", "gatecert keygen"},
		"an address to listen on": {[]string{"upstream", "--listen", "nowhere"}, "missing port", "--listen", "a free address"},
		"a surface for load":      {[]string{"load", "soak", "--surface", "telegraph"}, `no endpoint "telegraph"`, "--surface", "gatecert list surfaces"},
		"a row":                   {[]string{"run", "--rows", "http:418"}, "no row matches", `"http:418"`, "to see all 32 rows, run gatecert list rows"},
		"a format":                {[]string{"run", "--format", "pdf"}, `no format "pdf"`, "format", "use one of html"},
		"a profile":               {[]string{"run", "--target", file + ".yaml"}, "no such file", file + ".yaml", "run gatecert init URL"},
		"a folder that is a file": {[]string{"run", "--rows", "http:401", "--surfaces", "chat", "--out", file}, "not a directory", file, "use --out to choose another folder"},
		"a model without a URL":   {[]string{"run", "--target", "reference", "--model", "m"}, "needs a URL", "--model", "models:"},
		"no scheme":               {[]string{"run", "127.0.0.1:8080", "--key", "k", "--model", "m"}, "is not an http or https URL", `"127.0.0.1:8080"`, "did you mean http://127.0.0.1:8080?"},
		"no model":                {[]string{"run", "http://127.0.0.1:1", "--key", "k"}, "a URL requires", "--model", "run gatecert init URL"},
		"a key without a gateway": {[]string{"replay", "http:401/missing-key/chat", "--from", file}, "no header", file, "log"},
		"until pass":              {[]string{"run", "--until-pass"}, "--until-pass", "an earlier run", "--failed RUN"},
		"a mutant":                {[]string{"gateway", "--mutant", "nosuch"}, `unknown mutant "nosuch"`, "--mutant", "run gatecert list mutants"},
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
