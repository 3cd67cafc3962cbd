package yamlfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type settings struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
	Limits struct {
		Timeout  time.Duration `yaml:"timeout"`
		Attempts int           `yaml:"attempts"`
	} `yaml:"limits"`
	Steps []struct {
		Run  string `yaml:"run"`
		Wait bool   `yaml:"wait"`
	} `yaml:"steps"`
	Line int `yaml:"-"`
}

func decode(text string) (settings, error) {
	var s settings
	d, err := Parse("f.yaml", []byte(text))
	if err == nil {
		err = d.Decode(&s)
	}
	return s, err
}

func TestEveryFaultHasItsPlace(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a typo", "nmae: x\n", `f.yaml:1:1: unknown key "nmae": did you mean "name"?`},
		{"a key of another mapping", "limits:\n  name: x\n", `f.yaml:2:3: unknown key "name": must be timeout or attempts`},
		{"a key in a list", "steps:\n  - run: a\n  - rnu: b\n", `f.yaml:3:5: unknown key "rnu": did you mean "run"?`},
		{"a field that no file has", "Line: 1\n", `f.yaml:1:1: unknown key "Line": must be name, labels, limits or steps`},
		{"a string for a list", "steps: a\n", "f.yaml:1:8: expected a list, got a string"},
		{"a list for a mapping", "limits: [a]\n", "f.yaml:1:9: expected a mapping, got a list"},
		{"a string for a number", "limits: {attempts: many}\n", "f.yaml:1:20: expected a whole number, got a string"},
		{"a fraction for a number", "limits: {attempts: 1.5}\n", "f.yaml:1:20: expected a whole number, got a number with a fraction"},
		{"a string for a boolean", "steps: [{wait: maybe}]\n", "f.yaml:1:16: expected true or false, got a string"},
		{"a duration without a unit", "name: '5'\nlimits:\n  timeout: '5'\n", `f.yaml:3:12: expected a duration such as 2s, got "5"`},
		{"two documents", "name: a\n---\nname: b\n", "f.yaml:1:1: expected exactly one YAML document"},
		{"nothing", "# a comment\n", "f.yaml:1:1: expected exactly one YAML document"},
		{"broken YAML", "name: [\n", "f.yaml:1:7: sequence end token ']' not found"},
		{"a file without an end", strings.Repeat("# comment\n", 1<<17), "f.yaml:1:1: the file is larger than 512 KiB"},
		{"a mapping without an end", strings.Repeat("a: b\n", 20_000), "f.yaml:2501:1: the mapping has more than 2500 keys"},
		{"brackets in brackets", "name: " + strings.Repeat("[", 5000), "f.yaml:1:107: the file is nested more than 100 levels deep"},
		{"lists in lists", strings.Repeat("- ", 5000) + "a", "f.yaml:1:201: the file is nested more than 100 levels deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode(tt.text)
			require.EqualError(t, err, tt.want)
			var located *Error
			assert.ErrorAs(t, err, &located)
		})
	}
}

func TestAliasesAreBounded(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	_, err := Parse("f.yaml", []byte(bomb.String()))
	require.EqualError(t, err, "f.yaml:1:1: the YAML aliases expand to more than 40000 values")

	s, err := decode("steps:\n  - &first {run: a}\n  - *first\n")
	require.NoError(t, err)
	assert.Equal(t, s.Steps[0], s.Steps[1], "an alias as people write it")
}

func TestMapStrings(t *testing.T) {
	d, err := Parse("f.yaml", []byte("name: a\nlabels: {x: b, y: c}\n"))
	require.NoError(t, err)
	require.NoError(t, d.MapStrings(func(_, s string) (string, error) { return strings.ToUpper(s), nil }))
	var s map[string]any
	require.NoError(t, d.Decode(&s))
	assert.Equal(t, "A", s["NAME"])
	err = d.MapStrings(func(_, s string) (string, error) {
		if s == "C" {
			return "", errors.New("no C")
		}
		return s, nil
	})
	assert.EqualError(t, err, "f.yaml:2:19: no C")
}

func TestTheStringsOfADocumentHavePaths(t *testing.T) {
	d, err := Parse("f.yaml", []byte("a: {b.c: [x, y]}\nd: &d {e: z}\nf: *d\ng: |\n  w\nh: !!str v\n"))
	require.NoError(t, err)
	paths := make(map[string]string)
	require.NoError(t, d.MapStrings(func(path, s string) (string, error) { paths[s] = path; return s, nil }))
	for text, want := range map[string]string{"b.c": "$.a.'b.c'", "x": "$.a.'b.c'[0]", "y": "$.a.'b.c'[1]", "z": "", "w\n": "$.g", "v": "$.h", "f": "$.f"} {
		assert.Equal(t, want, paths[text], text)
	}
}

func TestPositions(t *testing.T) {
	d, err := Parse("f.yaml", []byte("name: a\nlimits:\n  attempts: 2\nsteps:\n  - run: a\n  - {run: b}\n"))
	require.NoError(t, err)
	for path, want := range map[string][2]int{
		"$.name": {1, 7}, "$.limits": {3, 3}, "$.limits.attempts": {3, 13}, "$.limits.timeout": {3, 3}, "$.steps[0]": {5, 5}, "$.steps[1].run": {6, 11},
		"$.steps[7]": {5, 3}, "$.nowhere.at.all": {1, 1}, "": {1, 1},
	} {
		line, column := d.Position(path)
		assert.Equal(t, want, [2]int{line, column}, path)
	}
	assert.EqualError(t, d.Fault("$.limits.attempts", "too few"), "f.yaml:3:13: too few")
}

func TestDecodeKnownIgnoresWhatItDoesNotKnow(t *testing.T) {
	d, err := Parse("f.yaml", []byte("name: a\nnew: b\n"))
	require.NoError(t, err)
	var s settings
	require.NoError(t, d.DecodeKnown(&s))
	assert.Equal(t, "a", s.Name)
}

func TestNearest(t *testing.T) {
	known := []string{"chat", "chat-stream", "messages"}
	for typo, want := range map[string]string{"chatt": "chat", "mesages": "messages", "hat": "chat", "banana": "", "ct": "", "hats": "", "": ""} {
		assert.Equal(t, want, Nearest(typo, known), typo)
	}
	assert.Equal(t, `did you mean "chat"?`, DidYouMean("chatt", known, "want one of three"))
	assert.Equal(t, "want one of three", DidYouMean("banana", known, "want one of three"))
}
