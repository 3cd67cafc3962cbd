package reports

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// pageCase is a case in the page's list. All strings in it and in its evidence are plain; the page's script only places them.
type pageCase struct {
	ID           string           `json:"id"`
	Cell         string           `json:"cell"` // row/column
	Row          string           `json:"row"`
	Circumstance string           `json:"circumstance"`
	Surface      string           `json:"surface"`
	Target       string           `json:"target,omitempty"`
	Variant      string           `json:"variant,omitempty"`
	Level        string           `json:"level"`
	Verdict      contract.Verdict `json:"verdict"`
	Sign         string           `json:"sign"`
	Headline     string           `json:"headline,omitempty"`
	Tries        int              `json:"tries,omitempty"`
	Took         string           `json:"took,omitempty"`
	Causes       []int            `json:"causes,omitempty"`
	// Broken are the aspects that it violates.
	Broken []contract.Aspect `json:"broken,omitempty"`
}

// pageEvidence is what the page shows of a case that is opened. The texts of steps, their files and header fields are places in
// the texts of the page.
type pageEvidence struct {
	Reason   string        `json:"reason,omitempty"`
	Findings []findingText `json:"findings,omitempty"`
	Scenario *pageScenario `json:"scenario,omitempty"`
	Request  *pageMessage  `json:"request,omitempty"`
	Response *pageMessage  `json:"response,omitempty"`
	Stream   *pageStream   `json:"stream,omitempty"`
	// Upstream is nil when no upstream of gatecert's is behind the gateway, and empty when it received nothing.
	Upstream *[]pageAttempt `json:"upstream,omitempty"`
	Effects  []string       `json:"effects,omitempty"`
	Load     []string       `json:"load,omitempty"`
	Trace    *Trace         `json:"trace,omitempty"`
	Curl     string         `json:"curl,omitempty"` // the command line that sends the request again
	// Copy is the command line to copy, when it differs from the one that is shown. It is the only text in the page that is
	// not plain, and therefore in base64.
	Copy []byte `json:"copy,omitempty"`
	// CurlCut is set when the line was cut: it is then not offered for copying.
	CurlCut bool `json:"curl_cut,omitempty"`
}

type pageScenario struct {
	Name  string   `json:"name"`
	At    [2]int   `json:"at"`    // file, line
	Steps [][2]any `json:"steps"` // status, text
}

type pageMessage struct {
	Line string `json:"line"`
	// Status is set if the offending part of a response is its status. Field is the name of the header field if it is a header field.
	Status bool     `json:"status,omitempty"`
	Field  string   `json:"field,omitempty"`
	Notes  []string `json:"notes,omitempty"`
	Header [][2]int `json:"header,omitempty"` // name, value
	Body   string   `json:"body,omitempty"`
	// Marked is the offending part of the body, which stands between Body and After.
	Marked string `json:"marked,omitempty"`
	After  string `json:"after,omitempty"`
	// Size describes the size of the body, and states whether only its beginning is shown.
	Size string `json:"size,omitempty"`
}

type pageStream struct {
	Events []pageEvent `json:"events"`
	// Whole is the duration of the call; First is when the first byte arrived, in percent of it.
	Whole      string   `json:"whole"`
	First      float64  `json:"first"`
	More       int      `json:"more,omitempty"`
	Violations []string `json:"violations,omitempty"`
	Partial    string   `json:"partial,omitempty"`
}

type pageEvent struct {
	At string `json:"at"`
	// Part is the time of the event in percent of the call's duration.
	Part float64 `json:"part"`
	Name string  `json:"name,omitempty"`
	Data string  `json:"data"`
}

type pageAttempt struct {
	Call    string `json:"call"`
	Outcome string `json:"outcome"`
	Took    string `json:"took"`
}

