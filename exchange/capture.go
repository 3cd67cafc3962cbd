package exchange

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// maxText bounds the texts that describe a failure, in bytes: they quote what the gateway sent.
const maxText = 400

// maxLeaks bounds the list of leaks: a stream can leak the same key in each of its events.
const maxLeaks = 100

// capture builds an observation. Everything in an answer is redacted before it is cut: the redactor would not find a
// secret that the cut divides.
type capture struct {
	contract.Observation
	redactor *redact.Redactor
	limit    int // bytes
}

// leaked adds secrets that were found in one place.
func (c *capture) leaked(where string, whats []string) {
	for _, what := range whats {
		leak := contract.Leak{What: what, Where: where}
		if len(c.Leaks) < maxLeaks && !slices.Contains(c.Leaks, leak) {
			c.Leaks = append(c.Leaks, leak)
		}
	}
}

// failure records why there is no answer.
func (c *capture) failure(f contract.Failure) {
	detail, found := c.text(f.Detail)
	if f.Kind == contract.Protocol {
		// Only this kind quotes the gateway.
		c.leaked("failure", found)
	}
	c.Failure = &contract.Failure{Kind: f.Kind, Detail: detail}
}

func (c *capture) text(sentence string) (clean string, found []string) {
	redacted, found := c.redactor.Bytes([]byte(sentence))
	if len(redacted) > maxText {
		return strings.ToValidUTF8(string(redacted[:maxText]), "") + "…", found
	}
	return string(redacted), found
}

// head records the answer's status and header.
func (c *capture) head(resp *http.Response) {
	c.Status, c.Proto = resp.StatusCode, resp.Proto
	c.Header = make(map[string][]string, len(resp.Header))
	for name, values := range resp.Header {
		field := name
		if what, found := c.redactor.Named(name); found {
			field = "[" + what + "]"
			c.leaked("header name", []string{what})
		}
		for _, value := range values {
			_, found := c.redactor.Bytes([]byte(value))
			c.leaked("header "+field, found)
			c.Header[field] = append(c.Header[field], c.redactor.Field(name, value))
		}
	}
	slices.SortFunc(c.Leaks, func(a, b contract.Leak) int { return strings.Compare(a.Where+a.What, b.Where+b.What) })
}

// body records what was read after the head.
func (c *capture) body(t readResult) {
	c.Cut = t.cut
	if t.broken != "" {
		text, found := c.text(t.broken)
		c.TransferError = text
		c.leaked("broken transfer", found)
	}
	redact := c.redactor.Bytes
	if t.cut != "" || t.broken != "" {
		redact = c.redactor.OpenBytes
	}
	inEvents := c.stream(t.stream, redact)
	clean, found := redact(t.body)
	c.leaked("body", slices.DeleteFunc(found, func(what string) bool { return slices.Contains(inEvents, what) }))
	c.Body = bytes.Clone(clip(clean, c.limit)) // a copy, so that the whole body can be freed
	// Counted after redaction: the body was captured whole exactly when it has BodySize bytes.
	c.BodySize = int64(len(clean))
}

// stream records a decoded event stream, with events counted from 1, and returns the names of the secrets that they leaked.
func (c *capture) stream(d *decoder, redact func([]byte) ([]byte, []string)) (leaked []string) {
	if d == nil {
		return nil
	}
	for i := range d.events {
		event := &d.events[i]
		name, inName := c.redactor.Bytes([]byte(event.Name))
		data, inData := c.redactor.Bytes(event.Data)
		event.Name, event.Data = string(name), data
		found := slices.Concat(inName, inData)
		c.leaked("event "+strconv.Itoa(i+1), found)
		leaked = append(leaked, found...)
	}
	partial, found := redact(d.partial())
	c.leaked("unfinished event", found)
	c.Stream = &contract.Stream{Events: d.events, Violations: d.describe(c.redactor), Partial: clip(partial, c.limit)}
	if len(d.events) > 0 {
		c.Timing.FirstEvent = d.events[0].At
	}
	return append(leaked, found...)
}
