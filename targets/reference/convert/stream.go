package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/dialect"
)

// DecodeStream reads an upstream's event stream to its end and passes each piece of content to pass as soon as the piece is complete. If the stream
// contained content and the protocol's own finish, DecodeStream returns how the response ended, with the upstream's token counts, or 0 if there are
// none. Nothing is passed on before the first content, so until then the gateway can still respond with an error status.
//
// The error wraps [ErrNotAnswer] (not an event stream, a broken event, an error event, over [MaxEvent] or [MaxStream]), [ErrTruncated] (the stream
// ended, or reading it failed, before the finish; the read error is wrapped as well, and so is ctx's), [ErrEmpty] (no event at all, or a finish
// without content) or [ErrBlocked]. An error from pass is returned unchanged. If ctx is cancelled, decoding ends between two reads; to end a read in
// progress, close r.
func DecodeStream(ctx context.Context, p dialect.Dialect, r io.Reader, pass func(text string) error) (dialect.End, error) {
	var none dialect.End
	pr, ok := codecs[p]
	if !ok {
		return none, notAnswer("the upstream's protocol is unknown")
	}
	in, l := newEvents(r), pr.listen()
	heard, content := false, false
	for !l.state().closed {
		if err := ctx.Err(); err != nil {
			return none, fmt.Errorf("%w: %w", ErrTruncated, err)
		}
		name, data, err := in.next()
		if err != nil {
			if err := streamEnd(err, l.state(), heard); err != nil {
				return none, err
			}
			break
		}
		heard = true
		piece, err := l.event(string(name), data)
		if err != nil {
			return none, err
		}
		if piece == "" {
			continue
		}
		content = true
		if err := pass(piece); err != nil {
			return none, err
		}
	}
	end := l.state().End
	if !content {
		return none, verdict("", end.Finish, l.state().refused)
	}
	end.Finish = cmp.Or(end.Finish, dialect.FinishStop)
	return end, nil
}

// streamEnd says what the end of the events means: nothing, once the upstream was done.
func streamEnd(err error, t *streamState, heard bool) error {
	switch {
	case errors.Is(err, ErrNotAnswer):
		return err
	case t.finished:
		return nil
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	case !heard:
		return fmt.Errorf("%w: no event", ErrEmpty)
	default:
		return fmt.Errorf("%w: no finish", ErrTruncated)
	}
}

// listener makes sense of one protocol's events.
type listener interface {
	// event takes one event and returns the content in it, which may be none.
	event(name string, data []byte) (text string, err error)
	state() *streamState
}

// streamState is what a stream has announced so far, apart from its content.
type streamState struct {
	dialect.End

	finished bool // the protocol's own finish has come
	closed   bool // and nothing can follow it
	refused  bool
}

func (t *streamState) state() *streamState { return t }
