package baseline

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Load reads a baseline: a YAML file of entries, or the result of an earlier run (its folder, its run.ndjson or its verdicts.txt), whose failures are
// then expected. The content of the file determines its type.
//
// Load returns [ErrBaseline] if the file is none of these or its content is invalid, and the file system's error if the file cannot be read.
func Load(path string, parse Parser) (Baseline, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "run.ndjson")
	}
	opened, err := os.Open(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return Baseline{}, fmt.Errorf("read baseline: %w", err)
	}
	defer opened.Close() //nolint:errcheck // it was only read
	file, content := filepath.Base(path), bufio.NewReaderSize(opened, lookAhead)
	head, err := content.Peek(lookAhead)
	if err != nil && !errors.Is(err, io.EOF) {
		return Baseline{}, fmt.Errorf("read baseline: %w", err)
	}
	first, _, _ := bytes.Cut(bytes.TrimSpace(head), []byte("\n"))
	word, _, _ := strings.Cut(string(first[:min(len(first), 64)]), " ")
	if bytes.HasPrefix(first, []byte(`{"type":"header"`)) {
		return parseLog(file, content)
	}
	data, err := io.ReadAll(io.LimitReader(content, maxFile+1))
	switch {
	case err != nil:
		return Baseline{}, fmt.Errorf("read baseline: %w", err)
	case len(data) > maxFile:
		return Baseline{}, faultf("%s: the file is larger than %d MiB", file, maxFile>>20)
	case slices.Contains(contract.Verdicts(), contract.Verdict(word)):
		return parseVerdicts(file, data)
	default:
		return Parse(file, data, parse)
	}
}

// maxFile is the maximum number of bytes read from a baseline that is not the log of a run. A list of all verdicts is a hundredth of that size.
// lookAhead is how many bytes of a file are read to determine its type.
const (
	maxFile   = 8 << 20
	lookAhead = 4 << 10
)

func parseLog(file string, log io.Reader) (Baseline, error) {
	run, err := runlog.Read(log)
	if err != nil {
		return Baseline{}, faultf("%s: %w", file, err)
	}
	if !run.Complete() {
		return Baseline{}, faultf("%s: the run is incomplete and cannot be used as a baseline: %s", file, run.Incomplete())
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
			return Baseline{}, faultf("%s:%d:1: the line must consist of a verdict and a case ID", file, number)
		}
		verdict := contract.Verdict(words[0])
		if verdict == contract.Fail || verdict == contract.ExpectedFail {
			b.Entries = append(b.Entries, Entry{Case: contract.Pattern(words[1]), Reason: "failed in an earlier run", Line: number})
		}
	}
	return b, nil
}

// ErrBaseline is returned if a baseline cannot be used. Its text starts with the file name, followed by the line and column if they are known.
var ErrBaseline = errors.New("baseline")

// fault is an error about a baseline: it is [ErrBaseline] too, without naming it.
type fault struct{ error }

func (f fault) Unwrap() []error { return []error{ErrBaseline, f.error} }

func faultf(format string, args ...any) error { return fault{fmt.Errorf(format, args...)} }

// A Document is a parsed YAML file. This package links no YAML library, so its callers provide the document.
type Document interface {
	// Decode stores the document in a struct according to the struct's yaml tags. Its error states the position of the mistake.
	Decode(into any) error
	// Position returns the line and column, from 1, of a path such as $.expected_failures[2].
	Position(path string) (line, column int)
}

// A Parser parses the content of a YAML file. file is the name to use in errors.
type Parser func(file string, data []byte) (Document, error)

// Parse parses a baseline in YAML. It returns [ErrBaseline] for an unknown key, a wrong type, an invalid pattern or date, a missing reason, or an
// entry that is listed twice.
func Parse(file string, data []byte, parse Parser) (Baseline, error) {
	document, err := parse(file, data)
	if err != nil {
		return Baseline{}, fault{err}
	}
	var content struct {
		Entries []Entry `yaml:"expected_failures"`
	}
	if err := document.Decode(&content); err != nil {
		return Baseline{}, fault{err}
	}
	lines := make(map[contract.Pattern]int)
	for i := range content.Entries {
		e := &content.Entries[i]
		line, column := document.Position(fmt.Sprintf("$.expected_failures[%d]", i))
		problem := e.check()
		if first, twice := lines[e.Case]; problem == "" && twice {
			problem = fmt.Sprintf("%s is already listed on line %d", e.Case, first)
		}
		if problem != "" {
			return Baseline{}, faultf("%s:%d:%d: %s", file, line, column, problem)
		}
		e.Line, lines[e.Case] = line, line
	}
	return Baseline{File: file, Entries: content.Entries}, nil
}

func (e Entry) check() string {
	if _, err := contract.ParsePattern(string(e.Case)); err != nil {
		return "case: " + err.Error()
	}
	if strings.TrimSpace(e.Reason) == "" {
		return "reason is missing: explain why it is acceptable that " + string(e.Case) + " fails"
	}
	if _, err := time.Parse(time.DateOnly, string(e.Expires)); err != nil && e.Expires != "" {
		return fmt.Sprintf("expires: %q is not a date such as 2027-03-31", e.Expires)
	}
	return ""
}
