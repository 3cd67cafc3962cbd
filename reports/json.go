package reports

import (
	"io"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ReportSchema is the version of report.json. docs/schema/report.schema.json describes this format.
const ReportSchema = "gatecert.report/2"

// report is report.json: the run with its matrix laid out and its evidence bounded.
type report struct {
	Schema         string            `json:"schema"`
	Tool           string            `json:"tool"`
	RunID          string            `json:"run_id"`
	Started        time.Time         `json:"started"`
	Ended          *time.Time        `json:"ended,omitempty"`
	ContractDigest string            `json:"contract_digest"`
	Target         runlog.TargetInfo `json:"target"` // without its profile
	// Claim names the part of the contract that the gateway publishes and is judged by.
	Claim     string           `json:"claim"`
	Selection runlog.Selection `json:"selection"`
	// Verdict is [contract.Error] when the run is incomplete.
	Verdict    contract.Verdict `json:"verdict"`
	Conformant bool             `json:"conformant"`
	Complete   bool             `json:"complete"`
	// Incomplete is why the run is incomplete.
	Incomplete string            `json:"incomplete,omitempty"`
	Sentence   string            `json:"sentence"`
	Totals     reportTotals      `json:"totals"`
	Levels     []reportLevel     `json:"levels"`
	Surfaces   []dialect.Surface `json:"surfaces"`
	Rows       []reportRow       `json:"rows"`
	// Causes are what needs attention, grouped, in the order in which to fix it.
	Causes   []reportCause   `json:"causes"`
	Cases    []reportCase    `json:"cases"`
	Controls []reportControl `json:"controls"`
	Missing  []string        `json:"missing"`
	Surplus  []string        `json:"surplus"`
	// Stale are the baseline entries that no longer hold.
	Stale []string `json:"stale"`
	Notes []string `json:"notes"`
	// UpstreamProtocols are the API formats in which the gateway called the mock upstream.
	UpstreamProtocols []surfaceProtocol `json:"upstream_protocols"`
	// Clients describes how client libraries handled the responses. It is absent if none ran.
	Clients *clientlog.Document `json:"clients,omitempty"`
}

// targetInfo is the target without its profile.
func targetInfo(run runlog.Run) runlog.TargetInfo {
	target := run.Target
	target.Profile = ""
	return target
}

type reportTotals struct {
	// Expected is the number of cases that must run, Executed of those that did.
	Expected int `json:"expected"`
	Executed int `json:"executed"`
	// Cases and Rows count by verdict; missing cases are errors.
	Cases runlog.Counts `json:"cases"`
	Rows  runlog.Counts `json:"rows"`
}

type reportLevel struct {
	Level contract.Level `json:"level"`
	Cases runlog.Counts  `json:"cases"`
}

type reportRow struct {
	ID      contract.RowID   `json:"id"`
	Table   int              `json:"table"`
	Key     string           `json:"key"`
	Meaning string           `json:"meaning"`
	Advice  string           `json:"advice"`
	Status  string           `json:"status"`
	Verdict contract.Verdict `json:"verdict"`
	Cases   runlog.Counts    `json:"cases"`
	Cells   []reportCell     `json:"cells"`
}

type reportCell struct {
	Surface dialect.Surface  `json:"surface"`
	Verdict contract.Verdict `json:"verdict"`
	// Tested is how many of the cases say something about the gateway.
	Tested int      `json:"tested"`
	Cases  []string `json:"cases"`
}

type reportCase struct {
	runlog.CaseKey
	Verdict  contract.Verdict                    `json:"verdict"`
	Reason   string                              `json:"reason,omitempty"`
	Findings []contract.Finding                  `json:"findings"`
	Aspects  map[contract.Aspect]contract.Result `json:"aspects,omitempty"`
	Scenario *runlog.Scenario                    `json:"scenario,omitempty"`
	Load     *runlog.LoadSummary                 `json:"load,omitempty"`
	Revised  string                              `json:"revised,omitempty"`
	Tries    int                                 `json:"tries,omitempty"`
	Duration time.Duration                       `json:"duration_ns"`
	Trace    *Trace                              `json:"trace,omitempty"`
	// Observation is the log's, cut to the bounds of a report. Truncated is set when something was cut.
	Observation *contract.Observation `json:"observation,omitempty"`
	Truncated   bool                  `json:"truncated,omitempty"`
}

type reportControl struct {
	Surface dialect.Surface `json:"surface"`
	Kind    string          `json:"kind"`
	Phase   string          `json:"phase"`
	OK      bool            `json:"ok"`
	Detail  string          `json:"detail,omitempty"`
}

// reportBounds keep a body under 2 KiB and a case around 30 KiB, whatever the gateway sent.
var reportBounds = bounds{body: 2 << 10, text: 1 << 10, fields: 32, events: 32}

// JSON writes report.json. It returns only errors of w.
func JSON(w io.Writer, run runlog.Run) error { return encodeJSON(w, newReport(run)) }

func newReport(run runlog.Run) report {
	m := NewMatrix(run)
	verdict := run.Verdict()
	r := report{
		Schema: ReportSchema, Tool: run.Tool, RunID: run.RunID, Started: run.Started, ContractDigest: run.ContractDigest,
		Target: targetInfo(run), Claim: run.Target.Claims.String(), Selection: run.Selection,
		Verdict: verdict, Conformant: verdict.Conformant(), Complete: run.Complete(), Incomplete: run.Incomplete(), Sentence: Sentence(run),
		Totals: reportTotals{
			Expected: len(run.Expected), Executed: run.Executed(),
			Cases: whole(m.Totals, contract.Verdicts()), Rows: whole(m.RowCounts(), legendVerdicts()),
		},
		Levels: []reportLevel{}, Surfaces: []dialect.Surface{}, Causes: newReportCauses(run), Cases: []reportCase{}, Controls: []reportControl{},
		Missing: filled(run.Missing()), Surplus: filled(run.Surplus()), Stale: []string{}, Notes: []string{},
		UpstreamProtocols: upstreamProtocols(run),
	}
	if run.Footer != nil {
		r.Ended, r.Stale, r.Notes = &run.Footer.Ended, filled(run.Footer.Stale), filled(run.Footer.Notes)
	}
	if run.Clients != nil {
		document := clientlog.NewDocument(*run.Clients)
		r.Clients = &document
	}
	r.addMatrix(m)
	for _, c := range run.AllCases() {
		r.Cases = append(r.Cases, newReportCase(c, run.TraceURL))
	}
	for _, c := range run.Controls {
		clip := clipper{bounds: reportBounds}
		r.Controls = append(r.Controls, reportControl{c.Surface, c.Kind, c.Phase, c.OK, clip.string(c.Detail)})
	}
	return r
}

func (r *report) addMatrix(m Matrix) {
	for _, l := range m.Levels {
		r.Levels = append(r.Levels, reportLevel{l.Level, whole(l.Counts, contract.Verdicts())})
	}
	for _, c := range m.Columns {
		r.Surfaces = append(r.Surfaces, dialect.Surface(c.Name))
	}
	for _, row := range m.Rows {
		out := reportRow{
			ID: row.ID, Table: row.Table, Key: row.Key, Meaning: row.Meaning, Advice: row.Advice,
			Status: row.Status.String(), Verdict: row.Verdict, Cases: whole(row.Counts, contract.Verdicts()), Cells: []reportCell{},
		}
		for _, c := range row.Cells {
			out.Cells = append(out.Cells, reportCell{dialect.Surface(c.Column), c.Verdict, tested(c.Counts), filled(c.Cases)})
		}
		r.Rows = append(r.Rows, out)
	}
}

// reportCause is a cause with its example.
type reportCause struct {
	Title       string                    `json:"title"`
	Requirement contract.Requirement      `json:"requirement,omitempty"`
	Level       contract.RequirementLevel `json:"level,omitempty"`
	Verdict     contract.Verdict          `json:"verdict"`
	Cases       []string                  `json:"cases"`
	Surfaces    []dialect.Surface         `json:"surfaces"`
	Example     reportExample             `json:"example"`
	Contract    string                    `json:"contract,omitempty"`
	Suffers     string                    `json:"suffers,omitempty"`
	Mend        string                    `json:"mend,omitempty"`
}

// reportExample is a case of a cause. Its answer is cut around the part that is marked, and safe to show.
type reportExample struct {
	Case string      `json:"case"`
	Want string      `json:"want,omitempty"`
	Got  string      `json:"got,omitempty"`
	Curl string      `json:"curl,omitempty"`
	Head *markedText `json:"head,omitempty"`
	Body *markedText `json:"body,omitempty"`
}

func newReportCauses(run runlog.Run) []reportCause {
	list := []reportCause{}
	for _, c := range Causes(run) {
		e := c.example()
		list = append(list, reportCause{
			Title: c.Title, Requirement: c.Requirement, Level: c.Level, Verdict: c.Verdict, Cases: c.Cases, Surfaces: c.Surfaces,
			Example:  reportExample{Case: c.Example.ID, Want: e.Want, Got: e.Got, Curl: e.Curl, Head: e.Head.orNil(), Body: e.Body.orNil()},
			Contract: c.Contract, Suffers: c.Suffers, Mend: c.Mend,
		})
	}
	return list
}

func newReportCase(c runlog.Case, traces string) reportCase {
	clip := clipper{bounds: reportBounds}
	out := reportCase{
		CaseKey: c.CaseKey,
		Verdict: c.Verdict, Reason: clip.string(c.Reason), Findings: []contract.Finding{}, Aspects: knownAspects(c), Scenario: c.Scenario, Load: c.Load,
		Revised: c.Revised, Tries: c.Tries, Duration: c.Duration, Trace: TraceOf(c, traces), Observation: clip.observation(c.Observation),
	}
	for _, f := range c.Findings {
		f.Want, f.Got = clip.string(f.Want), clip.string(f.Got)
		out.Findings = append(out.Findings, f)
	}
	out.Truncated = clip.cut
	return out
}

// knownAspects are the aspects of a case without what no gatecert writes.
func knownAspects(c runlog.Case) map[contract.Aspect]contract.Result {
	known := make(map[contract.Aspect]contract.Result)
	for _, a := range contract.Aspects() {
		switch result := c.Aspects[a]; result {
		case contract.Held, contract.Violated, contract.Untested:
			known[a] = result
		}
	}
	return known
}

// whole adds the verdicts without cases as zero.
func whole(c runlog.Counts, verdicts []contract.Verdict) runlog.Counts {
	out := make(runlog.Counts, len(verdicts))
	for _, v := range verdicts {
		out[v] = c[v]
	}
	return out
}

// filled turns a nil list into an empty one, which is [] in JSON and not null.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
