package reports_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// formatted renders a run in a format by its name.
func formatted(t *testing.T, name string, run runlog.Run) []byte {
	t.Helper()
	formats := reports.Formats()
	i := slices.IndexFunc(formats, func(f reports.Format) bool { return f.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return render(t, run, func(w *bytes.Buffer, run runlog.Run) error { return formats[i].Render(w, run) })
}

func TestFormatsKeepTheSchemasOfOthers(t *testing.T) {
	for format, file := range map[string]string{"ctrf": "ctrf.schema.json", "har": "har.schema.json", "badge": "badge.schema.json"} {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		schema, err := c.Compile("testdata/schema/" + file)
		require.NoError(t, err)
		for name, run := range runs() {
			t.Run(format+" of a "+name+" run", func(t *testing.T) {
				value, err := jsonschema.UnmarshalJSON(bytes.NewReader(formatted(t, format, run)))
				require.NoError(t, err)
				assert.NoError(t, schema.Validate(value))
			})
		}
		t.Run(format+" refuses what is none", func(t *testing.T) {
			assert.Error(t, schema.Validate(map[string]any{"log": map[string]any{}, "results": map[string]any{}}))
		})
	}
}

// junitRule is an element of the schema by which Jenkins' xUnit plugin checks JUnit reports (junit-10.xsd): the
// attributes that it must and may have, and the elements that may stand in it, in any order.
type junitRule struct {
	must, may, inside []string
	text              bool
}

var junitRules = map[string]junitRule{
	"":           {inside: []string{"testsuites", "testsuite"}},
	"testsuites": {may: []string{"name", "time", "tests", "failures", "errors"}, inside: []string{"testsuite"}},
	"testsuite": {
		must:   []string{"name", "tests", "failures", "errors"},
		may:    []string{"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		inside: []string{"testsuite", "properties", "testcase", "system-out", "system-err"},
	},
	"properties": {inside: []string{"property"}},
	"property":   {must: []string{"name", "value"}},
	"testcase": {
		must: []string{"name"}, may: []string{"time", "classname", "group"},
		inside: []string{"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out", "system-err"},
	},
	"failure":    {may: []string{"type", "message"}, text: true},
	"error":      {may: []string{"type", "message"}, text: true},
	"skipped":    {may: []string{"type", "message"}, text: true},
	"system-out": {text: true},
	"system-err": {text: true},
}

// junitTime is the type SUREFIRE_TIME of that schema, which a suite's time has.
var junitTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

// checkJUnit returns the first breach of the schema.
func checkJUnit(document []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(document))
	path := []string{""}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		in := path[len(path)-1]
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			rule, known := junitRules[name]
			if !known || !slices.Contains(junitRules[in].inside, name) {
				return fmt.Errorf("<%s> in <%s>", name, in)
			}
			var has []string
			for _, a := range token.Attr {
				has = append(has, a.Name.Local)
				if !slices.Contains(rule.must, a.Name.Local) && !slices.Contains(rule.may, a.Name.Local) {
					return fmt.Errorf("<%s %s>", name, a.Name.Local)
				}
				if a.Name.Local == "time" && strings.HasPrefix(name, "testsuite") && !junitTime.MatchString(a.Value) {
					return fmt.Errorf("<%s time=%q>", name, a.Value)
				}
			}
			for _, m := range rule.must {
				if !slices.Contains(has, m) {
					return fmt.Errorf("<%s> without %s", name, m)
				}
			}
			path = append(path, name)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 1 && !junitRules[in].text && len(bytes.TrimSpace(token)) > 0 {
				return fmt.Errorf("text in <%s>", in)
			}
		}
	}
}

func TestJUnitKeepsJenkinsSchema(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) { assert.NoError(t, checkJUnit(formatted(t, "junit", run))) })
	}
	for _, tt := range []struct{ name, document, want string }{
		{"an attribute that Jenkins does not know", `<testsuites skipped="1"/>`, "<testsuites skipped>"},
		{"a suite without its counts", `<testsuite name="a"/>`, "<testsuite> without tests"},
		{"a case without a name", `<testsuites><testsuite name="a" tests="1" failures="0" errors="0"><testcase/></testsuite></testsuites>`, "<testcase> without name"},
		{"a time that is none", `<testsuites time="soon"/>`, `<testsuites time="soon">`},
		{"a case outside of a suite", `<testsuites><testcase name="a"/></testsuites>`, "<testcase> in <testsuites>"},
		{"text where none may be", `<testsuites>hello</testsuites>`, "text in <testsuites>"},
	} {
		t.Run("the check finds "+tt.name, func(t *testing.T) { assert.EqualError(t, checkJUnit([]byte(tt.document)), tt.want) })
	}
}