func newPageCase(e pageEntry) pageCase {
	out := pageCase{
		ID: plain.Text(e.ID, nameLimit), Cell: plain.Text(string(e.Row)+"/"+e.Column, nameLimit), Target: plain.Text(e.Target, nameLimit),
		Row: plain.Text(string(e.Row), nameLimit), Circumstance: plain.Text(e.Circumstance, nameLimit),
		Surface: plain.Text(string(e.Surface), nameLimit), Variant: plain.Text(e.Variant, nameLimit), Level: plain.Text(string(e.Level), nameLimit),
		Verdict: e.Verdict, Sign: sign(e.Verdict), Tries: e.Tries, Causes: e.Causes,
	}
	if out.Target != "" {
		out.ID = out.Target + "/" + out.ID
	}
	if slices.Contains(testedVerdicts, e.Verdict) {
		for _, a := range contract.Aspects() {
			if e.Aspects[a] == contract.Violated {
				out.Broken = append(out.Broken, a)
			}
		}
	}
	if e.Verdict != contract.Pass || e.Reason != "" {
		out.Headline = plain.Text(failureTextOf(e.Case).headline(), textLimit)
	}
	if e.Duration > 0 {
		out.Took = duration(e.Duration)
	}
	return out
}

// newPageEvidence bounds what it shows of each body to limit characters, and to a quarter of that for a case that needs no
// attention.
func newPageEvidence(c runlog.Case, traces string, texts *pageTexts, limit int) pageEvidence {
	if c.Verdict == contract.Pass || c.Verdict == contract.NotOffered {
		limit /= 4
	}
	f := failureTextOf(c)
	out := pageEvidence{Reason: f.Reason, Findings: f.Findings, Load: f.Load, Curl: f.Curl, Trace: TraceOf(c, traces)}
	if s := c.Scenario; s != nil {
		out.Scenario = &pageScenario{Name: f.Scenario, At: [2]int{texts.place(plain.Text(s.URI, nameLimit)), s.Line}}
		for _, step := range s.Steps {
			out.Scenario.Steps = append(out.Scenario.Steps, [2]any{plain.Text(string(step.Status), 20), texts.place(plain.Text(step.Text, textLimit))})
		}
	}
	if o := c.Observation; o != nil {
		out.Request = requestMessage(o.Sent, f.Request, texts, limit)
		out.Response = responseMessage(*o, f.Response, texts, limit)
		out.Response.mark(*o, offence(*o, c.Findings), limit)
		out.Stream = newPageStream(o.Stream, o.Timing, limit)
		out.Upstream = attempts(o.Upstream)
		out.Effects = effects(*o)
		out.CurlCut = utf8.RuneCountInString(o.Sent.Curl) > curlLimit
		if f.Curl != o.Sent.Curl && !out.CurlCut {
			out.Copy = []byte(o.Sent.Curl)
		}
	}
	return out
}

func requestMessage(s contract.Sent, line string, texts *pageTexts, limit int) *pageMessage {
	m := &pageMessage{Line: line, Header: texts.header(s.Header)}
	if s.Fault != "" {
		m.Notes = append(m.Notes, plain.Text("deliberate fault in the request: "+s.Fault, textLimit))
	}
	if s.Kept {
		m.Notes = append(m.Notes, "this request was the second on its connection: gatecert sent the same call first, because client libraries reuse connections")
	}
	content := s.Body
	if isForm(s) { // its lines end in CR LF
		content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	}
	m.Body, m.Size = body(content, s.BodySize, limit)
	return m
}

func responseMessage(o contract.Observation, line string, texts *pageTexts, limit int) *pageMessage {
	m := &pageMessage{Line: line, Header: texts.header(o.Header)}
	if o.Timing.FirstByte > 0 {
		m.Notes = append(m.Notes, "first byte after "+duration(o.Timing.FirstByte))
	}
	if o.Timing.FirstEvent > 0 {
		m.Notes = append(m.Notes, "first event after "+duration(o.Timing.FirstEvent))
	}
	if o.Stream != nil {
		limit /= 2 // the events show the same content again
	}
	m.Body, m.Size = body(o.Body, o.BodySize, limit)
	if text := mediaText(o); text != "" {
		m.Body, m.Size = "["+text+"]", bytesText(o.BodySize)
	}
	return m
}

