package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestConsoles(t *testing.T) {
	t.Parallel()
	screen, pipe := device{output: true, errors: true, columns: 120}, device{}
	for name, tt := range map[string]struct {
		device           device
		variables        map[string]string
		width            int
		colored, redraws bool
	}{
		"a terminal":                     {screen, nil, 120, true, true},
		"a terminal of no known width":   {device{output: true, errors: true}, nil, 100, true, true},
		"a dumb terminal":                {screen, map[string]string{"TERM": "dumb"}, 120, false, false},
		"NO_COLOR":                       {screen, map[string]string{"NO_COLOR": "1"}, 120, false, true},
		"an empty NO_COLOR":              {screen, map[string]string{"NO_COLOR": ""}, 120, true, true},
		"CI with a terminal":             {screen, map[string]string{"CI": "true"}, 120, true, false},
		"CI that is none":                {screen, map[string]string{"CI": "false"}, 120, true, true},
		"a pipe":                         {pipe, nil, 100, false, false},
		"a pipe of a known width":        {pipe, map[string]string{"COLUMNS": "200"}, 200, false, false},
		"a width that makes no sense":    {pipe, map[string]string{"COLUMNS": "-3"}, 100, false, false},
		"a width of an enormous screen":  {pipe, map[string]string{"COLUMNS": "99999999"}, 100, false, false},
		"a terminal knows its own width": {screen, map[string]string{"COLUMNS": "80"}, 120, true, true},
		"FORCE_COLOR":                    {pipe, map[string]string{"FORCE_COLOR": "1", "TERM": "dumb"}, 100, true, false},
		"FORCE_COLOR=0":                  {screen, map[string]string{"FORCE_COLOR": "0"}, 120, false, true},
		"NO_COLOR comes first":           {pipe, map[string]string{"FORCE_COLOR": "1", "NO_COLOR": "1"}, 100, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.device.getenv = func(name string) string { return tt.variables[name] }
			assert.Equal(t, tt.width, tt.device.width())
			assert.Equal(t, tt.colored, tt.device.colored())
			assert.Equal(t, tt.redraws, tt.device.redraws())
		})
	}
}

func TestAQuietRunPrintsItsSentence(t *testing.T) {
	t.Parallel()
	few := []string{"run", "--rows", "http:401", "--surfaces", "chat", "--out"}
	code, stdout, stderr := invoke(t.Context(), append(few, t.TempDir(), "-q")...)
	require.Equal(t, exitConformant, code, stderr)
	assert.Regexp(t, `^PASS: 1 of 1 selected row passes [^\n]+\nreports: [^\n]+report.html\n$`, stdout)
	assert.Empty(t, stderr)

	code, _, stderr = invoke(t.Context(), append(few, t.TempDir(), "-v")...)
	require.Equal(t, exitConformant, code, stderr)
	assert.Regexp(t, regexp.MustCompile(`(?m)^✓ http:401/missing-key/chat \d+(\.\d+)?m?s$`), stderr)

	code, _, stderr = invoke(t.Context(), append(few, t.TempDir(), "-v", "-q")...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "can't be used together")
}

func timeAgo(seconds int) time.Time { return time.Now().Add(-time.Duration(seconds) * time.Second) }

// What a run waits for is named when that takes a while.
func TestProgressNamesWhatRuns(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	p := &progress{bar: newBar(&console{err: &errs})}
	p.show(gatecert.Progress{Phase: gatecert.PhaseConcurrent, Total: 10, Done: 4, Running: 2, Longest: "code:a/b\x1b/chat", Since: timeAgo(3)})
	assert.Equal(t, "4 of 10 cases, 0 not conformant, 2 running, code:a/b\\x1b/chat for 3 s\n", strings.ReplaceAll(errs.String(), "\\u001b", "\\x1b"))
	assert.Equal(t, ", 1 running", running(gatecert.Progress{Running: 1, Longest: "quick", Since: timeAgo(0)}))
	assert.Empty(t, running(gatecert.Progress{}))

	errs.Reset()
	p = &progress{bar: newBar(&console{err: &errs, verbose: true})}
	failed := runlog.Case{CaseKey: runlog.CaseKey{ID: "http:404/unknown-model/chat"}, Verdict: contract.Fail, Reason: "no"}
	p.show(gatecert.Progress{Phase: gatecert.PhaseConcurrent, Total: 10, Done: 5, Last: &failed})
	assert.Contains(t, errs.String(), "✗ http:404/unknown-model/chat 0s: no\n")
}
