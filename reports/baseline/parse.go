package baseline

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrBaseline is returned when a baseline cannot be used. Its text starts with the file, and the line and column where
// there is one.
var ErrBaseline = errors.New("baseline")

// fault is one thing wrong with a baseline, and where.
type fault struct {
	place, problem string
}

func (f fault) Error() string { return f.place + ": " + f.problem }

// Unwrap makes errors.Is(err, ErrBaseline) hold.
func (fault) Unwrap() error { return ErrBaseline }

// Load reads a baseline: a YAML file of entries, or the result of an earlier run, whose failures are then expected: its
// folder, its run.ndjson or its verdicts.txt. What kind of file it is, its content says.
//
// It returns [ErrBaseline] for a file that is none of these or makes no sense, and the error of the file system when it
// cannot be read.
func Load(path string) (Baseline, error) {
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
		return Parse(file, data)
	}
}

// parseLog expects the failures of the run that the log tells.
func parseLog(file string, data []byte) (Baseline, error) {
	run, err := runlog.Read(bytes.NewReader(data))
	if err != nil {
		return Baseline{}, fault{file, err.Error()}
	}
	if !run.Complete() {
		return Baseline{}, fault{file, "the run is incomplete: " + run.Incomplete()}
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
			return Baseline{}, fault{fmt.Sprintf("%s:%d:1", file, number), "want a verdict and the id of a case"}
		}
		verdict := contract.Verdict(words[0])
		if verdict == contract.Fail || verdict == contract.ExpectedFail {
			b.Entries = append(b.Entries, Entry{Case: contract.Pattern(words[1]), Reason: "failed before", Line: number})
		}
	}
	return b, nil
}

// Parse reads a baseline's YAML; file names it in errors. Unknown keys, wrong types, patterns that are none, days that
// are none, a missing reason and an entry that is there twice are errors.
func Parse(file string, data []byte) (Baseline, error) {
	p := yamlFile{file}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Baseline{}, p.fault(err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return Baseline{}, p.at(nil, "want one YAML document with a list expected_failures")
	}
	root := tree.Docs[0].Body
	var content struct {
		Entries []Entry `yaml:"expected_failures"`
	}
	if err := yaml.NodeToValue(root, &content, yaml.Strict()); err != nil {
		return Baseline{}, p.fault(err)
	}
	entries := listNodes(root)
	if len(entries) != len(content.Entries) {
		return Baseline{}, p.at(root.GetToken(), "want a list expected_failures, each entry with case and reason")
	}
	lines := make(map[contract.Pattern]int)
	for i := range content.Entries {
		e := &content.Entries[i]
		node := entries[i]
		e.Line = start(node).Position.Line
		if problem := e.check(); problem != "" {
			return Baseline{}, p.at(start(node), problem)
		}
		if first, twice := lines[e.Case]; twice {
			return Baseline{}, p.at(start(node), fmt.Sprintf("%s is listed in line %d already", e.Case, first))
		}
		lines[e.Case] = e.Line
	}
	return Baseline{File: file, Entries: content.Entries}, nil
}

func (e Entry) check() string {
	if _, err := contract.ParsePattern(string(e.Case)); err != nil {
		return "case: " + err.Error()
	}
	if strings.TrimSpace(e.Reason) == "" {
		return "want a reason: why is it accepted that " + string(e.Case) + " fails?"
	}
	if _, err := time.Parse(time.DateOnly, string(e.Expires)); err != nil && e.Expires != "" {
		return fmt.Sprintf("expires: %q is no day such as 2027-03-31", e.Expires)
	}
	return ""
}

// listNodes are the entries of the list expected_failures as they stand in the file.
func listNodes(root ast.Node) []ast.Node {
	path, err := yaml.PathString("$.expected_failures")
	if err != nil {
		return nil
	}
	node, err := path.FilterNode(root)
	if list, ok := node.(*ast.SequenceNode); ok && err == nil {
		return list.Values
	}
	return nil
}

// start is the first token of an entry. A mapping's own token is the colon of its first key.
func start(node ast.Node) *token.Token {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	if v, ok := node.(*ast.MappingValueNode); ok {
		return v.Key.GetToken()
	}
	return node.GetToken()
}

// yamlFile places what is wrong with a file.
type yamlFile struct{ name string }

func (f yamlFile) at(t *token.Token, problem string) error {
	line, column := 1, 1
	if t != nil && t.Position != nil {
		line, column = t.Position.Line, t.Position.Column
	}
	return fault{fmt.Sprintf("%s:%d:%d", f.name, line, column), problem}
}

// fault gives an error of the YAML library its place.
func (f yamlFile) fault(err error) error {
	var located yaml.Error
	if !errors.As(err, &located) {
		return f.at(nil, err.Error())
	}
	problem := located.GetMessage()
	var unknown *yaml.UnknownFieldError
	var wrongType *yaml.TypeError
	switch {
	case errors.As(err, &unknown):
		problem = fmt.Sprintf("unknown key %q: want case, reason, link, owner or expires", located.GetToken().Value)
	case errors.As(err, &wrongType):
		problem = "want text here"
	}
	return f.at(located.GetToken(), problem)
}
