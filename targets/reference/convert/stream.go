package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/dialect"
)

// Delta is a piece of a streamed answer: a text, or, as the last of all, how the answer ended.
type Delta struct {
	// Text is the next piece of the answer, never empty but in the last delta, and "" there.
	Text string
	// Finish is "" in all deltas but the last.
	Finish dialect.Finish
	// PromptTokens and CompletionTokens are the upstream's count, 0 when it gave none; set in the last delta.
	PromptTokens     int
	CompletionTokens int
}

// DecodeStream reads an upstream's event stream to its end and emits each piece of content as soon as it is whole. When
// the protocol's own finish has come and there was content, it emits one last delta and returns nil; nothing is
// emitted before the first content, so that until then an error can still be answered as one.
//
// The error wraps [ErrNotAnswer] (not an event stream, a broken event, an error event, over [MaxEvent] or
// [MaxStream]), [ErrTruncated] (the stream ended, or reading it failed, before the finish; the read error is wrapped
// as well, and so is ctx's), [ErrEmpty] (no event at all, or a finish without content) or [ErrBlocked]. An error of
// emit is returned as it is. Cancelling ctx ends the decoding between two reads; to end a read, close r.
func DecodeStream(ctx context.Context, p dialect.Dialect, r io.Reader, emit func(Delta) error) error {
	pr, ok := codecs[p]
	if !ok {
		return notAnswer("of no known protocol")
	}
	in, l := newEvents(r), pr.listen()
	heard, content := false, false
	for !l.state().closed {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w: %w", ErrTruncated, err)
		}
		name, data, err := in.next()
		if err != nil {
			if err := streamEnd(err, l.state(), heard); err != nil {
				return err
			}
			break
		}
		heard = true
		piece, err := l.event(string(name), data)
		if err != nil {
			return err
		}
		if piece == "" {
			continue
		}
		content = true
		if err := emit(Delta{Text: piece}); err != nil {
			return err
		}
	}
	t := l.state()
	if !content {
		return verdict("", t.finish, t.refused)
	}
	return emit(Delta{
		Finish: cmp.Or(t.finish, dialect.FinishStop), PromptTokens: t.prompt, CompletionTokens: t.completion,
	})
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
	finished bool // the protocol's own finish has come
	closed   bool // and nothing can follow it
	refused  bool
	finish   dialect.Finish

	prompt, completion int
}

func (t *streamState) state() *streamState { return t }
