package reports

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// pageCase is a case as the page's script shows it. All strings are plain; the script only places them.
type pageCase struct {
	ID           string           `json:"id"`
	Cell         string           `json:"cell"` // row/surface
	Row          string           `json:"row"`
	Circumstance string           `json:"circumstance"`
	Surface      string           `json:"surface"`
	Target       string           `json:"target,omitempty"`
	Variant      string           `json:"variant,omitempty"`
	Level        string           `json:"level"`
	Verdict      contract.Verdict `json:"verdict"`
	Sign         string           `json:"sign"`
	Headline     string           `json:"headline,omitempty"`
	Reason       string           `json:"reason,omitempty"`
	Tries        int              `json:"tries,omitempty"`
	Took         string           `json:"took,omitempty"`
	Findings     []pageFinding    `json:"findings,omitempty"`
	Scenario     *pageScenario    `json:"scenario,omitempty"`
	Sent         *pageMessage     `json:"sent,omitempty"`
	Got          *pageMessage     `json:"got,omitempty"`
	Stream       *pageStream      `json:"stream,omitempty"`
	// Upstream is absent when the upstream stands in nobody's way, and empty when it saw nothing.
	Upstream *[]pageAttempt `json:"upstream,omitempty"`
	Effects  []string       `json:"effects,omitempty"`
	// Load are the lines about a load.
	Load []string `json:"load,omitempty"`
	Curl string   `json:"curl,omitempty"`
	// Copy is the command line as it is copied, where it is not shown as it is; a line that is cut is not for copying. It
	// is the only text in the page that is not plain, and stands there in base64.
	Copy    []byte `json:"copy,omitempty"`
	CurlCut bool   `json:"curl_cut,omitempty"`
	// LeftOut says that the evidence is in the log alone.
	LeftOut bool `json:"left_out,omitempty"`
}

type pageFinding struct {
	Severity   string `json:"level"`
	Obligation string `json:"requirement"`
	Want       string `json:"want"`
	Got        string `json:"got"`
}

type pageScenario struct {
	Name  string      `json:"name"`
	At    string      `json:"at"`
	Steps [][2]string `json:"steps"` // status, text
}

// pageMessage is a request or an answer.
type pageMessage struct {
	Line   string      `json:"line"`
	Notes  []string    `json:"notes,omitempty"`
	Header [][2]string `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`
	// Size says how much body there was, and how much of it is shown.
	Size string `json:"size,omitempty"`
}

type pageStream struct {
	Events []pageEvent `json:"events"`
	// Whole is how long the call took, and First when the first byte came, as a hundredth of it.
	Whole      string   `json:"whole"`
	First      float64  `json:"first"`
	More       int      `json:"more,omitempty"`
	Violations []string `json:"violations,omitempty"`
	Partial    string   `json:"partial,omitempty"`
}

type pageEvent struct {
	At string `json:"at"`
	// Part is the instant as a hundredth of the whole call.
	Part float64 `json:"part"`
	Name string  `json:"name,omitempty"`
	Data string  `json:"data"`
}

type pageAttempt struct {
	Call    string `json:"call"`
	Outcome string `json:"outcome"`
	Took    string `json:"took"`
}

