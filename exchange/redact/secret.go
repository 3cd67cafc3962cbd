package redact

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"unicode"
)

// Secret is a value that reports must not show, and the name that replaces it.
type Secret struct {
	// What is the name of the secret, such as "caller key", "upstream key" or "upstream address".
	What  string
	Value string
	// Echo is set for a value that is sent to the gateway under a name that does not mark a credential, such as a tenant. A response may repeat such
	// a value: it is redacted like other secrets, but not reported.
	Echo bool
}

// Lengths in bytes.
const (
	// MinLength is the length of the shortest secret that is searched for. Shorter values would match parts of ordinary words.
	MinLength = 6
	// minEncoded is the length from which the digest and the encodings of a secret are searched for too.
	minEncoded = 8
	// minWord is the length from which a value of letters alone, or digits alone, does not occur as an everyday word or number.
	minWord = 16
	// minAnywhere and minMixed are the lengths from which a secret is found in the middle of a word too, whatever it
	// consists of, and where it mixes letters, digits and others: by accident it stands nowhere.
	minAnywhere = 20
	minMixed    = 10
)

// Weak reports whether a secret cannot be searched for in responses because it is short, a word or a number, and would match ordinary text.
func (s Secret) Weak() bool {
	return len(s.Value) < MinLength || s.classes() == 1 && len(s.Value) < minWord
}

// Mixed reports whether a secret is neither a word nor a number.
func (s Secret) Mixed() bool { return s.classes() > 1 }

// Strong splits secrets into those that can be searched for in responses and the weak ones.
func Strong(secrets []Secret) (strong, weak []Secret) {
	for _, s := range secrets {
		if s.Weak() {
			weak = append(weak, s)
		} else {
			strong = append(strong, s)
		}
	}
	return strong, weak
}

// classes counts the kinds of characters in the value: letters, digits, others.
func (s Secret) classes() int {
	var letters, digits, others int
	for _, r := range s.Value {
		switch {
		case unicode.IsLetter(r):
			letters = 1
		case unicode.IsDigit(r):
			digits = 1
		default:
			others = 1
		}
	}
	return letters + digits + others
}

// anywhere reports whether the secret is found in the middle of a word too.
func (s Secret) anywhere() bool {
	return len(s.Value) >= minAnywhere || s.classes() == 3 && len(s.Value) >= minMixed
}

// needle is one form of a secret, in lower case.
type needle struct {
	value []byte
	what  string
	// token says that it is found as a whole token only.
	token bool
}

// forms returns the forms in which a gateway may return a secret, some of them twice. Escapes are not among them: they are
// undone in the content.
func forms(secret Secret) []needle {
	value := []byte(secret.Value)
	if len(value) < MinLength {
		return nil
	}
	form := func(text, what string, token bool) needle { return needle{folded([]byte(text)), what, token} }
	out := []needle{form(secret.Value, secret.What, !secret.anywhere())}
	if len(value) < minEncoded {
		return out
	}
	digest := sha256.Sum256(value)
	out = append(out, form(hex.EncodeToString(digest[:]), secret.What+" (SHA-256)", false))
	for _, text := range []string{
		hex.EncodeToString(value),
		// Without padding: the padding discloses nothing.
		base64.RawStdEncoding.EncodeToString(value),
		base64.RawURLEncoding.EncodeToString(value),
		url.QueryEscape(secret.Value), // a plus stands for a space in queries only, so that it is not undone as an escape
	} {
		out = append(out, form(text, secret.What, text == secret.Value && !secret.anywhere()))
	}
	for offset := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if text := encodedInside(encoding, value, offset); len(text) >= minEncoded {
				out = append(out, form(text, secret.What, false))
			}
		}
	}
	return out
}

// encodedInside is what is left of a value in the base64 of a longer text in which it stands at an offset, modulo 3,
// without the characters that depend on what surrounds it.
func encodedInside(encoding *base64.Encoding, value []byte, offset int) string {
	text := encoding.EncodeToString(append(make([]byte, offset), value...))
	first := (offset*8 + 5) / 6
	last := (offset + len(value)) * 8 / 6
	return text[min(first, last):last]
}

// spans finds the occurrences of the needle in content in lower case. Occurrences that overlap make one span.
func (n needle) spans(lower []byte) []span {
	var out []span
	whats := []string{n.what} // shared by the spans: nobody appends to it
	for from := 0; ; {
		i := bytes.Index(lower[from:], n.value)
		if i < 0 {
			return out
		}
		start := from + i
		end := start + len(n.value)
		from = start + 1
		if n.token && (joined(lower, start-1, start) || joined(lower, end-1, end)) {
			continue
		}
		if last := len(out) - 1; last >= 0 && start < out[last].end {
			out[last].end = end
		} else {
			out = append(out, span{start: start, end: end, whats: whats})
		}
	}
}

// joined reports whether the bytes at i and j, its neighbour, belong to one token.
func joined(text []byte, i, j int) bool {
	return i >= 0 && j < len(text) && inToken(text[i]) && inToken(text[j])
}

func inToken(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// folded is the text with ASCII letters in lower case, of the same length.
func folded(text []byte) []byte {
	lower := make([]byte, len(text))
	for i, b := range text {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	return lower
}

// minToken is the length of the shortest secret that is replaced in a text which is known to hold it.
const minToken = 3

// Token replaces a secret that is too weak to be searched for in responses. Use it only for text that is known to be able to contain the secret, such
// as the output of a command that received it. Token replaces the secret only where it is a complete token.
func Token(text string, secret Secret) string {
	if len(secret.Value) < minToken {
		return text
	}
	n := needle{value: folded([]byte(secret.Value)), what: secret.What, token: true}
	var out []byte
	end := 0
	for _, s := range n.spans(folded([]byte(text))) {
		out = append(append(out, text[end:s.start]...), "["+secret.What+"]"...)
		end = s.end
	}
	return string(out) + text[end:]
}
