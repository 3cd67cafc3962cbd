//go:build !race

// The race detector makes these tests of text ten times as slow: a minute.

package gatecert_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// retiredWords are words and turns of phrase that this project used and no longer uses, because a second word stood for
// the same thing or because readers did not understand them at the first reading. docs/architecture.md lists the words
// that replaced them. A pattern matches whole words of a line in lower case, after camelCase and snake_case were taken
// apart: "shots?" finds shotCount, and does not find screenshot.
var retiredWords = []struct{ pattern, instead string }{
	{`obligations?`, "requirement"},
	{`deviations?|deviat(e|es|ed|ing)`, "mutant"},
	{`bends?|bent|bending`, "hook, or mutant"},
	{`turns (into|what)|noturns|turns string|turns \[`, "expectation"},
	{`variations?`, "permitted behaviour"},
	{`provocations?|provok(e|es|ed|ing)`, "recipe"},
	{`furnish\w*|furniture`, "provision, fixtures"},
	{`plays? the (provider|upstream)|(provider|upstream) (that )?(gatecert|we) plays?`, "mock upstream"},
	{`providers?`, "upstream"},
	{`stages?`, "session (targets), phase (load), middleware (reference gateway)"},
	{`stress|stressed|loadable|firing( range)?`, "load case"},
	{`volleys?`, "attack"},
	{`shots?`, "request, result"},
	{`trials?`, "probe (capacity), mutant run (self-test)"},
	{`objectives?`, "SLO"},
	{`proves? nothing|of no use`, "inconclusive"},
	{`(is|was|are|were) not fit|unfit|fitness`, "the generator could not keep up"},
	{`sick`, "faulty"},
	{`company|accompanied`, "baseline probes, concurrent probes"},
	{`partings?|departs?|departing|storms?|hopeless|atime`, "the field's term"},
	{`of ours`, "our …"},
	{`is no [a-z]+`, "is not a …"},
	{`(is|are) told|tells of`, "is reported, gets"},
	{`left in peace`, "not called more often than allowed"},
	{`beside (it|them|those)`, "in addition, at the same time, next to"},
	{`what is due`, "what is expected"},
	{`as it should( be)?|says so|is taken for`, "say what it is, or does"},
}

// retiredNames are words that no identifier of the code is made of: each was a private name for something that the field
// has a term for.
var retiredNames = strings.Fields(`accompanied alike anchored aside atime beside books bracket company consult depart dying few furnish
	furniture hopeless intake leaving lend lent mesh parting rested shot some soon storm strange taken tie told volley`)

// plainEnglish are phrases that retiredWords find and that are right all the same.
var plainEnglish = regexp.MustCompile(`\bthere (is|are|was) no\b|\bis no longer\b|\bis no (more|less|\w+er)\b|\bstandard deviations?\b|\bcoefficient of variation\b|\bservice level objectives?\b|\bhelp provider\b`)

// allowedWords are the places where a retired word stays.
var allowedWords = []struct{ file, line, reason string }{
	{`^(words|plainenglish)_test\.go$`, ``, "the lists themselves"},
	{`^CHANGELOG\.md$`, ``, "names what a word or flag was called before"},
	{`^contract/testdata/CONTRACT\.md$`, ``, "the published document, verbatim"},
	{`^docs/architecture\.md$`, `^\| dialect \|`, "the provider of an API format"},
	{`^docs/findings\.md$`, `"provider":"anthropic"`, "an answer, verbatim"},
	{`^features/features_test\.go$`, `provider`, "the test that keeps the word out"},
	{`_test\.go$|^targets/profile/secrets\.go$`, `x-(portkey-)?provider`, "a header field of Portkey"},
	{`^internal/otlp/`, `[Pp]rovider`, "the SDK of OpenTelemetry calls it that"},
	{`^templates/gatecert\.yml$`, `stage`, "GitLab calls it that"},
	{`^docs/ci\.md$`, `stage(\(| view|s?:)|stages`, "Jenkins and GitLab call it that"},
}

