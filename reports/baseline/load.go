package baseline

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Load reads a baseline: a YAML file of entries, or the result of an earlier run, whose failures are then expected: its
// folder, its run.ndjson or its verdicts.txt. The content decides which it is.
//
// It returns [ErrBaseline] for a file that is none of these or makes no sense, and the error of the file system when the
// file cannot be read.
func Load(path string, parse Parser) (Baseline, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "run.ndjson")
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return Baseline{}, fmt.Errorf("read baseline: %w", err)
	}
	file := filepath.Base(path)
	first, _, _ := bytes.Cut(bytes.TrimSpace(data), []byte("\n"))
	word, _, _ := strings.Cut(string(first), " ")
	switch {
	case bytes.HasPrefix(first, []byte(`{"type":"header"`)):
		return parseLog(file, data)
	case slices.Contains(contract.Verdicts(), contract.Verdict(word)):
		return parseVerdicts(file, data)
	default:
		return Parse(file, data, parse)
	}
}

// parseLog returns the failures of a run log as entries.
func parseLog(file string, data []byte) (Baseline, error) {
	run, err := runlog.Read(bytes.NewReader(data))
	if err != nil {
		return Baseline{}, faultf("%s: %w", file, err)
	}
	if !run.Complete() {
		return Baseline{}, faultf("%s: the run is incomplete: %s", file, run.Incomplete())
	}
	b := Baseline{File: file, Recorded: true}
	for _, c := range run.Cases {
		if c.Verdict == contract.Fail || c.Verdict == contract.ExpectedFail {
			b.Entries = append(b.Entries, Entry{Case: contract.Pattern(c.ID), Reason: "failed in run " + run.RunID})
		}
	}
	return b, nil
}

// parseVerdicts reads lines of "verdict case-id", as verdicts.txt has them.
func parseVerdicts(file string, data []byte) (Baseline, error) {
	b := Baseline{File: file, Recorded: true}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 || !slices.Contains(contract.Verdicts(), contract.Verdict(words[0])) {
			return Baseline{}, faultf("%s:%d:1: want a verdict and the id of a case", file, number)
		}
		verdict := contract.Verdict(words[0])
		if verdict == contract.Fail || verdict == contract.ExpectedFail {
			b.Entries = append(b.Entries, Entry{Case: contract.Pattern(words[1]), Reason: "failed before", Line: number})
		}
	}
	return b, nil
}
