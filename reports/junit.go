package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Suites []junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int       `xml:"tests,attr"`
	Failures int       `xml:"failures,attr"`
	Errors   int       `xml:"errors,attr"`
	Time     junitTime `xml:"time,attr"`
}

type junitSuite struct {
	Name      string `xml:"name,attr"`
	Timestamp string `xml:"timestamp,attr"`
	junitCounts
	// Skipped is counted per suite only: Jenkins' schema has no such attribute on the root.
	Skipped    int             `xml:"skipped,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    junitTime    `xml:"time,attr"`
	Skipped *junitResult `xml:"skipped"`
	Failure *junitResult `xml:"failure"`
	Error   *junitResult `xml:"error"`
	Out     string       `xml:"system-out,omitempty"`
}

type junitResult struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes junit.xml with a suite for each row that has cases, and a testcase for each case under its stable id.
//
//	fail, untestable           <failure>, with the verdict as its type
//	error, never ran           <error>
//	not-offered, expected-fail <skipped>, with the reason
//	warn                       a pass whose system-out lists the warnings
//
// A run that is incomplete, or not conformant for a reason that no case shows, has one additional suite with an <error>, so that it is never green.
// JUnit returns only errors of w.
func JUnit(w io.Writer, run runlog.Run) error {
	properties := []junitProperty{
		{"target", plain.Text(run.Target.Name, nameLimit)},
		{"url", plain.Text(run.Target.BaseURL, nameLimit)},
		{"claims", run.Target.Claims.String()},
		{"level", run.Selection.Scope()},
		{"contract", plain.Text(run.ContractDigest, nameLimit)},
		{"run", plain.Text(run.RunID, nameLimit)},
		{"verdict", string(run.Verdict())},
		{"sentence", Sentence(run)},
	}
	timestamp := run.Started.UTC().Format("2006-01-02T15:04:05")
	suites := junitSuites{Name: "gatecert " + plain.Text(run.Target.Name, nameLimit)}
	add := func(name string, cases []junitCase) {
		s := junitSuite{Name: name, Timestamp: timestamp, Properties: properties, Cases: cases}
		for _, c := range cases {
			s.count(c)
			suites.count(c)
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		suites.Suites = append(suites.Suites, s)
	}
	byRow := make(map[contract.RowID][]junitCase)
	for _, c := range run.AllCases() {
		byRow[c.Row] = append(byRow[c.Row], newJUnitCase(c, run.TraceURL))
	}
	for _, row := range NewMatrix(run).Rows {
		if cases := byRow[row.ID]; len(cases) > 0 {
			add(plain.Text(string(row.ID), nameLimit), cases)
		}
	}
	gap := run.Incomplete()
	if gap == "" && !run.Verdict().Conformant() && suites.Failures+suites.Errors == 0 {
		gap = "the verdict of the run is " + string(run.Verdict())
	}
	if gap != "" {
		add("run", []junitCase{{
			Class: "run", Name: "the run can be judged",
			Error: &junitResult{Message: gap, Type: string(contract.Error), Text: Sentence(run)},
		}})
	}

	out := bytes.NewBufferString(xml.Header)
	enc := xml.NewEncoder(out)
	enc.Indent("", "  ")
	if err := enc.Encode(suites); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	out.WriteString("\n")
	return flush(w, out)
}

func (n *junitCounts) count(c junitCase) {
	n.Tests++
	n.Time += c.Time
	switch {
	case c.Failure != nil:
		n.Failures++
	case c.Error != nil:
		n.Errors++
	}
}

func newJUnitCase(c runlog.Case, traces string) junitCase {
	f := failureTextOf(c)
	f.Trace = TraceOf(c, traces).text()
	out := junitCase{Class: plain.Text(string(c.Row), nameLimit), Name: f.ID, Time: junitTime(c.Duration)}
	result := &junitResult{Message: f.headline(), Type: string(f.Verdict)}
	switch f.Verdict {
	case contract.Pass:
		if len(f.Load) > 0 {
			out.Out = f.text()
		}
	case contract.Warn:
		out.Out = f.text()
	case contract.NotOffered, contract.ExpectedFail:
		out.Skipped = &junitResult{Message: string(f.Verdict) + ": " + f.headline()}
	case contract.Fail, contract.Untestable:
		result.Text = f.text()
		out.Failure = result
	default:
		result.Text = f.text()
		out.Error = result
	}
	return out
}

// junitTime is written as JUnit does: seconds with three decimals.
type junitTime time.Duration

// MarshalXMLAttr implements [xml.MarshalerAttr].
func (t junitTime) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	return xml.Attr{Name: name, Value: strconv.FormatFloat(time.Duration(t).Seconds(), 'f', 3, 64)}, nil
}
