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

// stop is the error for a limit that was reached. Its text is a sentence for people.
type stop string

func (s stop) Error() string { return string(s) }

// bodyReader reads the body of one answer within the limits.
type bodyReader struct {
	limits Limits
	watch  *stopwatch
	// cancel ends the call, so that reading the body fails.
	cancel context.CancelCauseFunc
}

// readResult is what a bodyReader read.
type readResult struct {
	body   []byte
	stream *decoder // nil when the answer is not an event stream
	cut    string   // the limit that ended reading, "" for none
	broken string   // how the transfer broke off, "" when it did not
}

// read reads the body of resp and closes it. ctx must be the context that cancel cancels.
func (in bodyReader) read(ctx context.Context, resp *http.Response) readResult {
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// The rest is another protocol, which nobody asked for.
		return readResult{}
	}
	var out readResult
	if isEventStream(resp.Header) {
		out.stream = &decoder{maxEvent: in.limits.Event, maxEvents: in.limits.Events}
	}
	idle := time.AfterFunc(in.limits.Idle, func() {
		in.cancel(stop(fmt.Sprintf("no data for %s", in.limits.Idle)))
	})
	defer idle.Stop()
	raw := &bounded{source: resp.Body, left: in.limits.Body, limit: in.limits.Body, onRead: func() { idle.Reset(in.limits.Idle) }}
	source, damage := unzipped(resp.Header, raw)

	if err := in.copy(source, &out); err != nil {
		out.cut, out.broken = endOf(ctx, err)
	} else {
		out.broken = damage
	}
	if out.stream != nil {
		out.stream.end(out.cut == "" && out.broken == "")
	}
	return out
}

// endOf distinguishes a limit that ended reading from a transfer that broke off.
func endOf(ctx context.Context, err error) (cut, broken string) {
	var limit stop
	switch {
	case errors.As(err, &limit), errors.As(context.Cause(ctx), &limit):
		return limit.Error(), ""
	case ctx.Err() != nil:
		return "the call was cancelled", ""
	default:
		return "", breakage(err)
	}
}

// copy reads source to its end, or to the first error.
func (in bodyReader) copy(source io.Reader, out *readResult) error {
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

// isEventStream reports whether the header announces server-sent events. Parameters are ignored: a wrong one does not
// make it something else.
func isEventStream(header http.Header) bool {
	mediaType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream")
}

// unzipped decodes a body that is labelled as gzip, although no compression was requested. A body with a wrong label is
// returned unchanged, as evidence, and damage describes the error.
func unzipped(header http.Header, raw *bounded) (source io.Reader, damage string) {
	coding := strings.TrimSpace(strings.Join(header.Values("Content-Encoding"), ","))
	if !strings.EqualFold(coding, "gzip") && !strings.EqualFold(coding, "x-gzip") {
		return raw, ""
	}
	buffered := bufio.NewReader(raw)
	magic, _ := buffered.Peek(2) // the next read returns its error again
	if len(magic) == 0 {
		return buffered, ""
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, "Content-Encoding is gzip, but the body is not"
	}
	// The decoded bytes are bounded too: a small body can decode to any size.
	return &bounded{source: &gunzip{source: buffered}, left: raw.limit, limit: raw.limit, onRead: func() {}}, ""
}

// gunzip is a gzip reader that reads the gzip header with the first read.
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

// bounded reads up to a limit. Unlike [io.LimitReader] it distinguishes the limit from the end of the source.
type bounded struct {
	source io.Reader
	left   int64
	limit  int64
	onRead func() // called after every read of at least one byte
}

func (r *bounded) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	room := b[:min(int64(len(b)), max(r.left, 1))]
	n, err := r.source.Read(room)
	if n > 0 {
		r.onRead()
	}
	if int64(n) > r.left {
		return 0, stop(fmt.Sprintf("the body is longer than %d bytes", r.limit))
	}
	r.left -= int64(n)
	return n, err
}
