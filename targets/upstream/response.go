package upstream

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// response is a response as it goes over the wire.
type response struct {
	status int
	header http.Header
	// parts are written one by one, with a gap between them.
	parts [][]byte
	gap   time.Duration
	// flush says that the header and every part are sent at once, which makes the transfer chunked unless there is a
	// Content-Length.
	flush bool
	end   bodyEnd
	// problem is the error in it, nil for none.
	problem []byte
}

// bodyEnd is what follows the last part.
type bodyEnd int

const (
	bodyComplete bodyEnd = iota // a proper end of the transfer
	bodySilent                  // nothing, until the client gives up
	bodyCut                     // the connection closes before the transfer is complete
)

// newResponse is a reply on the wire, with the faults of its transfer.
func newResponse(rep reply, d Directive) response {
	r := response{status: rep.status, header: rep.header.Clone(), parts: [][]byte{rep.body}, gap: d.Events.Gap, problem: rep.problem}
	if rep.stream != nil {
		r.parts, r.flush, r.end = frame(*rep.stream, rep.end, d.Events), true, rep.end
	} else if bodyAllowed(r.status) {
		if d.Gzip {
			r.parts = [][]byte{pack(rep.body)}
			r.header.Set("Content-Encoding", "gzip")
		}
		r.header.Set("Content-Length", strconv.Itoa(len(r.parts[0])))
	}
	whole := bytes.Join(r.parts, nil)
	half := [][]byte{whole[:len(whole)/2]}
	switch d.Ending {
	case Stall:
		if rep.stream == nil {
			r.parts, r.flush, r.end = half, true, bodySilent
		}
	case TruncateLength:
		r.header.Set("Content-Length", strconv.Itoa(len(whole)))
		r.parts, r.flush, r.end = half, true, bodyCut
	case TruncateChunk:
		r.header.Del("Content-Length")
		r.parts, r.flush, r.end = half, true, bodyCut
	case TruncateGzip:
		packed := pack(whole)
		packed = packed[:len(packed)/2]
		r.header.Set("Content-Encoding", "gzip")
		r.header.Set("Content-Length", strconv.Itoa(len(packed)))
		r.parts = [][]byte{packed}
	default: // the other endings have no response, or have shortened the stream already
	}
	r.addFields(d)
	return r
}

// addFields adds the header fields of a directive. The first field of a name replaces what was set before.
func (r *response) addFields(d Directive) {
	fields := d.Headers
	if d.RetryAfter != "" {
		fields = append([]Header{{"Retry-After", d.RetryAfter}}, fields...)
	}
	for _, f := range fields {
		r.header.Del(f.Name)
	}
	for _, f := range fields {
		r.header.Add(f.Name, f.Value)
	}
}

// frame returns each event as one part. A complete JSON array has one more: its closing bracket.
func frame(s dialect.Stream, end bodyEnd, faults EventFaults) [][]byte {
	parts := make([][]byte, 0, len(s.Events)+1)
	if !s.Array {
		for _, e := range s.Events {
			parts = append(parts, frameEvent(e, faults))
		}
		return parts
	}
	separator := "["
	for _, e := range s.Events {
		parts = append(parts, append([]byte(separator), e.Data...))
		separator = ",\r\n"
	}
	switch {
	case end != bodyComplete:
		return parts
	case len(s.Events) == 0:
		return append(parts, []byte("[]"))
	default:
		return append(parts, []byte("]"))
	}
}

// frameEvent returns a server-sent event as bytes (WHATWG HTML 9.2.6).
func frameEvent(e dialect.Event, faults EventFaults) []byte {
	text := e.Bytes()
	if faults.Comments {
		text = append([]byte(": keep-alive\n\n"), text...)
	}
	if faults.CRLF {
		return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	return text
}

// pack compresses with gzip. Writing to memory cannot fail.
func pack(plain []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(plain)
	_ = w.Close()
	return packed.Bytes()
}
