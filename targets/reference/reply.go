package reference

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// writeTimeout bounds one write to the client: one that does not read must not keep an upstream call open.
const writeTimeout = 30 * time.Second

// ErrClientGone is returned if nothing can be written to the client any more.
var ErrClientGone = errors.New("the client disconnected")

// Reply sends the response to one call. Everything that clients receive is sent through it.
type Reply struct {
	writer  http.ResponseWriter
	control *http.ResponseController
	begun   bool
	// releaseSlots give back what the call has of the limits of its key. They are called before the client can see the end of the
	// answer, so that its next call finds it free.
	releaseSlots []func()
}

var _ http.ResponseWriter = (*Reply)(nil)

// Header implements [http.ResponseWriter].
func (r *Reply) Header() http.Header { return r.writer.Header() }

// Begun reports whether the status has been sent.
func (r *Reply) Begun() bool { return r.begun }

// WriteHeader implements [http.ResponseWriter].
func (r *Reply) WriteHeader(status int) {
	r.begun = r.begun || status >= http.StatusOK
	r.writer.WriteHeader(status)
}

// Write implements [http.ResponseWriter]. It returns [ErrClientGone] if nothing can be written to the client.
func (r *Reply) Write(content []byte) (int, error) {
	r.begun = true
	// Writers without deadlines have their own limits. The deadline is lifted when the call ends.
	_ = r.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := r.writer.Write(content)
	if err != nil {
		return n, fmt.Errorf("%w: %w", ErrClientGone, err)
	}
	return n, nil
}

// Whole sends a complete response. It returns [ErrClientGone] if nothing can be written to the client.
func (r *Reply) Whole(status int, body []byte) error {
	r.freeSlots()
	r.Header().Set("Content-Length", strconv.Itoa(len(body)))
	r.WriteHeader(status)
	_, err := r.Write(body)
	return err
}

// Events sends complete events of a stream immediately, with status 200 before the first ones. It returns [ErrClientGone] if nothing can be written
// to the client.
func (r *Reply) Events(events []byte) error {
	if !r.begun {
		r.WriteHeader(http.StatusOK)
	}
	if _, err := r.Write(events); err != nil {
		return err
	}
	if err := r.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", ErrClientGone, err)
	}
	return nil
}

// Hijack takes the connection over, as [http.Hijacker] does.
func (r *Reply) Hijack() (net.Conn, error) {
	conn, _, err := r.control.Hijack()
	return conn, err
}

// onEnd has something that the call holds given back when it ends; nil is nothing.
func (r *Reply) onEnd(release func()) {
	if release != nil {
		r.releaseSlots = append(r.releaseSlots, release)
	}
}

func (r *Reply) freeSlots() {
	for _, release := range r.releaseSlots {
		release()
	}
	r.releaseSlots = nil
}

// end lifts the deadline from a connection that the next call may use. The end of a stream is sent after it.
func (r *Reply) end() {
	r.freeSlots()
	_ = r.control.SetWriteDeadline(time.Time{})
}

// Answer is a complete response before it is sent.
type Answer struct {
	Status int
	// Header is the header of the reply, which has not been sent yet.
	Header http.Header
	Body   []byte
	// Write, if set, sends the response instead of [Reply.Whole].
	Write func(context.Context, *Reply, *Answer) error
}

// Answer sends a complete JSON response. It returns [ErrClientGone] if nothing can be written to the client.
func (c *Call) Answer(ctx context.Context, status int, body []byte) error {
	return c.answer(ctx, status, "application/json", body)
}

// AnswerMedia sends a complete response that is not JSON. It returns [ErrClientGone] if nothing can be written to the client.
func (c *Call) AnswerMedia(ctx context.Context, mediaType string, body []byte) error {
	return c.answer(ctx, http.StatusOK, mediaType, body)
}

func (c *Call) answer(ctx context.Context, status int, mediaType string, body []byte) error {
	a := &Answer{Status: status, Header: c.Reply.Header(), Body: body}
	a.Header.Set("Content-Type", mediaType)
	a.Header.Set("X-Content-Type-Options", "nosniff")
	for _, hook := range c.hooks.Answer {
		hook(c, a)
	}
	if a.Write != nil {
		return a.Write(ctx, c.Reply, a)
	}
	return c.Reply.Whole(a.Status, a.Body)
}

func (c *Call) sendEvents(events []byte) error {
	if !c.Reply.begun {
		header := c.Reply.Header()
		header.Set("Content-Type", "text/event-stream")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Accel-Buffering", "no")
	}
	return c.Reply.Events(apply(c, c.hooks.Events, events))
}

// answerFailure sends the failure: as the answer, or as the last event of a stream that has begun.
func (c *Call) answerFailure(ctx context.Context) error {
	f := c.Failure
	switch {
	case !c.Reply.begun:
		maps.Copy(c.Reply.Header(), f.Header)
		return c.Answer(ctx, f.Status, f.Encode(c.Surface))
	case c.Stream != nil:
		return c.sendEvents(apply(c, c.hooks.StreamError, c.Stream.Error(f.apiError())))
	default:
		return fmt.Errorf("%w before it received the complete response", ErrClientGone)
	}
}