// offence is the place of the first finding that has one, those that break a MUST first.
func offence(o contract.Observation, findings []contract.Finding) place {
	for _, must := range []bool{true, false} {
		for _, f := range findings {
			if (f.Level == contract.Must) != must || f.Level == contract.Note {
				continue
			}
			if at := placeOf(o, f); at != (place{}) {
				return at
			}
		}
	}
	return place{}
}

// mark marks the offending part of a response. A part that is not in what is shown of the body moves what is shown.
func (m *pageMessage) mark(o contract.Observation, at place, limit int) {
	m.Status, m.Field = at.status, plain.Text(at.header, kindLimit)
	if at.body.nowhere() || o.BodyDigest != "" {
		return
	}
	text := around(o.Body, at.body, excerpt{before: limit / 2, mark: limit / 4, whole: limit})
	m.Body, m.Marked, m.After = text.Before, text.Marked, text.After
}

// body returns the part of a body that is shown, and a description of its size.
func body(b contract.Bytes, size int64, limit int) (text, about string) {
	text = plain.Lines(string(b), limit)
	about = bytesText(max(size, int64(len(b))))
	if strings.HasSuffix(text, "…") || size > int64(len(b)) {
		about = "beginning of " + about
	}
	return text, about
}

func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return plain.Count(n, "byte")
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
}

func newPageStream(s *contract.Stream, t contract.Timing, limit int) *pageStream {
	if s == nil {
		return nil
	}
	const most = 60
	part := func(at time.Duration) float64 {
		if t.End <= 0 {
			return 0
		}
		return math.Round(1000*float64(min(at, t.End))/float64(t.End)) / 10
	}
	out := &pageStream{
		Events: []pageEvent{}, Whole: duration(t.End), First: part(t.FirstByte), Partial: plain.Lines(string(s.Partial), limit/4),
	}
	for i, e := range s.Events {
		if i == most || limit <= 0 {
			out.More = len(s.Events) - i
			break
		}
		data := plain.Lines(string(e.Data), limit)
		limit -= len(data)
		out.Events = append(out.Events, pageEvent{duration(e.At), part(e.At), plain.Text(e.Name, 60), data})
	}
	for _, v := range s.Violations[:min(len(s.Violations), most)] {
		out.Violations = append(out.Violations, plain.Text(v, textLimit))
	}
	return out
}

func attempts(seen *contract.Seen) *[]pageAttempt {
	if seen == nil {
		return nil
	}
	const most = 40
	list := []pageAttempt{}
	for i, a := range seen.Attempts {
		if i == most {
			list = append(list, pageAttempt{Call: fmt.Sprintf("… and %d more", len(seen.Attempts)-most)})
			break
		}
		call := []string{a.Protocol + " " + a.Path}
		for _, part := range []string{a.Model, a.Credential} {
			if part != "" {
				call = append(call, part)
			}
		}
		outcome := fmt.Sprint(a.Status)
		switch {
		case a.Cancelled:
			outcome = "cancelled by the gateway"
		case a.Open:
			outcome = "still open"
		case a.Status == 0:
			outcome = "no response"
		}
		if a.Late {
			outcome += " (the call arrived after the case had ended)"
		}
		list = append(list, pageAttempt{plain.Text(strings.Join(call, " · "), textLimit), outcome, duration(a.Duration)})
	}
	return &list
}

// effects are what the call did apart from its response.
func effects(o contract.Observation) []string {
	var list []string
	for _, l := range o.Leaks[:min(len(o.Leaks), 20)] {
		list = append(list, plain.Text(l.What+" leaked in "+l.Where, textLimit))
	}
	if b := o.Balance; b != nil {
		list = append(list, fmt.Sprintf("balance %s before, %s after", number(b.Before), number(b.After)))
	}
	if o.GatewayLog != "" {
		list = append(list, plain.Text("gateway log: "+o.GatewayLog, textLimit))
	}
	return list
}

// duration writes a duration with about three digits.
func duration(d time.Duration) string {
	switch {
	case d >= time.Second:
		return plain.Duration(d.Round(10 * time.Millisecond))
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}
