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

// maxText bounds the texts that describe a failure or a break, in bytes: they quote what the gateway sent.
const maxText = 400

// maxLeaks bounds the list of leaks: a stream can leak the same key in each of its events.
const maxLeaks = 100

// capture is an observation in the making. Everything of the answer goes into it redacted, and is cut only then: a
// secret that straddles the cut would be no secret to the redactor.
type capture struct {
	contract.Observation
	redactor *redact.Redactor
	limit    int // bytes
}

// leaked lists secrets that were found in one place.
func (c *capture) leaked(where string, whats []string) {
	for _, what := range whats {
		leak := contract.Leak{What: what, Where: where}
		if len(c.Leaks) < maxLeaks && !slices.Contains(c.Leaks, leak) {
			c.Leaks = append(c.Leaks, leak)
		}
	}
}

// failure takes in why there is no answer.
func (c *capture) failure(f contract.Failure) {
	detail, found := c.text(f.Detail)
	if f.Kind == contract.Protocol {
		// The other kinds are told in our words and the caller's; only this one quotes the gateway.
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

// head takes in the answer's status and header.
func (c *capture) head(resp *http.Response) {
	c.Status, c.Proto = resp.StatusCode, resp.Proto
	c.Header = make(map[string][]string, len(resp.Header))
	for name, values := range resp.Header {
		shown := name
		if what, found := c.redactor.Named(name); found {
			shown = "[" + what + "]"
			c.leaked("header name", []string{what})
		}
		for _, value := range values {
			_, found := c.redactor.Bytes([]byte(value))
			c.leaked("header "+shown, found)
			c.Header[shown] = append(c.Header[shown], c.redactor.Field(name, value))
		}
	}
	slices.SortFunc(c.Leaks, func(a, b contract.Leak) int { return strings.Compare(a.Where+a.What, b.Where+b.What) })
}

// body takes in what was read after the head.
func (c *capture) body(t taken) {
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
	c.Body = bytes.Clone(clip(clean, c.limit)) // not the whole read, for the sake of a short excerpt
	// Counted after redaction, so that the body was captured whole exactly when it has BodySize bytes.
	c.BodySize = int64(len(clean))
}

// stream takes in a decoded event stream, its events counted from 1, and returns the names of the secrets that its events leaked.
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
