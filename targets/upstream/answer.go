package upstream

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// statusRefused answers a directive that cannot be obeyed: 421 Misdirected Request, which no provider sends.
const statusRefused = http.StatusMisdirectedRequest

const defaultChunks = 3

// answerTo says what a valid call gets. An error means that the directive does not fit the call.
func answerTo(op operation, c call, d Directive) (reply, error) {
	streamer, streamed := op.(streaming)
	streamed = streamed && streamer.wantsStream(c.doc)
	if d.needsEvents() && !streamed {
		return reply{}, fmt.Errorf("%w: it is about stream events, and the request wants no stream", ErrDirective)
	}
	c.deltas = healthyText(cmp.Or(d.Chunks, defaultChunks))
	status := cmp.Or(d.Status, http.StatusOK)
	switch {
	case d.Content == ErrorBody || d.Content == "" && status >= 400:
		p := problem{status: status, code: d.Code, kind: d.Type, message: d.Message}
		if status < 400 {
			p.status = http.StatusInternalServerError // for the words: an error inside a success is a server's
		}
		rep := errorReply(op, p)
		rep.status = status
		return rep, nil
	case d.bodiless() && d.Content != EmptyStream:
		return reply{status: status, header: contentType(jsonOf(op))}, nil
	case d.Content == Refusal:
		if p := op.refusal(); p != nil {
			return errorReply(op, *p), nil
		}
		c.outcome = refused
	case d.Content == NoChoices:
		c.outcome = silent
	case d.Content == BrokenJSON:
		body := encode(op.answer(c))
		return reply{status: status, header: contentType(jsonOf(op)), body: body[:len(body)/2]}, nil
	case d.Content != "" && d.Content != EmptyStream:
		return oddReply(op, status, d.Content), nil
	}
	if !streamed {
		return reply{status: status, header: contentType(jsonOf(op)), body: encode(op.answer(c))}, nil
	}
	s, err := bend(streamer, streamer.stream(c), d)
	return reply{status: status, header: streamHeader(op, s), stream: &s}, err
}

// oddReply is a body that no provider means to send.
func oddReply(p protocol, status int, content Content) reply {
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
	default: // no byte; the contents that the protocol shapes do not come here
	}
	return reply{status: status, header: contentType(kind), body: []byte(body)}
}

// errorReply gives a problem the shape of the protocol's error object.
func errorReply(p protocol, what problem) reply {
	what = p.describe(what)
	rep := reply{status: what.status, header: contentType(jsonOf(p)), body: encode(p.errorBody(what))}
	if what.allow != "" {
		rep.header.Set("Allow", what.allow)
	}
	return rep
}

// bend does to the events of a stream what the directive says, and refuses numbers that the stream does not reach:
// a fault that silently does not happen would prove the wrong thing.
func bend(op streaming, s stream, d Directive) (stream, error) {
	if d.Content == EmptyStream {
		return stream{array: s.array}, nil
	}
	total := len(s.events)
	switch {
	case (d.Ending == StallAfter || d.Ending == CutAfter) && d.After >= total:
		return s, fmt.Errorf("%w: %s=%d, and the stream has %d events", ErrDirective, d.Ending, d.After, total)
	case (d.Ending == EndAfter || d.Ending == ErrorAfter) && d.After > s.finish:
		return s, fmt.Errorf("%w: %s=%d, and the stream finishes with event %d", ErrDirective, d.Ending, d.After, s.finish+1)
	case d.Ending == NoDone && !s.marked:
		return s, fmt.Errorf("%w: no-done, and the stream has no end marker", ErrDirective)
	}
	switch d.Ending {
	case Stall:
		s.events, s.final = s.events[:(total+1)/2], silence
	case StallAfter:
		s.events, s.final = s.events[:d.After], silence
	case CutAfter:
		s.events, s.final = s.events[:d.After], breach
	case EndAfter:
		s.events = s.events[:d.After]
	case ErrorAfter:
		p := op.describe(problem{status: http.StatusInternalServerError, code: d.Code, kind: d.Type, message: d.Message})
		s.events = append(s.events[:d.After], op.errorEvent(p, d.After))
	case NoDone:
		s.events = s.events[:total-1]
	default: // the other endings come before the stream, or count bytes
	}
	if d.BrokenEvent > len(s.events) {
		return s, fmt.Errorf("%w: broken-event=%d, and %d events are sent", ErrDirective, d.BrokenEvent, len(s.events))
	}
	if d.BrokenEvent > 0 {
		broken := &s.events[d.BrokenEvent-1]
		broken.data = broken.data[:len(broken.data)/2]
	}
	return s, nil
}

func jsonOf(p protocol) string {
	kind, _ := p.contentTypes()
	return kind
}

func streamHeader(p protocol, s stream) http.Header {
	plain, events := p.contentTypes()
	if s.array {
		return contentType(plain)
	}
	h := contentType(events)
	h.Set("Cache-Control", "no-cache")
	return h
}

func contentType(kind string) http.Header { return http.Header{"Content-Type": {kind}} }
