package reference

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

// writePatience bounds one write to the caller, so that one who does not read does not hold a provider's call.
const writePatience = 30 * time.Second

// errLeft is returned when the caller can no longer be written to.
var errLeft = errors.New("the caller has left")

// reply is the answer to one call. Everything that is sent to callers is sent here.
type reply struct {
	http.ResponseWriter
	control *http.ResponseController
	// begun is true once the status was sent.
	begun bool
	// leave, if any, gives back what the call held of its key's limit. It is called before the caller can see the end of
	// the answer, so that its next call finds the place free.
	leave func()
}

func newReply(w http.ResponseWriter) *reply {
	return &reply{ResponseWriter: w, control: http.NewResponseController(w)}
}

// whole sends a complete answer, described by the header.
func (r *reply) whole(status int, body []byte) error {
	r.begun = true
	r.free()
	r.Header().Set("Content-Length", strconv.Itoa(len(body)))
	r.WriteHeader(status)
	return r.send(body)
}

// chunk sends complete events of a stream at once, and the status before the first.
func (r *reply) chunk(events []byte) error {
	if !r.begun {
		r.begun = true
		r.WriteHeader(http.StatusOK)
	}
	if err := r.send(events); err != nil {
		return err
	}
	if err := r.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errLeft, err)
	}
	return nil
}

func (r *reply) send(content []byte) error {
	// Writers without deadlines have their own; the deadline is lifted when the call ends.
	_ = r.control.SetWriteDeadline(time.Now().Add(writePatience))
	if _, err := r.Write(content); err != nil {
		return fmt.Errorf("%w: %w", errLeft, err)
	}
	return nil
}

func (r *reply) free() {
	if r.leave != nil {
		r.leave()
		r.leave = nil
	}
}

// end lifts the deadline from a connection that the next call may use. The end of a stream is sent after it.
func (r *reply) end() {
	r.free()
	_ = r.control.SetWriteDeadline(time.Time{})
}

// answer sends a complete JSON answer.
func (c *call) answer(ctx context.Context, status int, body []byte) error {
	a := &wholeAnswer{status: status, header: c.reply.Header(), body: body}
	a.header.Set("Content-Type", "application/json")
	a.header.Set("X-Content-Type-Options", "nosniff")
	c.bends.answer(c, a)
	if a.write != nil {
		return a.write(ctx, c.reply, a)
	}
	return c.reply.whole(a.status, a.body)
}

// say sends complete events of a stream.
func (c *call) say(events []byte) error {
	if !c.reply.begun {
		header := c.reply.Header()
		header.Set("Content-Type", "text/event-stream")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Accel-Buffering", "no")
	}
	return c.reply.chunk(c.bends.say(c, events))
}

// fail tells the caller of a failure: as the answer, or as the last event of a stream that has begun.
func (c *call) fail(ctx context.Context, f *failure) error {
	switch {
	case !c.reply.begun:
		maps.Copy(c.reply.Header(), f.header)
		return c.answer(ctx, f.status, convert.EncodeError(c.surface, f.told()))
	case c.stream != nil:
		return c.say(c.bends.breakOff(c, c.stream.Error(f.told())))
	default:
		return fmt.Errorf("%w: a whole answer broke off", errLeft)
	}
}
