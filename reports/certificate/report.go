package certificate

import (
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamltext"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The kind and version of the report, and the names of a certificate's files.
const (
	apiVersion = "gatecert/v1"
	kind       = "ConformanceReport"

	// LogFile is the certified log, ReportFile is the human-readable report, and EnvelopeFile is the signed statement.
	LogFile      = "run.ndjson"
	ReportFile   = "conformance-report.yaml"
	EnvelopeFile = "conformance.dsse.json"
)

// Result is the overall result of a certificate.
type Result string

// The results, with the same values as in reports of the Kubernetes Gateway API.
const (
	Success Result = "success" // every case of the level was offered and passed
	Partial Result = "partial" // every case that ran passed; some cases were not offered, or were offered but not selected
	Failure Result = "failure" // a case failed, expected or not
)

// Report is conformance-report.yaml, modelled on the ConformanceReport of the Kubernetes Gateway API.
type Report struct {
	APIVersion     string         `yaml:"apiVersion"`
	Kind           string         `yaml:"kind"`
	Date           string         `yaml:"date"` // when the run ended, RFC 3339
	Tool           string         `yaml:"tool"`
	ContractDigest string         `yaml:"contractDigest"`
	Implementation Implementation `yaml:"implementation"`
	Run            RunFacts       `yaml:"run"`
	Result         Result         `yaml:"result"`
	Summary        string         `yaml:"summary"`
	Levels         []LevelResult  `yaml:"levels"`
	Rows           RowsByOutcome  `yaml:"rows"`
	// NotAsked counts the cases that the target offers but that the run left out because of its level, rows, cases or endpoints. NotAskedSurfaces are
	// the endpoints on which no case ran.
	NotAsked         int               `yaml:"notAsked"`
	NotAskedSurfaces []dialect.Surface `yaml:"notAskedSurfaces,omitempty"`
	// Recipes lists the parts of requests that the profile's own recipes determine instead of gatecert.
	Recipes []string `yaml:"recipes,omitempty"`
	// FailedCases are the ids of the cases that were not conformant.
	FailedCases []string `yaml:"failedCases,omitempty"`
}

// Implementation is the certified gateway.
type Implementation struct {
	Project string `yaml:"project"`
	Version string `yaml:"version,omitempty"`
	// Claims names the part of the contract that the gateway publishes and is judged by.
	Claims string `yaml:"claims"`
}

// RunFacts describes the run and its selection.
type RunFacts struct {
	ID          string            `yaml:"id"`
	Level       contract.Level    `yaml:"level"`
	WithoutLoad bool              `yaml:"withoutLoad,omitempty"` // the load cases were excluded
	Surfaces    []dialect.Surface `yaml:"surfaces"`
	Rows        []contract.RowID  `yaml:"rows,omitempty"`
	Cases       []string          `yaml:"cases,omitempty"`
	LogDigest   string            `yaml:"logDigest"`
}

// LevelResult counts the cases of one level, excluding those of lower levels.
type LevelResult struct {
	Level      contract.Level `yaml:"level"`
	Result     Result         `yaml:"result"`
	Statistics Statistics     `yaml:"statistics"`
}

// Statistics counts cases by verdict.
type Statistics struct {
	Passed           int `yaml:"passed"`
	Warned           int `yaml:"warned"`
	NotOffered       int `yaml:"notOffered"`
	ExpectedFailures int `yaml:"expectedFailures"`
	Failed           int `yaml:"failed"`
	Untestable       int `yaml:"untestable"`
	Errors           int `yaml:"errors"`
}

// RowsByOutcome lists the rows of the contract by the worst verdict of their cases.
type RowsByOutcome struct {
	Passed     []contract.RowID `yaml:"passed,omitempty"`
	Warned     []contract.RowID `yaml:"warned,omitempty"`
	Failed     []contract.RowID `yaml:"failed,omitempty"`
	NotOffered []contract.RowID `yaml:"notOffered,omitempty"`
	NotRun     []contract.RowID `yaml:"notRun,omitempty"`
}

// report is [newReport] with what only the profile says. The profile was audited before.
func (a Auditor) report(run runlog.Run, logDigest string) Report {
	r := newReport(run, logDigest)
	offer, err := a.OfferOf(run.Target.Profile)
	if err != nil {
		return r
	}
	r.Recipes = offer.Recipes
	for _, c := range contract.Cases() {
		if run.Selection.Asks(c) || !offer.Offers(c) {
			continue
		}
		r.NotAsked++
		asked := len(run.Selection.Surfaces) == 0 || slices.Contains(run.Selection.Surfaces, c.Surface)
		if !asked && !slices.Contains(r.NotAskedSurfaces, c.Surface) {
			r.NotAskedSurfaces = append(r.NotAskedSurfaces, c.Surface)
		}
	}
	if r.NotAsked > 0 && r.Result == Success {
		r.Result = Partial
	}
	return r
}

// newReport sums up a complete run. An expected failure is a failure: what a release gate excused does not concern the
// readers of a certificate.
func newReport(run runlog.Run, logDigest string) Report {
	m := reports.NewMatrix(run)
	r := Report{
		APIVersion: apiVersion, Kind: kind, Date: run.Footer.Ended.UTC().Format(time.RFC3339), Tool: run.Tool,
		ContractDigest: run.ContractDigest,
		Implementation: Implementation{Project: run.Target.Name, Version: run.Target.Version, Claims: run.Target.Claims.String()},
		Run: RunFacts{
			ID: run.RunID, Level: run.Selection.Level, WithoutLoad: run.Selection.WithoutLoad, Surfaces: run.Selection.Surfaces, Rows: run.Selection.Rows,
			Cases: run.Selection.Cases, LogDigest: logDigest,
		},
		Result: resultOf(m.Totals), Summary: reports.Sentence(run),
	}
	for _, l := range m.Levels {
		r.Levels = append(r.Levels, LevelResult{l.Level, resultOf(l.Counts), statistics(l.Counts)})
	}
	for _, row := range m.Rows {
		switch row.Verdict {
		case contract.Pass:
			r.Rows.Passed = append(r.Rows.Passed, row.ID)
		case contract.Warn:
			r.Rows.Warned = append(r.Rows.Warned, row.ID)
		case contract.NotOffered:
			r.Rows.NotOffered = append(r.Rows.NotOffered, row.ID)
		case reports.NotRun:
			r.Rows.NotRun = append(r.Rows.NotRun, row.ID)
		default:
			r.Rows.Failed = append(r.Rows.Failed, row.ID)
		}
	}
	for _, c := range run.Cases {
		if isFailure(c.Verdict) {
			r.FailedCases = append(r.FailedCases, c.ID)
		}
	}
	return r
}

func isFailure(v contract.Verdict) bool { return v == contract.ExpectedFail || !v.Conformant() }

func resultOf(counts runlog.Counts) Result {
	s := statistics(counts)
	switch {
	case s.ExpectedFailures+s.Failed+s.Untestable+s.Errors > 0:
		return Failure
	case s.NotOffered > 0:
		return Partial
	default:
		return Success
	}
}

func statistics(counts runlog.Counts) Statistics {
	return Statistics{
		Passed: counts[contract.Pass], Warned: counts[contract.Warn], NotOffered: counts[contract.NotOffered],
		ExpectedFailures: counts[contract.ExpectedFail], Failed: counts[contract.Fail], Untestable: counts[contract.Untestable],
		Errors: counts[contract.Error],
	}
}

// yaml is the report as a file. The same run gives the same bytes.
func (r Report) yaml() []byte { return []byte(yamltext.Marshal(r)) }

// hexDigest is the digest without the prefix of its algorithm.
func hexDigest(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
