package upstream

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Directive says how the upstream has to treat the one request whose prompt carries it. The zero value asks for a
// healthy answer. Its text form is [Directive.String], read back by [ParseDirective]; [Vocabulary] explains every word.
type Directive struct {
	// Token names the call in the upstream's records ([Upstream.Seen]): 1 to 64 of A-Z a-z 0-9 . _ -
	Token string
	// Status is the HTTP status of the answer, 200 to 599. 0 means 200, or what the protocol demands (a refusal).
	Status int
	// Content is what is answered. "" is the healthy answer; with a status of 400 and above, the protocol's own error.
	Content Content
	// Ending is how the answer ends, or what comes in its place. "" is the orderly end.
	Ending Ending
	// After counts the stream events before the endings named …-after. It is 0 for all other endings.
	After int
	// BrokenEvent is the number, from 1, of the stream event whose data is broken JSON. 0 means none.
	BrokenEvent int
	// Chunks is the number of content deltas in a healthy answer. 0 means 3.
	Chunks int
	// Delay passes before the head of the answer, Gap between two stream events.
	Delay, Gap time.Duration
	// CRLF ends the lines of an event stream with CR LF; Comments puts a keep-alive comment before every event.
	CRLF, Comments bool
	// RetryAfter is the value of a Retry-After field, Headers are further fields of the answer.
	RetryAfter string
	Headers    []Header
	// Code, Type and Message replace the fields of the error object, where one is answered.
	Code, Type, Message string
}

// Header is one field of an answer's head.
type Header struct{ Name, Value string }

// Content is what the upstream answers in place of a healthy answer.
type Content string

// The contents. All but the last three are the values of the word "body".
const (
	ErrorBody   Content = "error"        // the protocol's own error object
	ForeignBody Content = "foreign"      // JSON, but no error object
	HTMLBody    Content = "html"         // the page of some proxy
	TextBody    Content = "text"         // a line of plain text
	EmptyBody   Content = "empty"        // no byte
	BrokenJSON  Content = "broken-json"  // the first half of a healthy answer, well framed
	NullBody    Content = "null"         // the JSON value null
	NoChoices   Content = "no-choices"   // a success that says nothing
	EmptyStream Content = "empty-stream" // an event stream without an event
	Refusal     Content = "refuse"       // the protocol's own way of refusing a prompt on policy grounds
)

// Ending is how an answer ends when it does not end well.
type Ending string

// The endings. Those named …After take their number from [Directive.After].
const (
	Hang           Ending = "hang"            // no head, ever
	Reset          Ending = "reset"           // TCP RST in place of an answer
	Close          Ending = "close"           // the connection closes in place of an answer
	Stall          Ending = "stall"           // half of the answer, then silence
	StallAfter     Ending = "stall-after"     // n events, then silence
	CutAfter       Ending = "cut-after"       // n events, then the connection breaks
	EndAfter       Ending = "end-after"       // n events, then an orderly end that lacks the finish
	ErrorAfter     Ending = "error-after"     // n events, then the protocol's own error event
	NoDone         Ending = "no-done"         // everything but the end marker
	TruncateLength Ending = "truncate=length" // half of the bytes that Content-Length promises
	TruncateChunk  Ending = "truncate=chunk"  // half of the bytes in chunks, and no last chunk
	TruncateGzip   Ending = "truncate=gzip"   // half of a gzip body in an orderly transfer
)

// String renders the directive as it stands in a prompt: "[[gatecert token=abc status=503 body=html]]". The text is
// made of characters that neither JSON nor HTML escapes, so that it passes through gateways unharmed.
func (d Directive) String() string {
	var text strings.Builder
	text.WriteString(opening)
	for _, w := range vocabulary() {
		for _, value := range w.write(d) {
			text.WriteString(" " + w.Name)
			if w.Values != "" {
				text.WriteString("=" + value)
			}
		}
	}
	text.WriteString(closing)
	return text.String()
}

// takesCount reports whether the ending happens after a number of events.
func (e Ending) takesCount() bool {
	return e == StallAfter || e == CutAfter || e == EndAfter || e == ErrorAfter
}

// needsEvents reports whether the directive makes sense for an event stream only.
func (d Directive) needsEvents() bool {
	return d.Ending.takesCount() || d.Ending == NoDone || d.BrokenEvent > 0 || d.Content == EmptyStream
}

// success reports whether the status, where one is named, is a success.
func (d Directive) success() bool { return d.Status == 0 || d.Status < 300 }

// bodiless reports whether the answer has no byte that could be withheld.
func (d Directive) bodiless() bool {
	return d.Content == EmptyBody || d.Content == EmptyStream || !bodyAllowed(d.Status) ||
		d.Content == "" && d.Status >= 300 && d.Status < 400
}

// errorObject reports whether the answer carries an error object whose fields can be replaced.
func (d Directive) errorObject() bool {
	return d.Content == ErrorBody || d.Ending == ErrorAfter || d.Content == "" && d.Status >= 400
}

// contradiction says which words cannot be obeyed together, or "".
func (d Directive) contradiction() string {
	if why := d.answerContradiction(); why != "" {
		return why
	}
	return d.contentContradiction()
}

// answerContradiction is about the words that choose the kind of answer: the status, the content, a stream, none.
func (d Directive) answerContradiction() string {
	speechless := Directive{Token: d.Token, Delay: d.Delay, Ending: d.Ending}
	streams := d.Content == "" || d.Content == NoChoices || d.Content == EmptyStream
	switch {
	case d.Status == statusRefused:
		return "421 is the status of a refused directive"
	case (d.Ending == Hang || d.Ending == Reset || d.Ending == Close) && !reflect.DeepEqual(d, speechless):
		return string(d.Ending) + " answers nothing, the other words need an answer"
	case d.needsEvents() && (!d.success() || !streams):
		return "the words for stream events need a stream, and the status or the content rules one out"
	case d.Content == Refusal && d.Status != 0:
		return "refuse has the status that the protocol gives it"
	case d.Content == NoChoices && !d.success():
		return "no-choices is a success, the status is none"
	case !bodyAllowed(d.Status) && d.Content != "" && d.Content != EmptyBody:
		return "the status allows no body"
	}
	return ""
}

// contentContradiction is about the words that change what the answer consists of, and need it to be there.
func (d Directive) contentContradiction() string {
	switch {
	case d.bodiless() && d.Ending != "":
		return "there is no body of which a part could be withheld"
	case d.bodiless() && d.BrokenEvent > 0:
		return "there is no event that could be broken"
	case strings.HasPrefix(string(d.Ending), "truncate=") && d.BrokenEvent > 0:
		return "truncate counts bytes, and the broken event may not be among them"
	case d.Ending.takesCount() && d.BrokenEvent > d.After:
		return "the broken event comes after the end"
	case (d.Code != "" || d.Type != "" || d.Message != "") && !d.errorObject():
		return "code, type and message belong to an error object, and none is answered"
	case d.RetryAfter != "" && slices.ContainsFunc(d.Headers, Header.isRetryAfter):
		return "retry-after is also given as a header"
	}
	return ""
}

func (h Header) isRetryAfter() bool { return http.CanonicalHeaderKey(h.Name) == "Retry-After" }

// bodyAllowed reports whether answers of the status may have a body (RFC 9110 15.3.5 and 15.4.5).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
