package reports

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// markedText is a text with a marked part. All of it is safe to show.
type markedText struct {
	Before string `json:"before"`
	Marked string `json:"marked"`
	After  string `json:"after"`
}

func (m markedText) String() string { return m.Before + m.Marked + m.After }

// orNil is nil for an empty text.
func (m markedText) orNil() *markedText {
	if m == (markedText{}) {
		return nil
	}
	return &m
}

// causeExample is the example of a cause as reports show it, safe to show.
type causeExample struct {
	Case string
	// Head is the status and the relevant header field. It is "" if there is no response or if only the body is relevant.
	Head markedText
	// Body is the part of the body around the marked text.
	Body markedText
	// NoBody is the reason why there is no body to show, or "" if there is one.
	NoBody string
	// Got is what was found, and Want is what was expected.
	Got, Want string
	// Load describes the load of a load case, line by line.
	Load []string
	Curl string
}

// excerpt bounds a body with a marked part, in bytes: what is shown before the mark, of the mark, and in all.
type excerpt struct{ before, mark, whole int }

// inExample is for the example of a cause, which has about five lines on a terminal.
var inExample = excerpt{before: 160, mark: 120, whole: 420}

func (c Cause) example() causeExample {
	e := causeExample{
		Case: plain.Text(c.Example.ID, nameLimit),
		Got:  plain.Text(c.Finding.Got, textLimit), Want: plain.Text(c.Finding.Want, textLimit),
	}
	if c.Example.Load != nil {
		e.Load = LoadText(*c.Example.Load)
	}
	o := c.Example.Observation
	if o == nil {
		return e
	}
	e.Curl = oneLine(plain.Lines(o.Sent.Curl, curlLimit))
	at := place{}
	if c.Requirement != "" {
		at = placeOf(*o, c.Finding)
	}
	e.Head = headText(*o, at)
	switch {
	case o.Failure != nil || o.Status == 0:
	case o.BodyDigest != "":
		e.NoBody = plain.Text(mediaText(*o), textLimit)
	case len(o.Body) == 0:
		e.NoBody = "no body"
	default:
		e.Body = around(o.Body, at.body, inExample)
	}
	return e
}

// oneLine is a command line with the comments before it at its end. A shell reads '$'\n” as a line end in the middle of a quoted text.
func oneLine(curl string) string {
	comments := ""
	curl = strings.TrimSpace(curl)
	for strings.HasPrefix(curl, "#") {
		comment, rest, _ := strings.Cut(curl, "\n")
		comments, curl = comments+" "+comment, rest
	}
	return strings.ReplaceAll(curl, "\n", `'$'\n''`) + comments
}

// headText is the status, the Content-Type, and the field that the finding is about.
func headText(o contract.Observation, at place) markedText {
	if o.Failure != nil || o.Status == 0 {
		return markedText{Before: responseText(o)}
	}
	status := strconv.Itoa(o.Status)
	name := at.header
	if name == "" {
		name = "Content-Type"
	}
	value := strings.Join(o.Header[name], ", ")
	field := "  " + plain.Text(name, kindLimit) + ": "
	if value == "" {
		field, value = "  ", "no "+plain.Text(name, kindLimit)
	}
	value = plain.Text(value, 2*kindLimit)
	switch {
	case at.status:
		return markedText{Marked: status, After: field + value}
	case at.header != "":
		return markedText{Before: status + field, Marked: value}
	default:
		return markedText{Before: status + field + value}
	}
}

// around is a body, cut so that the marked part is in it.
func around(body []byte, mark span, size excerpt) markedText {
	from, cut := 0, ""
	if mark.from > size.before {
		from, cut = runeStart(body, mark.from-size.before), "…"
	}
	to := min(mark.to, mark.from+size.mark)
	if to < mark.to {
		to = runeStart(body, to)
	}
	end := runeStart(body, min(from+size.whole, len(body)))
	end = max(end, to)
	m := markedText{
		Before: cut + plain.Lines(string(body[from:mark.from]), size.whole),
		Marked: plain.Lines(string(body[mark.from:to]), size.whole),
		After:  plain.Lines(string(body[to:end]), size.whole),
	}
	if end < len(body) {
		m.After += "…"
	}
	return m
}

// runeStart is the greatest place up to at where a character begins, or the end of the body.
func runeStart(body []byte, at int) int {
	for n := at; n > at-utf8.UTFMax && n > 0 && n < len(body); n-- {
		if utf8.RuneStart(body[n]) {
			return n
		}
	}
	return at
}
