package reports

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// messagesVersion is the version of the Cucumber Messages protocol.
const messagesVersion = "34.2.0"

// Messages writes messages.ndjson: the run in the Cucumber Messages protocol, for Cucumber's tools. Instead of the scenario outlines, its features
// contain one scenario for each case, with the steps that ran. A scenario fails if its case fails. The scenario of an expected failure or of a case
// that is not offered is skipped. Messages returns only errors of w.
func Messages(w io.Writer, run runlog.Run) error {
	out := bufio.NewWriter(w)
	m := &messenger{enc: json.NewEncoder(out), ids: new(messages.Incrementing), pickles: make(map[string]*messages.Pickle)}
	m.write(messages.Envelope{Meta: &messages.Meta{
		ProtocolVersion: messagesVersion, Implementation: &messages.Product{Name: "gatecert", Version: plain.Text(run.Tool, nameLimit)},
		Runtime: &messages.Product{Name: "go"}, Os: &messages.Product{Name: "any"}, Cpu: &messages.Product{Name: "any"},
	}})
	cases := run.AllCases()
	m.features(cases)
	m.runID = m.ids.NewId()
	m.write(messages.Envelope{TestRunStarted: &messages.TestRunStarted{Id: m.runID, Timestamp: stamp(run.Started)}})
	for _, c := range cases {
		m.testCase(c, run.Started)
	}
	ended := run.Started
	if run.Footer != nil {
		ended = run.Footer.Ended
	}
	m.write(messages.Envelope{TestRunFinished: &messages.TestRunFinished{
		Success: run.Verdict().Conformant(), Message: Sentence(run), Timestamp: stamp(ended), TestRunStartedId: m.runID,
	}})
	if m.err == nil {
		m.err = out.Flush()
	}
	if m.err != nil {
		return fmt.Errorf("write messages: %w", m.err)
	}
	return nil
}

// messenger writes one stream of messages and keeps its first error.
type messenger struct {
	enc   *json.Encoder
	ids   *messages.Incrementing
	runID string
	// pickles are the scenarios by name, which is the case's id.
	pickles map[string]*messages.Pickle
	err     error
}

func (m *messenger) write(e messages.Envelope) {
	if m.err == nil {
		m.err = m.enc.Encode(e)
	}
}

// features writes every feature with a scenario per case.
func (m *messenger) features(cases []runlog.Case) {
	var uris []string
	text := make(map[string]*strings.Builder)
	for _, c := range cases {
		uri := "features/not-run.feature"
		if c.Scenario != nil {
			uri = plain.Text(c.Scenario.URI, nameLimit)
		}
		if text[uri] == nil {
			uris = append(uris, uri)
			text[uri] = new(strings.Builder)
			fmt.Fprintf(text[uri], "Feature: %s\n", uri)
		}
		fmt.Fprintf(text[uri], "\n  Scenario: %s\n", scenarioName(c))
		for _, s := range steps(c) {
			fmt.Fprintf(text[uri], "    %s\n", s.Text)
		}
	}
	for _, uri := range uris {
		source := text[uri].String()
		m.write(messages.Envelope{Source: &messages.Source{Uri: uri, Data: source, MediaType: messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_PLAIN}})
		document, err := gherkin.ParseGherkinDocument(strings.NewReader(source), m.ids.NewId)
		if err != nil {
			m.err = fmt.Errorf("%s: %w", uri, err)
			return
		}
		document.Uri = uri
		m.write(messages.Envelope{GherkinDocument: document})
		for _, pickle := range gherkin.Pickles(*document, uri, m.ids.NewId) {
			m.pickles[pickle.Name] = pickle
			m.write(messages.Envelope{Pickle: pickle})
		}
	}
}

// scenarioName is the case's id, trimmed as Gherkin does.
func scenarioName(c runlog.Case) string { return strings.TrimSpace(plain.Text(c.ID, nameLimit)) }

