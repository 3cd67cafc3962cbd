package reports_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../docs/schema/" + name)
	require.NoError(t, err)
	return schema
}

func TestJSONBoundsItsEvidence(t *testing.T) {
	run := goodRun()
	run.Cases[0].Observation.Body = contract.Bytes(strings.Repeat("é", 4000))
	var out bytes.Buffer
	require.NoError(t, reports.JSON(&out, run))
	var report struct {
		Cases []struct {
			Truncated   bool
			Observation contract.Observation
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &report))
	assert.True(t, report.Cases[0].Truncated)
	assert.Equal(t, strings.Repeat("é", 1024), string(report.Cases[0].Observation.Body))
	assert.False(t, report.Cases[1].Truncated)
	assert.Len(t, run.Cases[0].Observation.Body, 8000, "the run itself stays whole")
}

// suites is what a reader of JUnit sees.
type suites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
			Out     string    `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func (s suites) skipped() int {
	n := 0
	for _, suite := range s.Suites {
		n += suite.Skipped
	}
	return n
}

func TestJUnitCountsWhatItHolds(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			got := junit(t, run)
			var tests, failures, errors int
			seen := make(map[string]bool)
			for _, s := range got.Suites {
				var f, e, k int
				for _, c := range s.Cases {
					assert.Equal(t, s.Name, c.Class)
					assert.False(t, seen[c.Class+c.Name], "%s is there twice", c.Name)
					seen[c.Class+c.Name] = true
					f, e, k = f+one(c.Failure), e+one(c.Error), k+one(c.Skipped)
				}
				assert.Equal(t, []int{len(s.Cases), f, e, k}, []int{s.Tests, s.Failures, s.Errors, s.Skipped}, s.Name)
				tests, failures, errors = tests+len(s.Cases), failures+f, errors+e
			}
			assert.Equal(t, []int{tests, failures, errors}, []int{got.Tests, got.Failures, got.Errors})
			if run.Verdict().Conformant() {
				assert.Zero(t, failures+errors)
			} else {
				assert.Positive(t, failures+errors, "what is not conformant must not look green")
			}
		})
	}
	t.Run("a failing run has its verdicts", func(t *testing.T) {
		got := junit(t, failingRun())
		assert.Equal(t, []int{96, 3, 1, 19}, []int{got.Tests, got.Failures, got.Errors, got.skipped()})
	})
	t.Run("cases that never ran are errors, and so is the run", func(t *testing.T) {
		got := junit(t, incompleteRun())
		assert.Equal(t, []int{5, 0, 3, 0}, []int{got.Tests, got.Failures, got.Errors, got.skipped()})
	})
	t.Run("a verdict that only the footer has is not lost", func(t *testing.T) {
		run := goodRun()
		run.Footer.Verdict = contract.Fail
		assert.Equal(t, 1, junit(t, run).Errors)
	})
	t.Run("a warning passes, with its text", func(t *testing.T) {
		for _, s := range junit(t, failingRun()).Suites {
			for _, c := range s.Cases {
				if c.Name == "http:401/wrong-key/messages" {
					assert.Contains(t, c.Out, "SHOULD code-place: got the code in error.type, want the code in error.code")
				}
			}
		}
	})
}

func junit(t *testing.T, run runlog.Run) suites {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, reports.JUnit(&out, run))
	var got suites
	dec := xml.NewDecoder(&out)
	require.NoError(t, dec.Decode(&got))
	_, err := dec.Token()
	for err == nil {
		_, err = dec.Token()
	}
	require.ErrorIs(t, err, io.EOF)
	return got
}

func one(present *struct{}) int {
	if present == nil {
		return 0
	}
	return 1
}

func TestMarkdownStaysBelowAMebibyte(t *testing.T) {
	run := crowd(450)
	var out bytes.Buffer
	require.NoError(t, reports.Markdown(&out, run))
	got := out.String()
	assert.Less(t, len(got), 1<<20)
	assert.Regexp(t, regexp.MustCompile(`… and \d+ more in report\.html`), got)
	assert.Equal(t, strings.Count(got, "<details>"), strings.Count(got, "</details>"))
	assert.True(t, strings.HasSuffix(got, "</details>\n"))
}

func TestMarkdownIsInert(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, reports.Markdown(&out, hostileRun()))
	got := out.String()
	outside := got
	// The longest run of backticks in the venom is three, so that four of them are a fence it cannot close.
	for _, code := range []string{"(?s)\n````(?:sh|text)\n.*?\n````\n", "````.*?````", "<code>.*?</code>"} {
		outside = regexp.MustCompile(code).ReplaceAllString(outside, "")
	}
	for _, bad := range []string{"<script", "<img", "@everyone", "https://evil", "](javascript", "onerror"} {
		assert.NotContains(t, outside, bad)
	}
	rows := 0
	for line := range strings.Lines(got) {
		switch {
		case strings.HasPrefix(line, "| `MUST`"):
			assert.Equal(t, 5, strings.Count(line, "|"), line)
			rows++
		case strings.HasPrefix(line, "| target"):
			assert.Equal(t, 3, strings.Count(line, "|"), line)
			rows++
		}
	}
	assert.Equal(t, 13, rows)
}

// crowd is a run of n failures, each with all the evidence there can be.
func crowd(n int) runlog.Run {
	one := result(contract.Rows()[0], dialect.Chat)
	id := one.ID
	poison(&one)
	var cases []runlog.Case
	for i := range n {
		one.ID = fmt.Sprint(id, "/", i)
		cases = append(cases, one)
	}
	return concluded(header(contract.Edge, dialect.Chat), cases)
}
