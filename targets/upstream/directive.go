package upstream

import (
	"cmp"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// Directive states how the upstream treats the request whose prompt contains it. The zero value requests a healthy response. [Directive.String]
// returns its text form, which [ParseDirective] parses. [Vocabulary] explains every word.
type Directive struct {
	// Token is the name under which the request is recorded ([Upstream.Seen]): 1 to 64 characters from A-Z a-z 0-9 . _ -
	Token string
	// Status is the HTTP status of the response, 200 to 599. 0 means 200, or the status that the protocol requires (for a refusal).
	Status int
	// Content is the content of the response. "" means the healthy response or, with a status of 400 and above, the protocol's own error.
	Content Content
	// Ending is how the response ends, or what happens instead of a response. "" means a proper end.
	Ending Ending
	// After is the number of stream events before the endings named …-after. It is 0 for all other endings.
	After int
	// Gzip compresses the body.
	Gzip bool
	// Delay is the wait before the response header.
	Delay time.Duration
	// Events changes the events of a stream.
	Events EventFaults
	// RetryAfter is the value of a Retry-After field. Headers are additional header fields.
	RetryAfter string
	Headers    []Header
	// Error replaces fields of the error object, if the response has one.
	Error ErrorFields
	// Model makes a healthy response imitate a model. It can be combined only with Token.
	Model Model
}

// EventFaults changes how the events of a stream are written.
type EventFaults struct {
	// Broken is the number, from 1, of the event whose data is broken JSON. 0 means none.
	Broken int
	// Chunks is the number of content deltas in a healthy response, streaming or not. 0 means 3.
	Chunks int
	// Gap is the wait between two events.
	Gap time.Duration
	// CRLF ends the lines of the stream with CR LF.
	CRLF bool
	// Comments inserts a keep-alive comment before every event.
	Comments bool
}

// ErrorFields are the fields of an error object. For empty fields, the protocol's own values are used.
type ErrorFields struct {
	Code, Type, Message string
	// Number is the code if the code is a number.
	Number int
}

func (e ErrorFields) problem(status int) dialect.Problem {
	return dialect.Problem{Status: status, Code: e.Code, Type: e.Type, Message: e.Message, Number: e.Number}
}

// Header is one header field of a response.
type Header struct{ Name, Value string }

// Content states what a response contains instead of a healthy body.
type Content string

// The contents. Those up to NullBody are values of the word "body".
const (
	ErrorBody       Content = "error"             // the protocol's own error object
	AnswerWithError Content = "answer-with-error" // the error object in half an answer
	ForeignBody     Content = "foreign"           // JSON that is not an error object
	HTMLBody        Content = "html"              // the HTML page of a proxy
	TextBody        Content = "text"              // a line of plain text
	EmptyBody       Content = "empty"             // no bytes
	BrokenJSON      Content = "broken-json"       // the first half of a healthy response, in a complete transfer
	NullBody        Content = "null"              // the JSON value null
	NoChoices       Content = "no-choices"        // a success without content
	EmptyStream     Content = "empty-stream"      // an event stream without events
	Refusal         Content = "refuse"            // the protocol's own way to refuse a prompt on policy grounds
	ToolCall        Content = "tool-call"         // a stream of the arguments of a tool call
	Reasoning       Content = "reasoning"         // a stream of the model's reasoning
	Redirect        Content = "redirect"          // to another host
)

// Ending states how a response ends if it does not end properly.
type Ending string

// The endings. Those named …After use the number in [Directive.After].
const (
	Hang           Ending = "hang"             // nothing is sent
	Reset          Ending = "reset"            // TCP RST instead of a response
	Close          Ending = "close"            // the connection closes instead of a response
	Stall          Ending = "stall"            // half of the response, then silence
	StallAfter     Ending = "stall-after"      // n events, then silence
	CutAfter       Ending = "cut-after"        // n events, then the connection closes
	EndAfter       Ending = "end-after"        // n events, then a proper end of the transfer, without the finish event
	ErrorAfter     Ending = "error-after"      // n events, then the protocol's own error event
	WithErrorAfter Ending = "with-error-after" // n events, then an event of the answer that also contains an error object
	ErrorFirst     Ending = "error-first"      // the events before the first content, then the protocol's own error event
	NoDone         Ending = "no-done"          // everything but the end marker
	TruncateLength Ending = "truncate=length"  // half of the bytes that Content-Length announces
	TruncateChunk  Ending = "truncate=chunk"   // half of the bytes in chunks, without the last chunk
	TruncateGzip   Ending = "truncate=gzip"    // half of a gzip body in a complete transfer
)

// String returns the directive as written in a prompt: "[[gatecert token=abc status=503 body=html]]". It contains only characters that neither JSON
// nor HTML escapes, so that it passes through gateways unchanged.
func (d Directive) String() string {
	var text strings.Builder
	text.WriteString(opening)
	for _, w := range vocabulary() {
		for _, value := range w.format(d) {
			text.WriteString(" " + w.Name)
			if w.Values != "" {
				text.WriteString("=" + value)
			}
		}
	}
	text.WriteString(closing)
	return text.String()
}

func (e Ending) takesCount() bool {
	return e == StallAfter || e == CutAfter || e == EndAfter || e == ErrorAfter || e == WithErrorAfter
}

func (e Ending) noResponse() bool { return e == Hang || e == Reset || e == Close }

// needsEvents reports whether the directive makes sense for an event stream only.
func (d Directive) needsEvents() bool {
	return d.Ending.takesCount() || d.Ending == NoDone || d.Ending == ErrorFirst || d.Events.Broken > 0 || d.Content == EmptyStream ||
		d.unfinishable()
}

// unfinishable reports whether the content is a stream that is written without an end.
func (d Directive) unfinishable() bool { return d.Content == ToolCall || d.Content == Reasoning }

// success reports whether the status is a success, or not given.
func (d Directive) success() bool { return d.Status == 0 || d.Status < 300 }

// bodiless reports whether the response has no body of which a part could be left out.
func (d Directive) bodiless() bool {
	return d.Content == EmptyBody || d.Content == EmptyStream || d.Content == Redirect || !bodyAllowed(d.Status) ||
		d.Content == "" && d.Status >= 300 && d.Status < 400
}

// hasErrorObject reports whether the response has an error object whose fields can be replaced.
func (d Directive) hasErrorObject() bool {
	return d.Content == ErrorBody || d.Content == AnswerWithError || d.Ending == ErrorAfter || d.Ending == WithErrorAfter ||
		d.Ending == ErrorFirst || d.Content == "" && d.Status >= 400
}

// contradiction says which words cannot be followed together, or "".
func (d Directive) contradiction() string {
	if !d.Model.IsZero() && !d.plain() {
		return `"ttft", "itl" and "tokens" simulate a healthy model: they cannot be combined with any other word except "token"`
	}
	return cmp.Or(d.responseContradiction(), d.contentContradiction())
}

// responseContradiction is about the words that choose the kind of response: the status, the content, a stream, none.
func (d Directive) responseContradiction() string {
	streams := d.Content == "" || d.Content == NoChoices || d.Content == EmptyStream || d.unfinishable()
	switch {
	case d.Status == statusRefused:
		return "the status cannot be 421: it is reserved for rejected directives"
	case d.Ending.noResponse() && !reflect.DeepEqual(d, Directive{Token: d.Token, Delay: d.Delay, Ending: d.Ending}):
		return string(d.Ending) + " sends no response, but other words of the directive need one"
	case d.needsEvents() && (!d.success() || !streams):
		return "the directive has words for stream events, but its status or content does not allow a stream"
	case d.Content == Refusal && d.Status != 0:
		return "the word refuse cannot be combined with a status: the protocol defines the status of a refusal"
	case d.Content == Redirect && d.Status != 0:
		return "the word redirect cannot be combined with a status: a redirect always has the status 307"
	case d.unfinishable() && !d.Ending.takesCount():
		return string(d.Content) + " starts a stream that never finishes: add a word such as cut-after, which stops the stream after a number of events"
	case d.Content == NoChoices && !d.success():
		return "no-choices can be combined only with a 2xx status"
	case !bodyAllowed(d.Status) && d.Content != "" && d.Content != EmptyBody:
		return "the directive specifies a body, but its status does not allow a body"
	}
	return ""
}

// contentContradiction is about the words that change a part of the response, and need that part.
func (d Directive) contentContradiction() string {
	switch {
	case d.bodiless() && d.Ending != "":
		return "words such as truncate and stall need a body, but the response has none"
	case d.bodiless() && d.Gzip:
		return "gzip needs a body, but the response has none"
	case d.Gzip && (d.Ending != "" || d.needsEvents()):
		return "gzip can compress only a complete body"
	case d.bodiless() && d.Events.Broken > 0:
		return "broken-event needs an event, but the response has none"
	case strings.HasPrefix(string(d.Ending), "truncate=") && d.Events.Broken > 0:
		return "truncate cannot be combined with broken-event: the truncated response may end before the broken event"
	case d.Ending.takesCount() && d.Events.Broken > d.After:
		return "the number in broken-event must not be greater than the number in " + string(d.Ending)
	case d.Error.Number > 0 && d.Error.Code != "":
		return "code and code-number cannot be combined"
	case d.Error != ErrorFields{} && !d.hasErrorObject():
		return "code, code-number, type and message need an error object, but the response has none"
	case d.RetryAfter != "" && slices.ContainsFunc(d.Headers, Header.isRetryAfter):
		return "Retry-After is set twice: by the word retry-after and by the word header"
	}
	return ""
}

func (h Header) isRetryAfter() bool { return http.CanonicalHeaderKey(h.Name) == "Retry-After" }

// bodyAllowed reports whether responses of the status may have a body (RFC 9110 15.3.5 and 15.4.5).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
