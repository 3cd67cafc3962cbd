package exchange

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// maxText bounds the texts that describe a failure or a broken transfer, in bytes: they quote what the gateway sent.
const maxText = 400

// maxLeaks bounds the list of leaks: a stream can leak the same key in each of its events.
const maxLeaks = 100

// recorder builds an observation. It redacts everything of the answer before it cuts anything: the redactor would not
// recognise a secret that is cut in two.
type recorder struct {
	contract.Observation
	redactor *redact.Redactor
	maxBody  int // bytes
}

// keptBody bounds the body that the observation keeps. An error is judged by all of its body that was read, which
// [Limits.Body] bounds: clipped, it would look like JSON that is cut off.
func (r *recorder) keptBody(size int) int {
	if r.Status >= http.StatusBadRequest {
		return size
	}
	return r.maxBody
}

func (r *recorder) recordLeaks(where string, whats []string) {
	for _, what := range whats {
		leak := contract.Leak{What: what, Where: where}
		if len(r.Leaks) < maxLeaks && !slices.Contains(r.Leaks, leak) {
			r.Leaks = append(r.Leaks, leak)
		}
	}
}

func (r *recorder) recordFailure(f contract.Failure) {
	detail, found := r.redactText(f.Detail)
	if f.Kind == contract.Protocol {
		// Only this kind quotes the gateway; the details of the others are our own words and the URL of the call.
		r.recordLeaks("failure", found)
	}
	r.Failure = &contract.Failure{Kind: f.Kind, Detail: detail}
}

func (r *recorder) redactText(sentence string) (clean string, found []string) {
	redacted, found := r.redactor.Bytes([]byte(sentence))
	if len(redacted) > maxText {
		return strings.ToValidUTF8(string(redacted[:maxText]), "") + "…", found
	}
	return string(redacted), found
}

func (r *recorder) recordHead(resp *http.Response) {
	r.Status, r.Proto = resp.StatusCode, resp.Proto
	r.Header = make(map[string][]string, len(resp.Header))
	for name, values := range resp.Header {
		shown := name
		if what, found := r.redactor.Named(name); found {
			shown = "[" + what + "]"
			r.recordLeaks("header name", r.redactor.Reported([]string{what}))
		}
		for _, value := range values {
			_, found := r.redactor.Bytes([]byte(value))
			r.recordLeaks("header "+shown, found)
			r.Header[shown] = append(r.Header[shown], r.redactor.Field(name, value))
		}
	}
	slices.SortFunc(r.Leaks, func(a, b contract.Leak) int { return strings.Compare(a.Where+a.What, b.Where+b.What) })
}

func (r *recorder) recordBody(t answerBody) {
	r.Cut = t.cut
	if t.transferError != "" {
		text, found := r.redactText(t.transferError)
		r.TransferError = text
		r.recordLeaks("broken transfer", found)
	}
	redact := r.redactor.Bytes
	if t.cut != "" || t.transferError != "" {
		redact = r.redactor.OpenBytes
	}
	inEvents := r.recordStream(t.stream, redact)
	clean, found := redact(t.body)
	if r.Stream != nil {
		clean = r.recordSplitSecrets(r.Stream.Events, clean)
	}
	r.recordLeaks("body", slices.DeleteFunc(found, func(what string) bool { return slices.Contains(inEvents, what) }))
	// Counted after redaction, so that a body of BodySize bytes is a body that was kept whole.
	r.BodySize = int64(len(clean))
	if r.Stream == nil && IsMedia(strings.Join(r.Header["Content-Type"], ","), clean) {
		r.BodyDigest = fmt.Sprintf("%x", sha256.Sum256(clean))
		return
	}
	r.Body = bytes.Clone(clip(clean, r.keptBody(len(clean)))) // a copy, so that a short excerpt does not keep the whole body in memory
}

// IsMedia reports whether a body really has the audio or image media type that it claims, and is not text with a wrong media type.
func IsMedia(contentType string, body []byte) bool {
	kind := strings.ToLower(strings.TrimSpace(contentType))
	named := strings.HasPrefix(kind, "audio/") || strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "video/") ||
		strings.HasPrefix(kind, "application/octet-stream")
	return named && len(body) > 0 && (!utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0)
}

// recordStream records a decoded event stream and returns the names of the secrets that its events leaked. Events count
// from 1.
func (r *recorder) recordStream(d *eventDecoder, redact func([]byte) ([]byte, []string)) (leaked []string) {
	if d == nil {
		return nil
	}
	for i := range d.events {
		event := &d.events[i]
		name, inName := r.redactor.Bytes([]byte(event.Name))
		data, inData := r.redactor.Bytes(event.Data)
		event.Name, event.Data = string(name), data
		found := slices.Concat(inName, inData)
		r.recordLeaks("event "+strconv.Itoa(i+1), found)
		leaked = append(leaked, found...)
	}
	partial, found := redact(d.partial())
	r.recordLeaks("unfinished event", found)
	r.Stream = &contract.Stream{Events: d.events, Violations: d.describe(r.redactor), Partial: clip(partial, r.maxBody)}
	if len(d.events) > 0 {
		r.Timing.FirstEvent = d.events[0].At
	}
	return append(leaked, found...)
}
