package secondgateway

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Answer is a response before it is sent.
type Answer struct {
	Status int
	// Fields are the header fields in order, with their names spelled as on the wire. The fields of the framing are added when the response is sent.
	Fields []Field
	// Body is the body of a response that is not a stream.
	Body []byte
	// Events are sent instead of Body.
	Events []Event
	// Gzip compresses the body. A client that sends no Accept-Encoding accepts this (RFC 9110 12.5.3).
	Gzip bool
	// BreakOff closes the connection in the middle of the announced content.
	BreakOff bool
	// Nothing closes the connection without a response.
	Nothing bool
}

// Field is a header field.
type Field struct{ Name, Value string }

// Event is an event of a stream. Data is JSON, or "[DONE]".
type Event struct {
	Name string
	Data []byte
}

// Add adds a header field.
func (a *Answer) Add(name, value string) { a.Fields = append(a.Fields, Field{name, value}) }

// Set replaces all header fields with a name. An empty value removes them.
func (a *Answer) Set(name, value string) {
	a.Fields = slices.DeleteFunc(a.Fields, func(f Field) bool { return strings.EqualFold(f.Name, name) })
	if value != "" {
		a.Add(name, value)
	}
}

// content is the body as bytes.
func (a *Answer) content(format string) []byte {
	if a.Events == nil && !a.Gzip {
		return a.Body
	}
	if a.Gzip {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		_, _ = writer.Write(a.Body) // to memory
		_ = writer.Close()
		return packed.Bytes()
	}
	all := []byte(": everything at once\r\nretry: 1500\r\n\r\n")
	for i, e := range a.Events {
		all = append(all, e.bytes(format, i)...)
	}
	return all
}

// bytes is the event on the wire. Gemini's are indented, which makes them many lines of data.
func (e Event) bytes(format string, number int) []byte {
	var out bytes.Buffer
	if e.Name != "" {
		fmt.Fprintf(&out, "event:%s\r\n", e.Name)
	}
	data := e.Data
	var indented bytes.Buffer
	if format == gemini && json.Indent(&indented, data, "", "  ") == nil {
		data = indented.Bytes()
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		fmt.Fprintf(&out, "data:%s\r\n", line)
	}
	fmt.Fprintf(&out, "id:%d\r\n\r\n", number)
	return out.Bytes()
}

// send writes the answer and closes the connection, as every answer of this gateway does. OpenAI's callers get a
// Content-Length, Anthropic's chunks after an interim answer, and Gemini's an answer of HTTP/1.0 that ends with the connection.
func (a *Answer) send(w http.ResponseWriter, format string) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the connection is gone
	}
	defer func() { _ = connection.Close() }() // there is nothing to tell the client any more
	if a.Nothing {
		return
	}
	content := a.content(format)
	whole := len(content)
	if a.BreakOff {
		content = content[:whole/2]
	}
	var out bytes.Buffer
	version, fields := "HTTP/1.1", slices.Clone(a.Fields)
	switch format {
	case openAI:
		fields = append(fields, Field{"Connection", "close"}, Field{"CONTENT-LENGTH", fmt.Sprint(whole)})
	case anthropic:
		out.WriteString("HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
		fields = append(fields, Field{"connection", "Close"}, Field{"transfer-encoding", "chunked"}, Field{"trailer", "x-took"})
	default:
		version = "HTTP/1.0"
		if a.Gzip {
			fields = append(fields, Field{"content-encoding", "gzip"})
		}
		if a.BreakOff {
			fields = append(fields, Field{"content-length", fmt.Sprint(whole)})
		}
	}
	fmt.Fprintf(&out, "%s %d %s\r\n", version, a.Status, strings.ToUpper(http.StatusText(a.Status)))
	for _, f := range fields {
		fmt.Fprintf(&out, "%s: %s\r\n", f.Name, f.Value)
	}
	out.WriteString("\r\n")
	if format != anthropic {
		out.Write(content)
	} else {
		for part := range slices.Chunk(content, 1000) {
			fmt.Fprintf(&out, "%04X;lane=blue\r\n%s\r\n", len(part), part)
		}
		if !a.BreakOff {
			out.WriteString("0\r\nx-took: 1\r\n\r\n")
		}
	}
	_, _ = connection.Write(out.Bytes()) // a caller who has left does not mind
}
