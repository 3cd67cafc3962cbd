// Package bounded limits how many connections clients can keep open at a server and how many bytes they can make it buffer.
package bounded

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Connections limits the open connections of an [http.Server]. The zero value admits none.
type Connections struct {
	Max  int64
	open atomic.Int64
}

// ConnState closes a new connection if Max connections are open. Set it as [http.Server.ConnState].
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

// ErrFull is returned by a reader if all bytes are in use.
var ErrFull = errors.New("the requests in progress use too much memory")

// Bytes limits the number of bytes that are buffered for all clients together.
type Bytes struct {
	Max  int64
	used atomic.Int64
}

// Hold begins to count the bytes of one client. The caller must release them.
func (b *Bytes) Hold() *Held { return &Held{all: b} }

// Held counts the bytes that one client uses. It is not safe for concurrent use.
type Held struct {
	all *Bytes
	n   int64
}

// Reader returns a reader that counts the bytes read. Its Read returns [ErrFull] if the bytes of all clients together exceed [Bytes].Max.
func (h *Held) Reader(r io.Reader) io.Reader { return heldReader{r, h} }

// Release releases all bytes that were read.
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
