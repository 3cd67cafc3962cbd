package reports

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
)

// bounds limit how much of one observation is in a report. The log has all of it.
type bounds struct {
	body   int // bytes of a body, of an event's data, and of all events together
	text   int // bytes of any other string
	fields int // header fields
	events int // events of a stream, and attempts at the upstream
}

// clipper cuts to its bounds. cut is set when it had to.
type clipper struct {
	bounds
	cut bool
}

func (c *clipper) string(s string) string {
	short := s[:boundary(s, c.text)]
	if len(short) == len(s) {
		return s
	}
	c.cut = true
	return strings.Clone(short) + "…"
}

func (c *clipper) bytes(b contract.Bytes, limit int) contract.Bytes {
	n := boundary(b, limit)
	if n < len(b) {
		c.cut = true
	}
	return b[:n]
}

// boundary is the greatest length up to limit that does not split a character.
func boundary[T string | contract.Bytes](s T, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	for n := limit; n > limit-utf8.UTFMax && n > 0; n-- {
		if utf8.RuneStart(s[n]) {
			return n
		}
	}
	return limit
}

func clipped[T any](c *clipper, list []T, limit int) []T {
	if len(list) <= limit {
		return list
	}
	c.cut = true
	return list[:limit]
}

func (c *clipper) header(h map[string][]string) map[string][]string {
	if h == nil {
		return nil
	}
	out := make(map[string][]string, min(len(h), c.fields))
	for _, name := range clipped(c, slices.Sorted(maps.Keys(h)), c.fields) {
		values := make([]string, 0, len(h[name]))
		for _, v := range clipped(c, h[name], c.fields) {
			values = append(values, c.string(v))
		}
		out[c.string(name)] = values
	}
	return out
}

// observation returns a copy within the bounds. It does not change o.
func (c *clipper) observation(o *contract.Observation) *contract.Observation {
	if o == nil {
		return nil
	}
	out := *o
	out.Sent.Header = c.header(o.Sent.Header)
	out.Sent.Body = c.bytes(o.Sent.Body, c.body)
	out.Sent.URL = c.string(o.Sent.URL)
	out.Sent.Curl = c.string(o.Sent.Curl)
	out.Header = c.header(o.Header)
	out.Body = c.bytes(o.Body, c.body)
	out.BodyDigest = c.string(o.BodyDigest)
	out.TransferError = c.string(o.TransferError)
	out.Cut = c.string(o.Cut)
	out.Stream = c.stream(o.Stream)
	out.Leaks = clipped(c, o.Leaks, c.events)
	if o.Failure != nil {
		out.Failure = &contract.Failure{Kind: o.Failure.Kind, Detail: c.string(o.Failure.Detail)}
	}
	if o.Upstream != nil {
		out.Upstream = &contract.Seen{}
		for _, a := range clipped(c, o.Upstream.Attempts, c.events) {
			a.Path, a.Model, a.TraceParent = c.string(a.Path), c.string(a.Model), c.string(a.TraceParent)
			out.Upstream.Attempts = append(out.Upstream.Attempts, a)
		}
	}
	return &out
}

func (c *clipper) stream(s *contract.Stream) *contract.Stream {
	if s == nil {
		return nil
	}
	out := contract.Stream{Violations: clipped(c, s.Violations, c.events), Partial: c.bytes(s.Partial, c.body)}
	room := c.body
	for _, e := range clipped(c, s.Events, c.events) {
		e.Name = c.string(e.Name)
		e.Data = c.bytes(e.Data, room)
		room -= len(e.Data)
		out.Events = append(out.Events, e)
	}
	return &out
}
