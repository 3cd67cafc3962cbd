package upstream

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// script is an answer as it goes over the wire.
type script struct {
	status int
	header http.Header
	// pieces are written one by one, with a gap between them.
	pieces [][]byte
	gap    time.Duration
	// flushed says that the head and every piece leave at once, which makes the transfer chunked unless the header
	// has a Content-Length.
	flushed bool
	final   final
}

// final is what follows the last piece.
type final int

const (
	orderly final = iota // the transfer ends as it should
	silence              // nothing, until the other side gives up
	breach               // the connection closes in mid-transfer
)

// newScript lays out a reply on the wire, with the faults of its transfer.
func newScript(rep reply, d Directive) script {
	s := script{status: rep.status, header: rep.header.Clone(), pieces: [][]byte{rep.body}, gap: d.Gap}
	if rep.stream != nil {
		s.pieces, s.flushed, s.final = frame(*rep.stream, rep.final, d), true, rep.final
	} else if bodyAllowed(s.status) {
		s.header.Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	whole := bytes.Join(s.pieces, nil)
	half := [][]byte{whole[:len(whole)/2]}
	switch d.Ending {
	case Stall:
		if rep.stream == nil {
			s.pieces, s.flushed, s.final = half, true, silence
		}
	case TruncateLength:
		s.header.Set("Content-Length", strconv.Itoa(len(whole)))
		s.pieces, s.flushed, s.final = half, true, breach
	case TruncateChunk:
		s.header.Del("Content-Length")
		s.pieces, s.flushed, s.final = half, true, breach
	case TruncateGzip:
		packed := pack(whole)
		packed = packed[:len(packed)/2]
		s.header.Set("Content-Encoding", "gzip")
		s.header.Set("Content-Length", strconv.Itoa(len(packed)))
		s.pieces = [][]byte{packed}
	default: // the other endings have no head, or have shortened the stream already
	}
	s.addFields(d)
	return s
}

// addFields comes last, so that a directive can replace what was set: a first field of a name replaces, more add.
func (s *script) addFields(d Directive) {
	fields := d.Headers
	if d.RetryAfter != "" {
		fields = append([]Header{{"Retry-After", d.RetryAfter}}, fields...)
	}
	for _, f := range fields {
		s.header.Del(f.Name)
	}
	for _, f := range fields {
		s.header.Add(f.Name, f.Value)
	}
}

// frame renders each event as one piece. A JSON array that ends in order has one more: its closing bracket.
func frame(s dialect.Stream, end final, d Directive) [][]byte {
	pieces := make([][]byte, 0, len(s.Events)+1)
	if !s.Array {
		for _, e := range s.Events {
			pieces = append(pieces, frameEvent(e, d))
		}
		return pieces
	}
	separator := "["
	for _, e := range s.Events {
		pieces = append(pieces, append([]byte(separator), e.Data...))
		separator = ",\r\n"
	}
	switch {
	case end != orderly:
		return pieces
	case len(s.Events) == 0:
		return append(pieces, []byte("[]"))
	default:
		return append(pieces, []byte("]"))
	}
}

// frameEvent renders the event as WHATWG HTML 9.2.6 has it.
func frameEvent(e dialect.Event, d Directive) []byte {
	var text strings.Builder
	if d.Comments {
		text.WriteString(": keep-alive\n\n")
	}
	if e.Name != "" {
		text.WriteString("event: " + e.Name + "\n")
	}
	text.WriteString("data: ")
	text.Write(e.Data)
	text.WriteString("\n\n")
	if d.CRLF {
		return []byte(strings.ReplaceAll(text.String(), "\n", "\r\n"))
	}
	return []byte(text.String())
}

// pack compresses into memory, which cannot fail.
func pack(plain []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(plain)
	_ = w.Close()
	return packed.Bytes()
}
