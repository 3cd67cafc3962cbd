package upstream

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"time"
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
		s.pieces, s.flushed, s.final = rep.stream.frame(d), true, rep.stream.final
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
func (s stream) frame(d Directive) [][]byte {
	pieces := make([][]byte, 0, len(s.events)+1)
	if !s.array {
		for _, e := range s.events {
			pieces = append(pieces, e.frame(d.CRLF, d.Comments))
		}
		return pieces
	}
	separator := "["
	for _, e := range s.events {
		pieces = append(pieces, append([]byte(separator), e.data...))
		separator = ",\r\n"
	}
	switch {
	case s.final != orderly:
		return pieces
	case len(s.events) == 0:
		return append(pieces, []byte("[]"))
	default:
		return append(pieces, []byte("]"))
	}
}

// frame renders the event as WHATWG HTML 9.2.6 has it.
func (e event) frame(crlf, comment bool) []byte {
	var text strings.Builder
	if comment {
		text.WriteString(": keep-alive\n\n")
	}
	if e.name != "" {
		text.WriteString("event: " + e.name + "\n")
	}
	text.WriteString("data: ")
	text.Write(e.data)
	text.WriteString("\n\n")
	if crlf {
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
