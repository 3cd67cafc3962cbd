package reference

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/bounded"
)

const (
	// bodyTimeout bounds the time in which a request body must arrive.
	bodyTimeout = 10 * time.Second
	// drainLimit is how much of a refused body is still read, in bytes. A client whose connection is closed while it writes
	// may never read the answer.
	drainLimit = 8 << 20
	// maxBodies bounds the bodies of all calls together, in bytes.
	maxBodies = 256 << 20
)

// ErrTooLarge is returned for a body that is larger than [Options.BodyLimit].
var ErrTooLarge = errors.New("the body exceeds the limit")

var errEncoding = errors.New("unknown content encoding")

// read is the handler that reads the whole body before anything is decided by it.
func (g *Gateway) read(_ context.Context, c *Call) error {
	// httptest's writer has no deadlines; the server's own limits hold there.
	_ = c.Reply.control.SetReadDeadline(time.Now().Add(g.bodyTimeout))
	c.held = g.bodies.Hold()
	body, err := readBody(c.Request, g.options.BodyLimit, c.held)
	if errors.Is(err, bounded.ErrFull) {
		return Refuse(GetChannel, err) // a client may try again
	}
	if err != nil {
		_, _ = io.CopyN(io.Discard, c.Request.Body, drainLimit)
		// The deadline stays: the server reads on before it answers, and would wait forever for a client that sends no more.
		return Refuse(ReadRequestBody, err)
	}
	_ = c.Reply.control.SetReadDeadline(time.Time{})
	c.body = body
	return nil
}

// readBody returns the decoded body, at most limit bytes of it, and counts them as held.
func readBody(r *http.Request, limit int64, held *bounded.Held) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, ErrTooLarge
	}
	var source io.Reader = r.Body
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		// The compressed size is bounded too: a file of empty members decompresses to nothing forever.
		unzipped, err := gzip.NewReader(io.LimitReader(r.Body, limit+1))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		source = unzipped
	default:
		return nil, errEncoding
	}
	return readBounded(held.Reader(source), limit)
}

// readBounded reads to the end. It returns [ErrTooLarge] after more than limit bytes.
func readBounded(source io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(source, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, ErrTooLarge
	}
	return body, nil
}