// steps are the steps of a case, at least one, each beginning with a Gherkin keyword. When the case failed and no step did,
// the last one is marked failed, so that no tool shows the case as passed.
func steps(c runlog.Case) []runlog.Step {
	var list []runlog.Step
	if c.Scenario != nil {
		for _, s := range c.Scenario.Steps {
			keyword, rest, _ := strings.Cut(plain.Text(s.Text, textLimit), " ")
			switch keyword {
			case "Given", "When", "Then", "And", "But":
			default:
				keyword, rest = "*", plain.Text(s.Text, textLimit)
			}
			list = append(list, runlog.Step{Text: keyword + " " + rest, Status: s.Status})
		}
	}
	if len(list) == 0 {
		list = []runlog.Step{{Text: "Given gatecert runs the case", Status: runlog.StepUntested}}
	}
	if !c.Verdict.Conformant() && !slices.ContainsFunc(list, func(s runlog.Step) bool { return s.Status == runlog.StepFailed }) {
		list[len(list)-1].Status = runlog.StepFailed
	}
	return list
}

func (m *messenger) testCase(c runlog.Case, fallback time.Time) {
	pickle := m.pickles[scenarioName(c)]
	if pickle == nil || m.err != nil {
		return
	}
	started := c.Started
	if started.IsZero() {
		started = fallback
	}
	ended := stamp(started.Add(c.Duration))
	testCase := &messages.TestCase{Id: m.ids.NewId(), PickleId: pickle.Id, TestRunStartedId: m.runID, TestSteps: []*messages.TestStep{}}
	for _, s := range pickle.Steps {
		testCase.TestSteps = append(testCase.TestSteps, &messages.TestStep{Id: m.ids.NewId(), PickleStepId: s.Id, StepDefinitionIds: []string{}})
	}
	attempt := m.ids.NewId()
	m.write(messages.Envelope{TestCase: testCase})
	m.write(messages.Envelope{TestCaseStarted: &messages.TestCaseStarted{Id: attempt, TestCaseId: testCase.Id, Timestamp: stamp(started)}})
	list := steps(c)
	for i, s := range testCase.TestSteps {
		result := stepResult(c, list[i])
		m.write(messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: attempt, TestStepId: s.Id, Timestamp: stamp(started)}})
		if i == len(testCase.TestSteps)-1 {
			m.attach(c, attempt, s.Id)
			// Steps are not timed separately: the last one has the duration of the case.
			duration := messages.GoDurationToDuration(c.Duration)
			result.Duration = &duration
		}
		m.write(messages.Envelope{TestStepFinished: &messages.TestStepFinished{TestCaseStartedId: attempt, TestStepId: s.Id, TestStepResult: result, Timestamp: ended}})
	}
	m.write(messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: attempt, Timestamp: ended}})
}

// attach adds the findings, the exchange and the curl line of a case that did not pass.
func (m *messenger) attach(c runlog.Case, attempt, step string) {
	if c.Verdict == contract.Pass {
		return
	}
	f := failureTextOf(c)
	m.write(messages.Envelope{Attachment: &messages.Attachment{
		Body: string(f.Verdict) + ": " + f.headline() + "\n" + f.text(), ContentEncoding: messages.AttachmentContentEncoding_IDENTITY,
		MediaType: "text/plain", TestCaseStartedId: attempt, TestStepId: step,
	}})
}

func stepResult(c runlog.Case, s runlog.Step) *messages.TestStepResult {
	result := &messages.TestStepResult{Duration: &messages.Duration{}, Status: messages.TestStepResultStatus_SKIPPED}
	switch {
	case s.Status == runlog.StepFailed && !c.Verdict.Conformant():
		result.Status, result.Message = messages.TestStepResultStatus_FAILED, Headline(c)
	case s.Status == runlog.StepPassed:
		result.Status = messages.TestStepResultStatus_PASSED
	case s.Status == runlog.StepWarned: // the format knows no warnings
		result.Status, result.Message = messages.TestStepResultStatus_PASSED, Headline(c)
	case s.Status == runlog.StepUntested && (c.Verdict == contract.Pass || c.Verdict == contract.Warn):
		// A scenario takes the worst status of its steps, and SKIPPED is worse than PASSED.
		result.Status = messages.TestStepResultStatus_UNKNOWN
	}
	return result
}

func stamp(t time.Time) *messages.Timestamp {
	s := messages.GoTimeToTimestamp(t)
	return &s
}