func TestCTRFCountsWhatItHolds(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			var report struct {
				Results struct {
					Summary struct{ Tests, Passed, Failed, Skipped, Pending, Other int }
					Tests   []struct{ Status string }
				}
			}
			require.NoError(t, json.Unmarshal(formatted(t, "ctrf", run), &report))
			counts := make(map[string]int)
			for _, test := range report.Results.Tests {
				counts[test.Status]++
			}
			s := report.Results.Summary
			assert.Equal(t, []int{len(report.Results.Tests), counts["passed"], counts["failed"], counts["skipped"], 0, 0},
				[]int{s.Tests, s.Passed, s.Failed, s.Skipped, s.Pending, s.Other})
			assert.Equal(t, run.Verdict().Conformant(), s.Failed == 0, "what is not conformant must not look green")
		})
	}
}

func TestBadge(t *testing.T) {
	expected := goodRun()
	expected.Cases[3].Verdict = contract.ExpectedFail
	failing := goodRun()
	failing.Cases[3].Verdict = contract.Fail
	faulty := goodRun()
	faulty.Cases[3].Verdict = contract.Error
	for _, tt := range []struct {
		name, want string
		run        runlog.Run
	}{
		{"a conformant run is green", `"gatecert relay","message":"32 of 32 rows","color":"brightgreen"}`, goodRun()},
		{"one that fails is red, and says how far it came", `"gatecert relay","message":"31 of 32 rows","color":"red","isError":true}`, concluded(failing.Header, failing.Cases)},
		{"one with a harness fault is grey", `"gatecert relay","message":"error","color":"lightgrey","isError":true}`, concluded(faulty.Header, faulty.Cases)},
		{"a proven failure next to it is red", `"gatecert relay","message":"5 of 10 rows","color":"red","isError":true}`, failingRun()},
		{"one with an expected failure is yellow", `"gatecert relay","message":"31 of 32 rows","color":"yellow"}`, concluded(expected.Header, expected.Cases)},
		{"an incomplete one is grey", `"gatecert edge","message":"incomplete","color":"lightgrey","isError":true}`, incompleteRun()},
		{"nothing at all is grey", `"gatecert level unknown","message":"incomplete","color":"lightgrey","isError":true}`, runlog.Run{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var compact bytes.Buffer
			require.NoError(t, json.Compact(&compact, formatted(t, "badge", tt.run)))
			assert.Equal(t, `{"schemaVersion":1,"label":`+tt.want, compact.String())
		})
	}
}

