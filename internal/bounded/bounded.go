// Package bounded bounds what clients can make a server hold: connections and bytes.
package bounded

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Connections bounds the open connections of an [http.Server]. The zero value admits none.
type Connections struct {
	Max  int64
	open atomic.Int64
}

// ConnState closes a new connection where Max are open. It is for [http.Server.ConnState].
func (c *Connections) ConnState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if c.open.Add(1) > c.Max {
			_ = conn.Close() // the server notices, and reports it as closed
		}
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	case http.StateActive, http.StateIdle: // still open
	}
}

// ErrFull is returned by a reader when all bytes are in use.
var ErrFull = errors.New("the requests in progress use too much memory")

// Bytes bounds the bytes that are held for all clients together.
type Bytes struct {
	Max  int64
	used atomic.Int64
}

// Hold begins to count the bytes of one client. The caller releases them.
func (b *Bytes) Hold() *Held { return &Held{all: b} }

// Held are the bytes that one client has in use. It is for one goroutine.
type Held struct {
	all *Bytes
	n   int64
}

// Reader counts what is read. It returns [ErrFull] where that is too much for all clients together.
func (h *Held) Reader(r io.Reader) io.Reader { return heldReader{r, h} }

// Release ends the use of all bytes that were read.
func (h *Held) Release() {
	h.all.used.Add(-h.n)
	h.n = 0
}

type heldReader struct {
	io.Reader

	held *Held
}

// Read implements io.Reader.
func (r heldReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.held.n += int64(n)
	if r.held.all.used.Add(int64(n)) > r.held.all.Max {
		return n, ErrFull
	}
	return n, err
}
