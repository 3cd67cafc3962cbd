package load

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
)

// The header of a response is kept as it came: most of its fields are never looked at.

// eachField yields each field of a raw header, without surrounding space. A line that is not a field has an empty name.
func eachField(raw []byte, yield func(name, value []byte) bool) {
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

// field returns the first value of a field in a raw header.
func field(raw []byte, name string) (value []byte, ok bool) {
	eachField(raw, func(n, v []byte) bool {
		// Nearly all names differ in length, which costs nothing to compare.
		if len(n) == len(name) && strings.EqualFold(string(n), name) {
			value, ok = v, true
		}
		return !ok
	})
	return value, ok
}

func parseHeader(raw []byte) http.Header {
	header := http.Header{}
	eachField(raw, func(name, value []byte) bool {
		if len(name) > 0 {
			canonical := textproto.CanonicalMIMEHeaderKey(string(name))
			header[canonical] = append(header[canonical], string(value))
		}
		return true
	})
	return header
}

func containsFold(name []byte, part string) bool {
	for i := 0; i+len(part) <= len(name); i++ {
		if name[i]|0x20 == part[0] && strings.EqualFold(string(name[i:i+len(part)]), part) {
			return true
		}
	}
	return false
}
