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

// limitError is the limit of this package that ended a call.
type limitError string

func (e limitError) Error() string { return string(e) }

// bodyReader reads the body of one answer within the limits.
type bodyReader struct {
	limits Limits
	timer  *callTimer
	// cancel ends the call, which makes the next read of the body fail.
	cancel context.CancelCauseFunc
}

type answerBody struct {
	body          []byte
	stream        *eventDecoder // nil when the answer is not an event stream
	cut           string        // which of our limits ended the read, "" for none
	transferError string        // how the transfer broke off, "" when it did not
}

// read reads the body of resp and closes it. ctx must be the one that cancel cancels.
func (r bodyReader) read(ctx context.Context, resp *http.Response) answerBody {
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is another protocol, which no limit of this package bounds.
		return answerBody{}
	}
	var out answerBody
	if isEventStream(resp.Header) {
		out.stream = &eventDecoder{maxEvent: r.limits.Event, maxEvents: r.limits.Events}
	}
	idle := time.AfterFunc(r.limits.Idle, func() {
		r.cancel(limitError(fmt.Sprintf("no bytes arrived for %s", r.limits.Idle)))
	})
	defer idle.Stop()
	raw := &limitedReader{source: resp.Body, left: r.limits.Body, limit: r.limits.Body, onRead: func() { idle.Reset(r.limits.Idle) }}
	source, damage := gunzipped(resp.Header, raw)

	if err := r.copy(source, &out); err != nil {
		out.cut, out.transferError = classifyEnd(ctx, err)
	} else {
		out.transferError = damage
	}
	if out.stream != nil {
		out.stream.end(out.cut == "" && out.transferError == "")
	}
	return out
}

// classifyEnd distinguishes a read that one of our limits ended from a transfer that broke off.
func classifyEnd(ctx context.Context, err error) (cut, transferError string) {
	var limit limitError
	switch {
	case errors.As(err, &limit), errors.As(context.Cause(ctx), &limit):
		return limit.Error(), ""
	case ctx.Err() != nil:
		return "the call was cancelled", ""
	default:
		return "", describeBreak(err)
	}
}

// copy reads source to its end, and then returns nil, or to the first error.
func (r bodyReader) copy(source io.Reader, out *answerBody) error {
	buffer := make([]byte, 16<<10)
	for {
		n, err := source.Read(buffer)
		out.body = append(out.body, buffer[:n]...)
		if out.stream != nil {
			if err := out.stream.feed(buffer[:n], r.timer.now()); err != nil {
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

// isEventStream reports whether the header announces server-sent events. It ignores parameters: a gateway that spells one
// wrongly still sends a stream.
func isEventStream(header http.Header) bool {
	mediaType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream")
}

// gunzipped decodes a body under Content-Encoding: gzip, although the request did not accept it. A body that is not gzip
// under that header is kept as it came, and damage says what is wrong.
func gunzipped(header http.Header, raw *limitedReader) (source io.Reader, damage string) {
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
		return buffered, "Content-Encoding is gzip, but the body is not gzip"
	}
	// Both the compressed and the decompressed bytes are bounded: a small body can decompress to any size.
	return &limitedReader{source: &lazyGzip{source: buffered}, left: raw.limit, limit: raw.limit, onRead: func() {}}, ""
}

// lazyGzip is a gzip reader that reads the gzip header on the first read, not before.
type lazyGzip struct {
	source io.Reader
	gzip   *gzip.Reader
}

func (g *lazyGzip) Read(b []byte) (int, error) {
	if g.gzip == nil {
		opened, err := gzip.NewReader(g.source)
		if err != nil {
			return 0, err
		}
		g.gzip = opened
	}
	return g.gzip.Read(b)
}

// limitedReader reads up to a limit. Unlike [io.LimitReader] it distinguishes the limit from the end of the source.
type limitedReader struct {
	source io.Reader
	left   int64
	limit  int64
	onRead func() // called after every read of at least one byte
}

func (r *limitedReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	room := b[:min(int64(len(b)), max(r.left, 1))]
	n, err := r.source.Read(room)
	if n > 0 {
		r.onRead()
	}
	if int64(n) > r.left {
		return 0, limitError(fmt.Sprintf("the body is longer than %d bytes", r.limit))
	}
	r.left -= int64(n)
	return n, err
}
