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
)

const (
	// bodyPatience bounds the time in which a request body must arrive.
	bodyPatience = 10 * time.Second
	// drainLimit is how much of a refused body is still read. A caller that is cut off while it writes cannot be
	// relied upon to read why.
	drainLimit = 8 << 20
)

var (
	errTooLarge = errors.New("body over the limit")
	errEncoding = errors.New("unknown content encoding")
)

// read is the stage that takes in the whole body before anything is decided by it.
func (g *Gateway) read(_ context.Context, c *call) error {
	// Not every writer has deadlines (httptest's has not); the server's own limits hold then.
	_ = c.reply.control.SetReadDeadline(time.Now().Add(g.bodyPatience))
	body, err := readBody(c.request, g.options.BodyLimit)
	if err != nil {
		_, _ = io.CopyN(io.Discard, c.request.Body, drainLimit)
		// The deadline stays: the server itself reads on before it answers, and would wait for ever for a caller who
		// sends no more.
		return refuse(readRequestBody, err)
	}
	_ = c.reply.control.SetReadDeadline(time.Time{})
	c.body = body
	return nil
}

// readBody returns the decoded body, at most limit bytes of it.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	var source io.Reader = r.Body
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		// The packed size is bounded too: a file of empty members unpacks to nothing for ever.
		unzipped, err := gzip.NewReader(io.LimitReader(r.Body, limit+1))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		source = unzipped
	default:
		return nil, errEncoding
	}
	return readBounded(source, limit)
}

// readBounded reads to the end. It returns errTooLarge when that comes after more than limit bytes.
func readBounded(source io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(source, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, errTooLarge
	}
	return body, nil
}
