package upstream

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// reply is a response in terms of the protocol, before any fault of its transfer.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	stream  *dialect.Stream // set in place of body
	end     bodyEnd         // what follows the last event of stream
	problem []byte          // the error in it, nil for none
}

// statusRefused is the status for a directive that cannot be followed: 421 Misdirected Request, which no LLM API sends.
const statusRefused = http.StatusMisdirectedRequest

const defaultChunks = 3

// replyTo returns the reply to a valid request. It returns [ErrDirective] when the directive does not fit the request.
func replyTo(op dialect.Operation, c dialect.Answer, d Directive) (reply, error) {
	streamer, streamed := op.(dialect.StreamingOperation)
	streamed = streamed && streamer.WantsStream(c.Request)
	if err := d.fits(streamer, streamed); err != nil {
		return reply{}, err
	}
	c.Pieces = dialect.HealthyText(cmp.Or(d.Events.Chunks, defaultChunks))
	if d.Content == ToolCall {
		c.Pieces[0] = `{"text":"` + c.Pieces[0]
	}
	c.Kind, c.CompletionTokens = pieceKinds[d.Content], len(c.Pieces)
	status := cmp.Or(d.Status, http.StatusOK)
	switch {
	case d.Content == ErrorBody || d.Content == "" && status >= 400:
		p := d.Error.problem(status)
		if status < 400 {
			p.Status = http.StatusInternalServerError // for its texts: an error inside a success is a server error
		}
		rep := errorReply(op, p)
		rep.status = status
		return rep, nil
	case d.Content == AnswerWithError:
		return answerWithError(op, c, d), nil
	case d.bodiless() && d.Content != EmptyStream:
		return reply{status: status, header: contentType(jsonOf(op))}, nil
	case d.Content == Refusal:
		if p := op.Refusal(); p != nil {
			return errorReply(op, *p), nil
		}
		c.Pieces, c.End = nil, dialect.End{Finish: dialect.FinishFilter, PromptTokens: c.PromptTokens}
	case d.Content == NoChoices:
		c.Pieces, c.CompletionTokens = nil, 0
	case d.Content == BrokenJSON:
		whole := wholeReply(op, status, c)
		whole.body = whole.body[:len(whole.body)/2]
		return whole, nil
	case d.Content != "" && d.Content != EmptyStream && !d.unfinishable():
		return unusableReply(op, status, d.Content), nil
	}
	if !streamed {
		return wholeReply(op, status, c), nil
	}
	s, end, err := applyToStream(streamer, streamer.Stream(c), d)
	rep := reply{status: status, header: streamHeader(op, s), stream: &s, end: end}
	if n := len(s.Events); n > 0 && (d.Ending == ErrorAfter || d.Ending == ErrorFirst) {
		rep.problem = s.Events[n-1].Data
	}
	return rep, err
}

// wholeReply is a success that is not a stream.
func wholeReply(op dialect.Operation, status int, c dialect.Answer) reply {
	if media, ok := op.(dialect.MediaOperation); ok {
		kind, body := media.Media(c)
		return reply{status: status, header: contentType(kind), body: body}
	}
	return reply{status: status, header: contentType(jsonOf(op)), body: dialect.Encode(op.Body(c))}
}

// fits returns [ErrDirective] when the directive is about a stream and the response is none, or the other way round.
func (d Directive) fits(op dialect.StreamingOperation, streamed bool) error {
	switch {
	case d.needsEvents() && !streamed:
		return fmt.Errorf("%w: the directive applies to stream events, but the request does not ask for a stream", ErrDirective)
	case d.unfinishable() && !dialect.CanStream(op, pieceKinds[d.Content]):
		return fmt.Errorf("%w: this endpoint cannot stream %s content", ErrDirective, d.Content)
	case d.Gzip && streamed && (d.Content == "" || d.Content == NoChoices) && d.success():
		return fmt.Errorf("%w: gzip can compress only a complete body, but the response is a stream", ErrDirective)
	default:
		return nil
	}
}