// camel finds the places where a word of a Go identifier ends.
var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// plainWords returns the line as words in lower case.
func plainWords(line string) string {
	return strings.ToLower(strings.ReplaceAll(camel.ReplaceAllString(line, "$1 $2"), "_", " "))
}

// publishedSentences returns the headings and table cells of the contract. They are quoted verbatim, whatever words they use.
func publishedSentences(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("contract/testdata/CONTRACT.md")
	require.NoError(t, err)
	var sentences []string
	for line := range strings.Lines(string(raw)) {
		if heading, ok := strings.CutPrefix(strings.TrimSpace(line), "### "); ok {
			heading, _, _ = strings.Cut(heading, " (")
			sentences = append(sentences, heading)
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		for cell := range strings.SplitSeq(line, "|") {
			if cell = strings.TrimSpace(cell); strings.Contains(cell, " ") {
				sentences = append(sentences, cell)
			}
		}
	}
	// The longest first, so that one sentence that is part of another does not leave the other's rest behind.
	slices.SortFunc(sentences, func(a, b string) int { return len(b) - len(a) })
	return sentences
}

// TestRetiredWordsStayAway reads every tracked text file and prints a line for every retired word.
func TestRetiredWordsStayAway(t *testing.T) {
	published := publishedSentences(t)
	var patterns []*regexp.Regexp
	var all []string
	for _, word := range retiredWords {
		patterns = append(patterns, regexp.MustCompile(`\b(`+word.pattern+`)\b`))
		all = append(all, word.pattern)
	}
	anyWord := regexp.MustCompile(`\b(` + strings.Join(all, "|") + `)\b`)
	for _, file := range tracked(t, "*.go", "*.md", "*.feature", "*.tmpl", "*.js", "*.yml") {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		number := 0
		for line := range strings.Lines(string(raw)) {
			number++
			if !anyWord.MatchString(plainWords(line)) || allowedWord(file, line) {
				continue // most lines: what follows is for the others
			}
			for _, sentence := range published {
				line = strings.ReplaceAll(line, sentence, "")
			}
			words := plainEnglish.ReplaceAllString(plainWords(line), "")
			for i, pattern := range patterns {
				if found := pattern.FindString(words); found != "" {
					t.Errorf("%s:%d: %q: say %s", file, number, found, retiredWords[i].instead)
				}
			}
		}
	}
}

// tracked returns the files of the working tree that git tracks and that match one of the patterns.
func tracked(t *testing.T, patterns ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", append([]string{"ls-files", "--"}, patterns...)...).Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(file string) bool {
		_, err := os.Stat(file)
		return os.IsNotExist(err) // deleted, and not yet committed
	})
}

func allowedWord(file, line string) bool {
	for _, allowed := range allowedWords {
		if regexp.MustCompile(allowed.file).MatchString(file) && regexp.MustCompile(allowed.line).MatchString(line) {
			return true
		}
	}
	return false
}

// TestRetiredNamesStayAway parses every Go file but tests and prints a line for every declared name that contains a
// retired word.
func TestRetiredNamesStayAway(t *testing.T) {
	files := token.NewFileSet()
	for _, file := range tracked(t, "*.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			for _, name := range declaredNames(n) {
				for word := range strings.FieldsSeq(plainWords(name.Name)) {
					if slices.Contains(retiredNames, word) {
						t.Errorf("%s: the name %s contains %q: use the field's term", files.Position(name.Pos()), name.Name, word)
					}
				}
			}
			return true
		})
	}
}

// declaredNames returns the names that a node declares: of a function, a type, a constant, a variable, a field or a parameter.
func declaredNames(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return nil
		}
		var names []*ast.Ident
		for _, left := range n.Lhs {
			if name, ok := left.(*ast.Ident); ok {
				names = append(names, name)
			}
		}
		return names
	default:
		return nil
	}
}