// newPageCase bounds what it shows of each body to limit characters, and to a quarter of it for a case that needs no
// attention. A limit of 0 leaves all evidence out.
func newPageCase(c pageEntry, limit int) pageCase {
	if c.Verdict == contract.Pass || c.Verdict == contract.NotOffered {
		limit /= 4
	}
	a := accountOf(c.Case)
	out := pageCase{
		ID: a.ID, Row: plain.Text(string(c.Row), nameLimit), Circumstance: plain.Text(c.Circumstance, nameLimit),
		Surface: plain.Text(string(c.Surface), nameLimit), Variant: plain.Text(c.Variant, nameLimit),
		Level: plain.Text(string(c.Level), nameLimit), Verdict: c.Verdict, Sign: sign(c.Verdict),
		Tries: c.Tries,
	}
	out.Cell = plain.Text(string(c.Row)+"/"+string(c.Surface), nameLimit)
	if c.Target != "" {
		out.Target = plain.Text(c.Target, nameLimit)
		out.Cell = plain.Text(string(c.Row)+"/"+c.Target, nameLimit)
		out.ID = out.Target + "/" + out.ID
	}
	if c.Verdict != contract.Pass {
		out.Headline = a.headline()
	}
	if c.Duration > 0 {
		out.Took = took(c.Duration)
	}
	if limit == 0 {
		out.Headline = plain.Text(out.Headline, 80)
		out.LeftOut = true
		return out
	}
	out.Reason, out.Curl, out.Load = a.Reason, a.Curl, a.Load
	for _, f := range a.Findings {
		out.Findings = append(out.Findings, pageFinding(f))
	}
	if s := c.Scenario; s != nil {
		out.Scenario = &pageScenario{Name: a.Scenario, At: plain.Text(fmt.Sprintf("%s:%d", s.URI, s.Line), nameLimit)}
		for _, step := range s.Steps {
			out.Scenario.Steps = append(out.Scenario.Steps, [2]string{plain.Text(string(step.Status), 20), plain.Text(step.Text, textLimit)})
		}
	}
	if o := c.Observation; o != nil {
		out.Sent = sentMessage(o.Sent, a.Call, limit)
		out.Got = gotMessage(*o, a.Answer, limit)
		out.Stream = newPageStream(o.Stream, o.Timing, limit)
		out.Upstream = attempts(o.Upstream)
		out.Effects = effects(*o)
		out.CurlCut = utf8.RuneCountInString(o.Sent.Curl) > curlLimit
		if a.Curl != o.Sent.Curl && !out.CurlCut {
			out.Copy = []byte(o.Sent.Curl)
		}
	}
	return out
}

func sentMessage(s contract.Sent, line string, limit int) *pageMessage {
	m := &pageMessage{Line: line, Header: headerLines(s.Header)}
	if s.Fault != "" {
		m.Notes = append(m.Notes, plain.Text("wrong on the wire: "+s.Fault, textLimit))
	}
	m.Body, m.Size = body(s.Body, s.BodySize, limit)
	return m
}

func gotMessage(o contract.Observation, line string, limit int) *pageMessage {
	m := &pageMessage{Line: line, Header: headerLines(o.Header)}
	if o.Timing.FirstByte > 0 {
		m.Notes = append(m.Notes, "first byte after "+took(o.Timing.FirstByte))
	}
	if o.Timing.FirstEvent > 0 {
		m.Notes = append(m.Notes, "first event after "+took(o.Timing.FirstEvent))
	}
	if o.Stream != nil {
		limit /= 2 // the events show the same once more
	}
	m.Body, m.Size = body(o.Body, o.BodySize, limit)
	return m
}

// body returns what is shown of a body, and how much there was.
func body(b contract.Bytes, size int64, limit int) (text, about string) {
	text = plain.Lines(string(b), limit)
	about = bytesText(max(size, int64(len(b))))
	if strings.HasSuffix(text, "…") || size > int64(len(b)) {
		about = "the beginning of " + about
	}
	return text, about
}

func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return Count(int(n), "byte")
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
}

// headerLines are the first fields by name, each value a line.
func headerLines(h map[string][]string) [][2]string {
	const most = 40
	var lines [][2]string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			if len(lines) == most {
				return append(lines, [2]string{"…", ""})
			}
			lines = append(lines, [2]string{plain.Text(name, nameLimit), plain.Text(v, textLimit)})
		}
	}
	return lines
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
		Events: []pageEvent{}, Whole: took(t.End), First: part(t.FirstByte), Partial: plain.Lines(string(s.Partial), limit/4),
	}
	for i, e := range s.Events {
		if i == most || limit <= 0 {
			out.More = len(s.Events) - i
			break
		}
		data := plain.Lines(string(e.Data), limit)
		limit -= len(data)
		out.Events = append(out.Events, pageEvent{took(e.At), part(e.At), plain.Text(e.Name, 60), data})
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
			outcome = "no answer"
		}
		list = append(list, pageAttempt{plain.Text(strings.Join(call, " · "), textLimit), outcome, took(a.Duration)})
	}
	return &list
}

// effects are what the call did beyond its answer.
func effects(o contract.Observation) []string {
	var list []string
	for _, l := range o.Leaks[:min(len(o.Leaks), 20)] {
		list = append(list, plain.Text(l.What+" leaked in "+l.Where, textLimit))
	}
	if b := o.Balance; b != nil {
		list = append(list, fmt.Sprintf("balance %s before, %s after", number(b.Before), number(b.After)))
	}
	if o.GatewayLog != "" {
		list = append(list, plain.Text("the gateway's own log: "+o.GatewayLog, textLimit))
	}
	return list
}

// number writes a quota in full: an account of a billion is no place for exponents.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// took writes a duration with three digits or so.
func took(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}
