package exchange

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// stop is a limit that was reached, in words: why the reader gave up of its own accord.
type stop string

func (s stop) Error() string { return string(s) }

// intake reads one answer's body within the limits.
type intake struct {
	limits Limits
	watch  *stopwatch
	// cancel ends the call; the body's reader then fails.
	cancel context.CancelCauseFunc
}

// taken is what an intake read.
type taken struct {
	body   []byte
	stream *decoder // nil when the answer is no event stream
	cut    string
	broken string
}

// read takes in the body of resp and closes it. ctx must be the one that cancel cancels.
func (in intake) read(ctx context.Context, resp *http.Response) taken {
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is another protocol, which nobody asked for and no deadline of this one bounds.
		return taken{}
	}
	var out taken
	if isEventStream(resp.Header) {
		out.stream = &decoder{maxEvent: in.limits.Event, maxEvents: in.limits.Events}
	}
	idle := time.AfterFunc(in.limits.Idle, func() {
		in.cancel(stop(fmt.Sprintf("nothing came for %s", in.limits.Idle)))
	})
	defer idle.Stop()
	raw := &bounded{source: resp.Body, left: in.limits.Body, limit: in.limits.Body, moved: func() { idle.Reset(in.limits.Idle) }}
	source, damage := unzipped(resp.Header, raw)

	if err := in.copy(source, &out); err != nil {
		out.cut, out.broken = ending(ctx, err)
	} else {
		out.broken = damage
	}
	if out.stream != nil {
		out.stream.end(out.cut == "" && out.broken == "")
	}
	return out
}

// ending tells a reader that gave up of its own accord from a transfer that broke off.
func ending(ctx context.Context, err error) (cut, broken string) {
	var limit stop
	switch {
	case errors.As(err, &limit), errors.As(context.Cause(ctx), &limit):
		return limit.Error(), ""
	case ctx.Err() != nil:
		return "the caller gave up", ""
	default:
		return "", breakage(err)
	}
}

// copy reads source to its end, which is nil, or to the first error.
func (in intake) copy(source io.Reader, out *taken) error {
	buffer := make([]byte, 16<<10)
	for {
		n, err := source.Read(buffer)
		out.body = append(out.body, buffer[:n]...)
		if out.stream != nil {
			if err := out.stream.feed(buffer[:n], in.watch.now()); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// isEventStream reports whether the header announces server-sent events. Parameters are not looked at: a gateway that
// spells one wrongly still means a stream.
func isEventStream(header http.Header) bool {
	mediaType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream")
}

// unzipped decodes a body that says it is gzip, though none was asked for. A body that says so and is not stays as it
// came, for evidence; damage then says so.
func unzipped(header http.Header, raw *bounded) (source io.Reader, damage string) {
	coding := strings.TrimSpace(strings.Join(header.Values("Content-Encoding"), ","))
	if !strings.EqualFold(coding, "gzip") && !strings.EqualFold(coding, "x-gzip") {
		return raw, ""
	}
	buffered := bufio.NewReader(raw)
	magic, _ := buffered.Peek(2) // its error comes again with the next read
	if len(magic) == 0 {
		return buffered, ""
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, "Content-Encoding is gzip and the body is not"
	}
	// The bytes that come out are bounded as well as those that go in: a small body can unpack to any size.
	return &bounded{source: &gunzip{source: buffered}, left: raw.limit, limit: raw.limit, moved: func() {}}, ""
}

// gunzip is a gzip reader that reads the format's header with the first read, not before.
type gunzip struct {
	source io.Reader
	gzip   *gzip.Reader
}

func (g *gunzip) Read(b []byte) (int, error) {
	if g.gzip == nil {
		opened, err := gzip.NewReader(g.source)
		if err != nil {
			return 0, err
		}
		g.gzip = opened
	}
	return g.gzip.Read(b)
}

// bounded reads up to a limit. Unlike [io.LimitReader] it tells the end of the source from the limit.
type bounded struct {
	source io.Reader
	left   int64
	limit  int64
	moved  func() // called whenever bytes came
}

func (r *bounded) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	room := b[:min(int64(len(b)), max(r.left, 1))]
	n, err := r.source.Read(room)
	if n > 0 {
		r.moved()
	}
	if int64(n) > r.left {
		return 0, stop(fmt.Sprintf("the body is longer than %d bytes", r.limit))
	}
	r.left -= int64(n)
	return n, err
}