func unusableReply(p dialect.Format, status int, content Content) reply {
	kind, body := jsonOf(p), ""
	switch content {
	case ForeignBody:
		body = `{"detail":"This is not what you are looking for."}`
	case HTMLBody:
		title := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
		kind, body = "text/html; charset=utf-8", "<!DOCTYPE html>\n<html><head><title>"+title+"</title></head><body><h1>"+title+"</h1></body></html>\n"
	case TextBody:
		kind, body = "text/plain; charset=utf-8", "upstream connect error or disconnect before headers\n"
	case NullBody:
		body = "null"
	default: // empty; the contents that depend on the protocol were handled before
	}
	return reply{status: status, header: contentType(kind), body: []byte(body), problem: []byte(body)}
}

// errorReply is a problem as the protocol's error object.
func errorReply(p dialect.Format, what dialect.Problem) reply {
	what = p.Describe(what)
	body := dialect.Encode(p.ErrorBody(what))
	rep := reply{status: what.Status, header: contentType(jsonOf(p)), body: body, problem: body}
	if what.Allow != "" {
		rep.header.Set("Allow", what.Allow)
	}
	return rep
}

// applyToStream applies a directive to the events of a stream and returns what follows the last of them. It returns
// [ErrDirective] for numbers beyond the stream's end: a test must not pass because its fault never happened.
func applyToStream(op dialect.StreamingOperation, s dialect.Stream, d Directive) (_ dialect.Stream, end bodyEnd, _ error) {
	if d.Content == EmptyStream {
		return dialect.Stream{Array: s.Array}, bodyComplete, nil
	}
	total := len(s.Events)
	switch {
	case (d.Ending == StallAfter || d.Ending == CutAfter) && d.After >= total:
		return s, bodyComplete, fmt.Errorf("%w: %s=%d: the number must be less than %d, the number of events in the stream", ErrDirective, d.Ending, d.After, total)
	case (d.Ending == EndAfter || d.Ending == ErrorAfter || d.Ending == WithErrorAfter) && d.After > s.Finish:
		return s, bodyComplete, fmt.Errorf("%w: %s=%d: the number must be less than %d, the number of the finish event", ErrDirective, d.Ending, d.After, s.Finish+1)
	case d.Ending == NoDone && !s.EndMarker:
		return s, bodyComplete, fmt.Errorf("%w: no-done does not apply: streams of this endpoint have no end marker", ErrDirective)
	}
	switch d.Ending {
	case Stall:
		s.Events, end = s.Events[:(total+1)/2], bodySilent
	case StallAfter:
		s.Events, end = s.Events[:d.After], bodySilent
	case CutAfter:
		s.Events, end = s.Events[:d.After], bodyCut
	case EndAfter:
		s.Events = s.Events[:d.After]
	case ErrorAfter:
		s.Events = append(s.Events[:d.After], op.ErrorEvent(op.Describe(d.Error.problem(http.StatusInternalServerError)), d.After))
	case WithErrorAfter:
		s.Events = eventsWithError(op, s, d)
	case ErrorFirst:
		s.Events = append(s.Events[:s.Content], op.ErrorEvent(op.Describe(d.Error.problem(http.StatusInternalServerError)), s.Content))
	case NoDone:
		s.Events = s.Events[:total-1]
	default: // the other endings have no stream, or count bytes
	}
	if d.Events.Broken > len(s.Events) {
		return s, bodyComplete, fmt.Errorf("%w: broken-event=%d, but the stream ends with event %d", ErrDirective, d.Events.Broken, len(s.Events))
	}
	if d.Events.Broken > 0 {
		broken := &s.Events[d.Events.Broken-1]
		broken.Data = broken.Data[:len(broken.Data)/2]
	}
	return s, end, nil
}

// pieceKinds are the contents that are pieces of another kind than text.
var pieceKinds = map[Content]dialect.PieceKind{ToolCall: dialect.ToolCall, Reasoning: dialect.Reasoning}

func jsonOf(p dialect.Format) string {
	kind, _ := p.ContentTypes()
	return kind
}

func streamHeader(p dialect.Format, s dialect.Stream) http.Header {
	plain, events := p.ContentTypes()
	if s.Array {
		return contentType(plain)
	}
	h := contentType(events)
	h.Set("Cache-Control", "no-cache")
	return h
}

func contentType(kind string) http.Header { return http.Header{"Content-Type": {kind}} }
