package redact

import (
	"bytes"
	"html"
	"strconv"
)

// maxEscapes bounds how many layers of escapes are undone: JSON in JSON in a URL makes three.
const maxEscapes = 3

// unescaped is the content without the escapes of URLs, JSON and HTML, and for each byte of it, and the end, its place in
// the content. ok is false when there are none.
func unescaped(content []byte) (text []byte, at []int, ok bool) {
	text = content
	for range maxEscapes {
		next, places, changed := unescapedOnce(text)
		if !changed {
			break
		}
		if at != nil {
			for i, p := range places {
				places[i] = at[p]
			}
		}
		text, at, ok = next, places, true
	}
	return text, at, ok
}

func unescapedOnce(content []byte) (text []byte, at []int, changed bool) {
	if !bytes.ContainsAny(content, `%\&`) {
		return content, nil, false
	}
	for i := 0; i < len(content); {
		b, size := unescapedAt(content[i:])
		text, at = append(text, b), append(at, i)
		changed = changed || size > 1
		i += size
	}
	return text, append(at, len(content)), changed
}

// unescapedAt is the byte at the beginning of the content, which is not empty, and the length of its escape.
func unescapedAt(content []byte) (b byte, size int) {
	hexByte := func(from, digits int) (byte, bool) {
		if len(content) < from+digits {
			return 0, false
		}
		n, err := strconv.ParseUint(string(content[from:from+digits]), 16, 32)
		return byte(n), err == nil && n < 0x80 //nolint:gosec // n is below 0x80 where it counts
	}
	switch {
	case content[0] == '%':
		if b, ok := hexByte(1, 2); ok {
			return b, 3
		}
	case content[0] == '\\' && len(content) > 1:
		switch content[1] {
		case 'u':
			if b, ok := hexByte(2, 4); ok {
				return b, 6
			}
		case 'x':
			if b, ok := hexByte(2, 2); ok {
				return b, 4
			}
		case '/', '\\', '"', '\'':
			return content[1], 2
		}
	case content[0] == '&':
		// The longest entity of an ASCII character that matters, &#x0002d;, has 9 bytes.
		if end := bytes.IndexByte(content[:min(len(content), 10)], ';'); end > 0 {
			if text := html.UnescapeString(string(content[:end+1])); len(text) == 1 {
				return text[0], end + 1
			}
		}
	}
	return content[0], 1
}