func TestHARHoldsEveryExchangeAndItsStream(t *testing.T) {
	run := failingRun()
	run.Cases[0].Observation.Body = contract.Bytes("\xff\xfe")
	var file struct {
		Log struct {
			Entries []struct {
				Case     string `json:"_case"`
				Time     float64
				Timings  struct{ Send, Wait, Receive float64 }
				Response struct {
					Status  int
					Error   string `json:"_error"`
					Content struct{ Text, Encoding string }
				}
				Events []struct {
					At   float64 `json:"at_ms"`
					Data string
				} `json:"_events"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(formatted(t, "har", run), &file))
	observed := 0
	for _, c := range run.Cases {
		if c.Observation != nil {
			observed++
		}
	}
	assert.Len(t, file.Log.Entries, observed)
	first := file.Log.Entries[0].Response.Content
	assert.Equal(t, []string{"//4=", "base64"}, []string{first.Text, first.Encoding})
	for _, e := range file.Log.Entries {
		assert.InDelta(t, e.Time, e.Timings.Send+e.Timings.Wait+e.Timings.Receive, 1e-9, e.Case)
		switch {
		case strings.HasPrefix(e.Case, "code:get_channel_failed") && strings.HasSuffix(e.Case, "chat-stream"):
			require.Len(t, e.Events, 2)
			assert.InDelta(t, 9.0, e.Events[1].At, 1e-9)
			assert.Equal(t, "[DONE]", e.Events[1].Data)
			assert.Equal(t, "transfer interrupted: unexpected EOF", e.Response.Error)
		case strings.HasPrefix(e.Case, "code:bad_request_body") && strings.HasSuffix(e.Case, "messages"):
			assert.Equal(t, 0, e.Response.Status)
			assert.Equal(t, "timed-out: no head within 2s", e.Response.Error)
		}
	}
}

// cucumber is what a reader of messages puts together.
type cucumber struct {
	scenarios map[string]messages.TestStepResultStatus // by pickle name, the worst of its steps
	success   bool
	attached  int
}

// readMessages reads a stream as strictly as the protocol's schema does: one known field an envelope, and every
// reference leads to something that came before.
func readMessages(t *testing.T, stream []byte) cucumber {
	t.Helper()
	c := cucumber{scenarios: make(map[string]messages.TestStepResultStatus)}
	sources, pickles, steps := map[string]bool{}, map[string]string{}, map[string]bool{}
	cases, attempts, open := map[string]string{}, map[string]string{}, map[string]bool{}
	finished := false
	for line := range bytes.Lines(stream) {
		require.False(t, finished, "nothing comes after testRunFinished")
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(line, &fields))
		require.Len(t, fields, 1)
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		var e messages.Envelope
		require.NoError(t, dec.Decode(&e))
		switch {
		case e.Source != nil:
			sources[e.Source.Uri] = true
		case e.GherkinDocument != nil:
			require.True(t, sources[e.GherkinDocument.Uri])
		case e.Pickle != nil:
			require.True(t, sources[e.Pickle.Uri])
			pickles[e.Pickle.Id] = e.Pickle.Name
			for _, s := range e.Pickle.Steps {
				steps[s.Id] = true
			}
		case e.TestCase != nil:
			require.Contains(t, pickles, e.TestCase.PickleId)
			cases[e.TestCase.Id] = pickles[e.TestCase.PickleId]
			for _, s := range e.TestCase.TestSteps {
				require.True(t, steps[s.PickleStepId])
			}
		case e.TestCaseStarted != nil:
			require.Contains(t, cases, e.TestCaseStarted.TestCaseId)
			attempts[e.TestCaseStarted.Id] = cases[e.TestCaseStarted.TestCaseId]
			open[e.TestCaseStarted.Id] = true
		case e.Attachment != nil:
			require.True(t, open[e.Attachment.TestCaseStartedId])
			c.attached++
		case e.TestStepFinished != nil:
			require.True(t, open[e.TestStepFinished.TestCaseStartedId])
			name := attempts[e.TestStepFinished.TestCaseStartedId]
			status := e.TestStepFinished.TestStepResult.Status
			order := []messages.TestStepResultStatus{"", messages.TestStepResultStatus_UNKNOWN, messages.TestStepResultStatus_PASSED, messages.TestStepResultStatus_SKIPPED, messages.TestStepResultStatus_FAILED}
			if slices.Index(order, status) > slices.Index(order, c.scenarios[name]) {
				c.scenarios[name] = status
			}
		case e.TestCaseFinished != nil:
			require.True(t, open[e.TestCaseFinished.TestCaseStartedId])
			delete(open, e.TestCaseFinished.TestCaseStartedId)
		case e.TestRunFinished != nil:
			finished, c.success = true, e.TestRunFinished.Success
		}
	}
	require.True(t, finished)
	require.Empty(t, open)
	return c
}

func TestMessagesTellEveryCase(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			got := readMessages(t, formatted(t, "messages", run))
			assert.Equal(t, run.Verdict().Conformant(), got.success)
			for _, c := range run.AllCases() {
				status, found := got.scenarios[strings.TrimSpace(plain.Text(c.ID, 200))]
				require.True(t, found, c.ID)
				assert.Equal(t, !c.Verdict.Conformant(), status == messages.TestStepResultStatus_FAILED, "%s is %s", c.ID, c.Verdict)
			}
		})
	}
	t.Run("what is not offered, or expected, is skipped and attached", func(t *testing.T) {
		got := readMessages(t, formatted(t, "messages", failingRun()))
		counts := make(map[messages.TestStepResultStatus]int)
		for _, status := range got.scenarios {
			counts[status]++
		}
		assert.Equal(t, map[messages.TestStepResultStatus]int{
			messages.TestStepResultStatus_PASSED: 74, messages.TestStepResultStatus_SKIPPED: 18, messages.TestStepResultStatus_FAILED: 4,
		}, counts)
		assert.Equal(t, 24, got.attached)
	})
}

func TestAnnotationsAreOneCommandALine(t *testing.T) {
	line := regexp.MustCompile(`^::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*$`)
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			for l := range bytes.Lines(formatted(t, "annotations", run)) {
				assert.Regexp(t, line, strings.TrimSuffix(string(l), "\n"))
			}
		})
	}
	assert.Equal(t, 1, bytes.Count(formatted(t, "annotations", crowd(450)), []byte("\n")), "one cause, one annotation")

	run := goodRun()
	for i := range 15 {
		run.Cases[i].Verdict = contract.Fail
		run.Cases[i].Findings = []contract.Finding{must(contract.Code, "", strconv.Quote(strings.Repeat("x", i+1)))}
	}
	run.Cases[14].Findings = append(run.Cases[14].Findings, must(contract.Secrecy, "no secrets or internals", "the caller key in body"))
	many := formatted(t, "annotations", concluded(run.Header, run.Cases))
	assert.Equal(t, 11, bytes.Count(many, []byte("\n")), "no more than are shown, and how many are not")
	assert.Contains(t, string(many), "::notice title=gatecert::6 more causes in the report\n")
	assert.Regexp(t, "^::error title=[^:]*show the caller key::", string(many), "a leak comes first, also the last of all")
	stale := goodRun()
	stale.Footer.Stale = []string{"known.yaml:3: http:404/** names no case of the contract"}
	assert.Equal(t, "::error title=gatecert%3A baseline out of date::known.yaml:3: http:404/** names no case of the contract\n", string(formatted(t, "annotations", stale)))
}
