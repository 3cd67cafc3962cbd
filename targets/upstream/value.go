package upstream

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func validToken(s string) bool { return len(s) <= maxToken && plainName(s) }

// plainName reports whether s has only characters that no encoding on the way escapes.
func plainName(s string) bool {
	for _, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
		if !plain {
			return false
		}
	}
	return s != ""
}

func number(value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is not a whole number from %d to %d", clip(value), low, high)
	}
	return n, nil
}

func unescape(value string, valid func(string) bool) (string, error) {
	text, err := url.QueryUnescape(value)
	if err != nil || !valid(text) {
		return "", fmt.Errorf("%q is not URL-encoded text, or decodes to characters that are not allowed here", clip(value))
	}
	return text, nil
}

func plainText(s string) bool { return utf8.ValidString(s) }

// fieldValue reports whether s is valid in a header field (RFC 9110 5.5).
func fieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// framing reports whether a header field decides where the message ends, which only the endings may.
func framing(name string) bool {
	return slices.ContainsFunc([]string{"Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade"},
		func(f string) bool { return strings.EqualFold(f, name) })
}

// clip shortens a text to what an error message repeats of it.
func clip(text string) string {
	const most = 60 // bytes
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
