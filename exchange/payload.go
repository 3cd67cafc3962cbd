package exchange

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// payload is the body of a request. The padding of an oversize body is a number, not bytes: a body over a gateway's limit
// can be too large to be kept in memory for every call.
type payload struct {
	head []byte
	pad  int64 // bytes of filler between head and tail
	tail []byte
	// missing is the number of bytes that Content-Length declares and that are never sent.
	missing int64
	// form is what a multipart form without a fault was made of, and shown is a form as people can read it; nil for other bodies.
	form  dialect.Object
	shown []byte
}

// filler pads an oversize prompt. JSON does not escape it.
const filler = 'x'

// padMark stands for the padding while the body is encoded. It is in a private use area of Unicode, so that no prompt has it.
const padMark = "\uE0FA"

func (p payload) size() int64 { return int64(len(p.head)) + p.pad + int64(len(p.tail)) }

func (p payload) reader() io.Reader {
	if p.pad == 0 {
		// net/http knows this type: an empty one means no body, and another one can be sent again over HTTP/2.
		return bytes.NewReader(p.head)
	}
	return io.MultiReader(bytes.NewReader(p.head), io.LimitReader(fillReader{}, p.pad), bytes.NewReader(p.tail))
}

type fillReader struct{}

func (fillReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = filler
	}
	return len(b), nil
}

// excerpt returns at most limit bytes from the beginning of the payload, redacted before it is cut.
func (p payload) excerpt(redactor *redact.Redactor, limit int) []byte {
	if p.shown != nil {
		shown, _ := redactor.Bytes(p.shown)
		return clip(shown, limit)
	}
	head, _ := redactor.Bytes(p.head)
	tail, _ := redactor.Bytes(p.tail)
	pad := bytes.Repeat([]byte{filler}, int(min(p.pad, int64(limit))))
	return clip(bytes.Join([][]byte{head, pad, tail}, nil), limit)
}

// halfGzip returns the first half of the compressed text. It can be read neither as gzip nor as JSON. Plain JSON under
// Content-Encoding: gzip would not do: a gateway that ignores the field reads it without an error.
func halfGzip(text []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(text) // writing to a bytes.Buffer never fails
	_ = w.Close()
	return packed.Bytes()[:packed.Len()/2]
}

func clip(b []byte, limit int) []byte { return b[:min(len(b), limit)] }

// buildPayload builds the body of a call with its edits and its fault, and returns its media type too.
func buildPayload(call Call) (body payload, mediaType string, err error) {
	prompt := call.Prompt
	if call.Fault == Oversize {
		prompt += padMark
	}
	object := call.Surface.Body(dialect.Ask{Model: call.Model, Prompt: prompt, MaxTokens: cmp.Or(call.MaxTokens, maxTokens)})
	var tree any = object
	for _, edit := range call.Edits {
		if tree, err = edit.apply(tree); err != nil {
			return payload{}, "", err
		}
	}
	if call.Surface.TakesForm() {
		return buildForm(call, object) // an edit changes the object in place
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		return payload{}, "", fmt.Errorf("encode the body: %w", err)
	}
	text := bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))

	switch call.Fault {
	case CutJSON:
		return payload{head: text[:len(text)-1]}, jsonType, nil
	case NotJSON:
		return payload{head: []byte("not JSON: " + call.Prompt)}, jsonType, nil
	case TextAfter:
		return payload{head: append(text, " and so on"...)}, jsonType, nil
	case FormBody:
		form := url.Values{"model": {call.Model}, "prompt": {call.Prompt}}
		return payload{head: []byte(form.Encode())}, formType, nil
	default:
		body, err = withFault(call, text)
		return body, jsonType, err
	}
}

// withFault applies the faults that a body of any kind can have.
func withFault(call Call, text []byte) (payload, error) {
	switch call.Fault {
	case NoFault:
		return payload{head: text}, nil
	case BrokenGzip:
		return payload{head: halfGzip(text)}, nil
	case ShortBody:
		half := len(text) / 2
		return payload{head: text[:half], missing: int64(len(text) - half)}, nil
	case Oversize:
		return padded(text, call.OversizeBytes)
	default:
		return payload{}, fmt.Errorf("%w: %q is not one of %v, or does not apply to the endpoint %s", ErrFault, call.Fault, Faults(), call.Surface)
	}
}

// padded replaces the mark by padding, so that the body has want bytes.
func padded(text []byte, want int64) (payload, error) {
	head, tail, found := bytes.Cut(text, []byte(padMark))
	if !found {
		return payload{}, fmt.Errorf("%w: %s needs a prompt to pad, but an edit of the request removed the prompt", ErrFault, Oversize)
	}
	pad := want - int64(len(head)+len(tail))
	if pad <= 0 {
		return payload{}, fmt.Errorf("%w: %s should pad the body to %d bytes, but the body already has %d",
			ErrFault, Oversize, want, len(head)+len(tail))
	}
	return payload{head: head, pad: pad, tail: tail}, nil
}
