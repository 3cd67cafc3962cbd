package load

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
)

// The header of an answer is kept as it came, one line a field: most of its fields are never asked for.

// lines yields each field of a raw header, trimmed. Lines that are no field have an empty name.
func lines(raw []byte, yield func(name, value []byte) bool) {
	for len(raw) > 0 {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		name, value, found := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(":"))
		if !found {
			name = nil
		}
		if !yield(name, bytes.TrimSpace(value)) {
			return
		}
	}
}

// field is the first value of a field in a raw header.
func field(raw []byte, name string) (value []byte, ok bool) {
	lines(raw, func(n, v []byte) bool {
		// The length first: it parts nearly all names, and costs nothing.
		if len(n) == len(name) && strings.EqualFold(string(n), name) {
			value, ok = v, true
		}
		return !ok
	})
	return value, ok
}

// headerOf is a raw header as net/http has it.
func headerOf(raw []byte) http.Header {
	header := http.Header{}
	lines(raw, func(name, value []byte) bool {
		if len(name) > 0 {
			canonical := textproto.CanonicalMIMEHeaderKey(string(name))
			header[canonical] = append(header[canonical], string(value))
		}
		return true
	})
	return header
}

// speaksOfLimits reports whether a field belongs to what a caller learns about limits: Retry-After, x-ratelimit-*,
// anthropic-ratelimit-*, RateLimit and RateLimit-Policy.
func speaksOfLimits(name []byte) bool {
	const retryAfter = "retry-after"
	return len(name) == len(retryAfter) && strings.EqualFold(string(name), retryAfter) ||
		containsFold(name, "ratelimit") || containsFold(name, "rate-limit")
}

func containsFold(name []byte, part string) bool {
	for i := 0; i+len(part) <= len(name); i++ {
		if name[i]|0x20 == part[0] && strings.EqualFold(string(name[i:i+len(part)]), part) {
			return true
		}
	}
	return false
}

// limitFields are the lines of a raw header that speak of limits, "" for none.
func limitFields(raw []byte) string {
	var out []byte
	lines(raw, func(name, value []byte) bool {
		if speaksOfLimits(name) {
			out = append(append(append(append(out, name...), ": "...), value...), '\n')
		}
		return true
	})
	return string(out)
}
