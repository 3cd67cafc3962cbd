package features_test

import (
	"slices"
	"strings"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
)

// rule is a Gherkin rule and the name of its file.
type rule struct {
	file string
	*messages.Rule
}

// isLoad reports whether the rule is about load cases.
func (r rule) isLoad() bool { return strings.HasPrefix(r.file, "load/") }

func rules(t *testing.T) []rule {
	t.Helper()
	names, err := features.Files()
	require.NoError(t, err)
	var found []rule
	for _, name := range names {
		file, err := features.FS.Open(name)
		require.NoError(t, err)
		document, err := gherkin.ParseGherkinDocument(file, (&messages.Incrementing{}).NewId)
		require.NoError(t, err, name)
		require.NoError(t, file.Close())
		for _, child := range document.Feature.Children {
			require.NotNil(t, child.Rule, "%s: every scenario belongs to the rule of its row", name)
			found = append(found, rule{name, child.Rule})
		}
	}
	return found
}

func rowOf(t *testing.T, r rule) contract.Row {
	t.Helper()
	id, _, _ := strings.Cut(r.Name, " - ")
	row, ok := contract.RowByID(contract.RowID(id))
	require.True(t, ok, "%s: rule %q names no row", r.file, r.Name)
	return row
}

func TestEveryRowHasARuleWithTheSentenceOfTheContract(t *testing.T) {
	var seen []contract.RowID
	for _, r := range rules(t) {
		row := rowOf(t, r)
		if !r.isLoad() {
			seen = append(seen, row.ID)
		}
		advice := "common cause"
		if row.Table == 2 {
			advice = "what to do"
		}
		assert.Equal(t, string(row.ID)+` - "`+row.Meaning+`", `+advice+`: "`+row.Advice+`"`, r.Name, r.file)
	}
	var want []contract.RowID
	for _, row := range contract.Rows() {
		want = append(want, row.ID)
	}
	slices.Sort(seen)
	slices.Sort(want)
	assert.Equal(t, want, seen)
}

// The examples of all features are the cases of the contract, both ways, and every id agrees with the other columns.
func TestExamplesAreTheCasesOfTheContract(t *testing.T) {
	var got []string
	for _, r := range rules(t) {
		row := rowOf(t, r)
		for _, child := range r.Children {
			for _, examples := range child.Scenario.Examples {
				got = append(got, checkExamples(t, row, child.Scenario, examples)...)
			}
		}
	}
	var want []string
	for _, c := range contract.Cases() {
		want = append(want, c.ID())
	}
	slices.Sort(got)
	slices.Sort(want)
	assert.Equal(t, want, got)
}

func checkExamples(t *testing.T, row contract.Row, scenario *messages.Scenario, examples *messages.Examples) []string {
	t.Helper()
	var header []string
	for _, cell := range examples.TableHeader.Cells {
		header = append(header, cell.Value)
	}
	require.Equal(t, "case", header[0], "the first column is the stable id")
	require.NotEmpty(t, examples.TableBody, "an outline without rows runs nothing")
	var ids []string
	for _, line := range examples.TableBody {
		id := line.Cells[0].Value
		c, err := contract.ParseCase(id)
		require.NoError(t, err)
		assert.Equal(t, row.ID, c.Row, id)
		assert.Equal(t, len(header) == 2 && c.Variant != "", c.IsLoad(), id)
		assert.Equal(t, string(c.Surface), line.Cells[1].Value, id)
		if len(header) > 2 {
			assert.Equal(t, "variant", header[2])
			assert.Equal(t, c.Variant, line.Cells[2].Value, id)
		}
		circ, _ := contract.CircumstanceByID(c.Circumstance)
		variant, _ := circ.Variant(c.Variant)
		title := variant.Sentence
		if variant.Name != "" {
			title = variant.Name + " - " + title
		}
		assert.Equal(t, title, examples.Name, "the examples are titled with their variant")
		assert.Contains(t, scenario.Steps[0].Text, `"`+circ.ID+`": `+circ.Sentence)
		ids = append(ids, id)
	}
	return ids
}

// maxSentences bounds what a scenario says of the answer, beside one step each for the circumstance and the call.
const maxSentences = 6

func TestScenariosAreShortAndStateTheStatusAndTheCode(t *testing.T) {
	for _, r := range rules(t) {
		row := rowOf(t, r)
		for _, child := range r.Children {
			s := child.Scenario
			assert.Equal(t, "<case>", s.Name, "the id is the name of the scenario")
			assert.LessOrEqual(t, len(s.Steps), 2+maxSentences, "%s: %s", r.file, row.ID)
			var texts []string
			for _, step := range s.Steps {
				texts = append(texts, step.Text)
			}
			if r.isLoad() {
				assert.Contains(t, texts, `many clients call "<surface>"`)
				assert.Contains(t, texts, "every error response has this row's status and code, is complete and in the client's API format, and leaks no internals")
				continue
			}
			for _, examples := range s.Examples {
				for _, line := range examples.TableBody {
					c, err := contract.ParseCase(line.Cells[0].Value)
					require.NoError(t, err)
					assert.Contains(t, texts, "the status is "+c.Status().String(), c.ID())
				}
			}
			if code := row.Code(); code != "" {
				assert.Contains(t, texts, `the error code is "`+code+`"`)
			}
			assert.Contains(t, texts, "the response leaks no internals")
			assert.Contains(t, texts, "the error is complete and in the client's API format")
		}
	}
}

// CONTRACT.md calls what stands behind the gateway the provider; everywhere else it is the upstream.
func TestFeaturesSayUpstream(t *testing.T) {
	names, err := features.Files()
	require.NoError(t, err)
	for _, name := range names {
		text, err := features.FS.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "Given the circumstance ") {
				assert.NotContains(t, line, "provider", name)
			}
		}
	}
}

func TestRuleFindsTheTextOfARow(t *testing.T) {
	for _, row := range contract.Rows() {
		text, err := features.Rule(string(row.ID))
		require.NoError(t, err)
		assert.Contains(t, text, row.Meaning)
		rules := 1
		if strings.Contains(text, "many clients") {
			rules++
		}
		assert.Equal(t, rules, strings.Count(text, "Rule:"))
	}
	_, err := features.Rule("http:418")
	require.ErrorIs(t, err, features.ErrNoRule)
}
