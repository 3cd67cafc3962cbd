package runlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

var started = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func header() runlog.Header {
	return runlog.Header{
		Type: "header", Schema: runlog.Schema, RunID: "20260504-030201-a1b2", Tool: "gatecert 0.1.0", Started: started,
		ContractDigest: "sha256:c0ffee", Target: runlog.TargetInfo{Name: "example", BaseURL: "https://gateway.example", Driver: "static"},
		Selection: runlog.Selection{Level: contract.Edge, Surfaces: []dialect.Surface{dialect.Chat}},
	}
}

// passing returns n cases that pass.
func passing(n int) []runlog.Case {
	var cases []runlog.Case
	for _, c := range contract.Cases()[:n] {
		key := runlog.KeyOf(c)
		cases = append(cases, runlog.Case{
			Type: "case", CaseKey: key, Verdict: contract.Pass, Started: started.Add(time.Second), Duration: 15 * time.Millisecond,
			Scenario: &runlog.Scenario{URI: "features/rows.feature", Line: 40, Name: key.ID, Steps: []runlog.Step{{Text: "Then the status is 404", Status: runlog.StepPassed}}},
			Observation: &contract.Observation{
				Sent:   contract.Sent{Surface: dialect.Chat, Method: "POST", URL: "https://gateway.example/v1/chat/completions", Body: contract.Bytes(`{"model":"m"}`), BodySize: 13},
				Status: 404, Proto: "HTTP/1.1", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: contract.Bytes("\xff\xfe"), BodySize: 2,
				Stream: &contract.Stream{Events: []contract.Event{{At: time.Millisecond, Data: contract.Bytes("[DONE]")}}},
			},
		})
	}
	return cases
}

// concluded is a run that expected exactly these cases and came to its end.
func concluded(h runlog.Header, cases []runlog.Case) runlog.Run {
	h.Expected = nil
	for _, c := range cases {
		h.Expected = append(h.Expected, c.ID)
	}
	footer := runlog.Conclude(h, cases, started.Add(90*time.Second))
	return runlog.Run{
		Header:   h,
		Controls: []runlog.Control{{Type: "control", Surface: dialect.Chat, Kind: runlog.ControlHealthy, Phase: runlog.BeforeCases, OK: true, At: started}},
		Cases:    cases, Footer: &footer,
	}
}

// whole is a run of 32 cases with every kind of evidence.
func whole() runlog.Run {
	cases := passing(32)
	cases[1].Verdict, cases[1].Findings, cases[1].Tries = contract.Fail, []contract.Finding{{Requirement: contract.StatusClass, Level: contract.Must, Want: "4xx", Got: "503"}}, 2
	cases[2].Verdict, cases[2].Reason, cases[2].Observation, cases[2].Scenario = contract.NotOffered, "no recipe", nil, nil
	cases[3].Load = &runlog.LoadSummary{
		Sentence: "20 requests at once", Limiter: "sliding-log of 20 in 10s", Took: time.Second, Calls: 20,
		Checks: []runlog.Check{{Requirement: contract.StatusClass, Result: contract.Violated, Sentence: "2 of 20"}},
		Phases: []runlog.Phase{{Name: "burst", To: time.Second}}, Times: []runlog.Times{{Name: "healthy", Count: 20, P50: time.Millisecond}},
	}
	var span runlog.Span
	span.Add("healthy", runlog.Admitted)
	span.Add("healthy", runlog.Admitted)
	span.Add("limited key", runlog.Refused)
	cases[3].Load.Spans = []runlog.Span{span}
	run := concluded(header(), cases)
	run.Footer.Stale, run.Footer.Notes = []string{"known.yaml:2: …"}, []string{"a note"}
	return run
}

// torn is a run of 4 cases that crashed after 2.
func torn() runlog.Run {
	cases := passing(4)
	run := concluded(header(), cases)
	run.Cases, run.Footer, run.Torn = cases[:2], nil, true
	return run
}

// write makes the log of a run.
func write(t *testing.T, run runlog.Run) []byte {
	t.Helper()
	var log bytes.Buffer
	w := runlog.NewWriter(&log)
	require.NoError(t, w.Header(run.Header))
	for _, c := range run.Controls {
		require.NoError(t, w.Control(c))
	}
	for _, c := range run.Cases {
		require.NoError(t, w.Case(c))
	}
	if run.Footer != nil {
		require.NoError(t, w.Footer(*run.Footer))
	}
	return log.Bytes()
}

var errBroken = errors.New("broken pipe")

// must turns the error of a step that has to work into one that no test expects.
func must(err error) error {
	if err != nil {
		return fmt.Errorf("unexpected: %w", err)
	}
	return nil
}
