// Package plain makes hostile text safe to show, and formats lists of words.
package plain

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text makes hostile text safe to show on one line of any terminal or page. It replaces every character that is not printable by its escape, which is
// visible and has no effect: control characters and terminal sequences (\x1b), line ends (\n), bidirectional and zero-width controls (\u202e), and
// invalid UTF-8 (\xff). Nothing is removed silently. The result has at most limit characters; longer text is truncated and ends in "…".
func Text(s string, limit int) string { return plain(s, limit, false) }

// Lines is like [Text], but for text of several lines: it keeps line feeds and tabs.
func Lines(s string, limit int) string { return plain(s, limit, true) }

// Joined returns words as a list: "a, b, c".
func Joined[T ~string](words []T) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

func plain(s string, limit int, lines bool) string {
	var b strings.Builder
	size := 0 // in runes
	for len(s) > 0 {
		r, width := utf8.DecodeRuneInString(s)
		shown := s[:width]
		switch {
		case r == utf8.RuneError && width == 1:
			shown = fmt.Sprintf(`\x%02x`, s[0])
		case lines && (r == '\n' || r == '\t'):
		case !unicode.IsPrint(r):
			shown = escape(r)
		}
		n := utf8.RuneCountInString(shown)
		if size+n > limit || size+n == limit && len(s) > width {
			if limit > 0 {
				b.WriteString("…")
			}
			return b.String()
		}
		b.WriteString(shown)
		size += n
		s = s[width:]
	}
	return b.String()
}

func escape(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// Count returns a number with a noun, for example "1 case", "2 cases" or "2 entries".
func Count[N int | int64 | uint64](n N, noun string) string {
	if n != 1 {
		noun = plural(noun)
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// plural knows nouns that take an s, and those that end in a consonant and y: "gateways", "entries".
func plural(noun string) string {
	stem, found := strings.CutSuffix(noun, "y")
	if !found || stem == "" || strings.ContainsRune("aeiou", rune(stem[len(stem)-1])) {
		return noun + "s"
	}
	return stem + "ies"
}

// Are returns a number with a noun and its verb, for example "1 call is" or "2 calls are".
func Are[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return Count(n, noun) + " is"
	}
	return Count(n, noun) + " are"
}

// Were is [Are] in the past: "1 call was", "2 calls were".
func Were[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return Count(n, noun) + " was"
	}
	return Count(n, noun) + " were"
}

// Duration formats a duration in the usual short form: 15m and 2h, not 15m0s and 2h0m0s.
func Duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Time formats a duration with three digits. A duration of more than 10,000 h, which only a stranger's log can contain, is formatted as a power of
// ten.
func Time(d time.Duration) string {
	if d.Abs() > 10_000*time.Hour {
		return fmt.Sprintf("%.1eh", d.Hours())
	}
	for unit := time.Duration(1); ; unit *= 10 {
		if d.Abs() < 1000*unit {
			return Duration(d.Round(unit))
		}
	}
}
