package reports

import (
	"io"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ctrfVersion is the version of the Common Test Report Format: https://ctrf.io.
const ctrfVersion = "0.1.0"

type ctrfReport struct {
	ReportFormat string      `json:"reportFormat"`
	SpecVersion  string      `json:"specVersion"`
	Timestamp    string      `json:"timestamp"`
	GeneratedBy  string      `json:"generatedBy"`
	Results      ctrfResults `json:"results"`
}

type ctrfResults struct {
	Tool        map[string]string `json:"tool"`
	Summary     ctrfSummary       `json:"summary"`
	Tests       []ctrfTest        `json:"tests"`
	Environment ctrfEnvironment   `json:"environment"`
	Extra       ctrfExtra         `json:"extra"`
}

// ctrfSummary counts tests by status. Times are in milliseconds, instants since 1970.
type ctrfSummary struct {
	Tests    int   `json:"tests"`
	Passed   int   `json:"passed"`
	Failed   int   `json:"failed"`
	Skipped  int   `json:"skipped"`
	Pending  int   `json:"pending"`
	Other    int   `json:"other"`
	Suites   int   `json:"suites"`
	Start    int64 `json:"start"`
	Stop     int64 `json:"stop"`
	Duration int64 `json:"duration"`
}

type ctrfTest struct {
	Name      string   `json:"name"`
	Status    string   `json:"status"`
	RawStatus string   `json:"rawStatus"`
	Duration  int64    `json:"duration"` // milliseconds
	Start     int64    `json:"start,omitempty"`
	Stop      int64    `json:"stop,omitempty"`
	Suite     []string `json:"suite"`
	Message   string   `json:"message,omitempty"`
	Trace     string   `json:"trace,omitempty"`
	Tags      []string `json:"tags"`
	Type      string   `json:"type"`
	FilePath  string   `json:"filePath,omitempty"`
	Line      int      `json:"line,omitempty"`
}

type ctrfEnvironment struct {
	AppName    string `json:"appName"`
	AppVersion string `json:"appVersion,omitempty"`
	Healthy    bool   `json:"healthy"`
}

type ctrfExtra struct {
	Sentence string           `json:"sentence"`
	Verdict  contract.Verdict `json:"verdict"`
	Contract string           `json:"contract"`
	RunID    string           `json:"runId"`
}

// CTRF writes ctrf.json in the Common Test Report Format, which has fewer statuses than there are verdicts: warn is passed; fail, untestable and
// error are failed; not-offered and expected-fail are skipped. rawStatus contains the verdict. An incomplete run has one additional, failed test.
// CTRF returns only errors of w.
func CTRF(w io.Writer, run runlog.Run) error {
	stop := run.Started
	if run.Footer != nil {
		stop = run.Footer.Ended
	}
	report := ctrfReport{
		ReportFormat: "CTRF", SpecVersion: ctrfVersion, Timestamp: stop.UTC().Format(time.RFC3339), GeneratedBy: plain.Text(run.Tool, nameLimit),
		Results: ctrfResults{
			Tool:        map[string]string{"name": "gatecert"},
			Summary:     ctrfSummary{Start: run.Started.UnixMilli(), Stop: stop.UnixMilli(), Duration: stop.Sub(run.Started).Milliseconds()},
			Tests:       []ctrfTest{},
			Environment: ctrfEnvironment{plain.Text(run.Target.Name, nameLimit), plain.Text(run.Target.Version, nameLimit), run.Complete()},
			Extra:       ctrfExtra{Sentence(run), run.Verdict(), plain.Text(run.ContractDigest, nameLimit), plain.Text(run.RunID, nameLimit)},
		},
	}
	suites := make(map[contract.RowID]bool)
	for _, c := range run.AllCases() {
		report.add(newCTRFTest(c))
		suites[c.Row] = true
	}
	if gap := run.Incomplete(); gap != "" {
		report.add(ctrfTest{
			Name: "the run can be judged", Status: ctrfStatus(contract.Error), RawStatus: string(contract.Error),
			Suite: []string{"run"}, Message: gap, Tags: []string{}, Type: "conformance",
		})
	}
	report.Results.Summary.Suites = len(suites)
	return encodeJSON(w, report)
}

func (r *ctrfReport) add(t ctrfTest) {
	r.Results.Tests = append(r.Results.Tests, t)
	s := &r.Results.Summary
	s.Tests++
	switch t.Status {
	case "passed":
		s.Passed++
	case "skipped":
		s.Skipped++
	default:
		s.Failed++
	}
}

func newCTRFTest(c runlog.Case) ctrfTest {
	f := failureTextOf(c)
	t := ctrfTest{
		Name: f.ID, Status: ctrfStatus(c.Verdict), RawStatus: string(c.Verdict), Duration: c.Duration.Milliseconds(),
		Suite: []string{plain.Text(string(c.Row), nameLimit)}, Type: "conformance",
		Tags: []string{plain.Text(string(c.Surface), nameLimit), plain.Text(string(c.Level), nameLimit)},
	}
	if !c.Started.IsZero() {
		t.Start, t.Stop = c.Started.UnixMilli(), c.Started.Add(c.Duration).UnixMilli()
	}
	if c.Scenario != nil {
		t.FilePath, t.Line = plain.Text(c.Scenario.URI, nameLimit), c.Scenario.Line
	}
	if c.Verdict != contract.Pass {
		t.Message, t.Trace = f.headline(), f.text()
	}
	return t
}

func ctrfStatus(v contract.Verdict) string {
	switch v {
	case contract.Pass, contract.Warn:
		return "passed"
	case contract.NotOffered, contract.ExpectedFail:
		return "skipped"
	default:
		return "failed"
	}
}
