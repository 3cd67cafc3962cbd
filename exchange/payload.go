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

// payload is a request's body. The padding of an oversize body is a number, not bytes: a body over a gateway's limit
// can be larger than what one wants in memory once for each call.
type payload struct {
	head []byte
	pad  int64 // bytes of filler between head and tail
	tail []byte
	// missing counts the bytes that Content-Length declares and that are never sent.
	missing int64
}

// filler is what an oversize prompt is padded with. JSON leaves it as it is.
const filler = 'x'

// padMark stands for the padding while the body is written as JSON. It is of a private use area, so that no prompt has it.
const padMark = "\uE0FA"

func (p payload) size() int64 { return int64(len(p.head)) + p.pad + int64(len(p.tail)) }

func (p payload) reader() io.Reader {
	if p.pad == 0 {
		// Nothing else. net/http knows this type: an empty one is no body, a full one can be sent again over HTTP/2.
		return bytes.NewReader(p.head)
	}
	return io.MultiReader(bytes.NewReader(p.head), io.LimitReader(fill{}, p.pad), bytes.NewReader(p.tail))
}

// fill is an endless run of filler.
type fill struct{}

func (fill) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = filler
	}
	return len(b), nil
}

// excerpt returns the first bytes of the payload, at most limit, with head and tail redacted before anything is cut.
func (p payload) excerpt(redactor *redact.Redactor, limit int) []byte {
	head, _ := redactor.Bytes(p.head)
	tail, _ := redactor.Bytes(p.tail)
	pad := bytes.Repeat([]byte{filler}, int(min(p.pad, int64(limit))))
	return clip(bytes.Join([][]byte{head, pad, tail}, nil), limit)
}

// halfGzip is the first half of a text's gzip form: nobody can read it to its end, neither by decoding it nor by taking
// it as it is. Plain JSON under Content-Encoding: gzip would not do: a gateway that ignores the field reads it without a fault.
func halfGzip(text []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(text) // a bytes.Buffer takes everything
	_ = w.Close()
	return packed.Bytes()[:packed.Len()/2]
}

// clip returns at most the first limit bytes.
func clip(b []byte, limit int) []byte { return b[:min(len(b), limit)] }

// payloadOf builds the body of a call, its edits and its fault applied, and names its media type.
func payloadOf(call Call) (body payload, mediaType string, err error) {
	prompt := call.Prompt
	if call.Fault == Oversize {
		prompt += padMark
	}
	var tree any = call.Surface.Body(dialect.Ask{Model: call.Model, Prompt: prompt, MaxTokens: cmp.Or(call.MaxTokens, defaultMaxTokens)})
	for _, edit := range call.Edits {
		if tree, err = edit.apply(tree); err != nil {
			return payload{}, "", err
		}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		return payload{}, "", fmt.Errorf("writing the body: %w", err)
	}
	text := bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))

	switch call.Fault {
	case NoFault:
		return payload{head: text}, jsonType, nil
	case BrokenGzip:
		return payload{head: halfGzip(text)}, jsonType, nil
	case ShortBody:
		half := len(text) / 2
		return payload{head: text[:half], missing: int64(len(text) - half)}, jsonType, nil
	case CutJSON:
		return payload{head: text[:len(text)-1]}, jsonType, nil
	case NotJSON:
		return payload{head: []byte("not JSON: " + call.Prompt)}, jsonType, nil
	case FormBody:
		form := url.Values{"model": {call.Model}, "prompt": {call.Prompt}}
		return payload{head: []byte(form.Encode())}, formType, nil
	case Oversize:
		body, err = oversized(text, call.OversizeBytes)
		return body, jsonType, err
	default:
		return payload{}, "", fmt.Errorf("%w: %q is not one of %v", ErrFault, call.Fault, Faults())
	}
}

// oversized puts the padding where the mark stands, so that the body comes to want bytes.
func oversized(text []byte, want int64) (payload, error) {
	head, tail, found := bytes.Cut(text, []byte(padMark))
	if !found {
		return payload{}, fmt.Errorf("%w: %s pads the prompt, and an edit took the prompt away", ErrFault, Oversize)
	}
	pad := want - int64(len(head)+len(tail))
	if pad <= 0 {
		return payload{}, fmt.Errorf("%w: %s wants %d bytes, the body has %d without padding",
			ErrFault, Oversize, want, len(head)+len(tail))
	}
	return payload{head: head, pad: pad, tail: tail}, nil
}
