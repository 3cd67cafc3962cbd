// Package redact finds and replaces secrets in text, including in the encodings in which a gateway may return them.
package redact

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// CallerKey is the name of the key of the call.
const CallerKey = "caller key"

// Redactor replaces secrets by their names, such as "[caller key]". It finds a secret in upper and lower case; escaped as in URLs, JSON and HTML; as
// hexadecimal, base64 at any offset, or a SHA-256 digest; as an address in the forms that clients print; and behind a mask that leaves more than
// [MaxVisible] characters visible. It finds a short secret only as a complete token: "bricks" does not match in "bricksllm_error". A Redactor is
// immutable and safe for concurrent use.
type Redactor struct {
	needles   []needle // longest first
	addresses []address
	masked    []maskable
	echoes    []string // the names of secrets that an answer may repeat
}

// New returns a redactor for the secrets. If two secrets have the same value, the first one determines the name.
func New(secrets ...Secret) *Redactor {
	return (&Redactor{}).With(secrets...)
}

// With returns a redactor with additional secrets. They take precedence over those of r.
func (r *Redactor) With(secrets ...Secret) *Redactor {
	out := &Redactor{echoes: r.echoes}
	for _, secret := range secrets {
		if secret.Echo && !slices.Contains(out.echoes, secret.What) {
			out.echoes = append(slices.Clip(out.echoes), secret.What)
		}
		out.needles = append(out.needles, forms(secret)...)
		if a, ok := newAddress(secret); ok {
			out.addresses = append(out.addresses, a)
		} else if m, ok := newMaskable(secret); ok {
			out.masked = append(out.masked, m)
		}
	}
	known := make(map[string]bool)
	out.needles = slices.DeleteFunc(append(out.needles, r.needles...), func(n needle) bool {
		seen := known[string(n.value)]
		known[string(n.value)] = true
		return seen
	})
	out.addresses = append(out.addresses, r.addresses...)
	out.masked = append(out.masked, r.masked...)
	slices.SortStableFunc(out.needles, func(a, b needle) int { return cmp.Compare(len(b.value), len(a.value)) })
	return out
}

// Text returns the text with every secret replaced.
func (r *Redactor) Text(text string) string {
	clean, _ := r.Bytes([]byte(text))
	return string(clean)
}

// Bytes returns the content with every secret replaced, and the names of the found secrets that must be reported, without duplicates. If the content
// contains no secrets, Bytes returns it unchanged; otherwise it returns a copy. If secrets overlap, everything that they cover is replaced.
func (r *Redactor) Bytes(content []byte) (clean []byte, found []string) {
	spans := r.spans(content)
	if len(spans) == 0 {
		return content, nil
	}
	var end int
	for _, s := range spans {
		for _, what := range r.Reported(s.whats) {
			if !slices.Contains(found, what) {
				found = append(found, what)
			}
		}
		clean = append(clean, content[end:s.start]...)
		clean = append(clean, "["+s.whats[0]+"]"...)
		end = s.end
	}
	return append(clean, content[end:]...), found
}

// Pieces replaces secrets that are split across texts which a reader concatenates, so that no single text contains the whole secret. The name appears
// in the first text that the secret covers; the other texts lose their part of the secret.
func (r *Redactor) Pieces(texts []string) (clean, found []string) {
	clean = slices.Clone(texts)
	spans := r.spans([]byte(strings.Join(texts, "")))
	out, done := make(map[int][]byte), make(map[int]int) // of the texts with a part of a secret
	i, begin := 0, 0                                     // the text at hand, and where it begins
	for _, s := range spans {
		for ; begin+len(texts[i]) <= s.start; i++ {
			begin += len(texts[i])
		}
		what := "[" + s.whats[0] + "]"
		for j, at := i, begin; j < len(texts) && at < s.end; j++ {
			if from, to := max(s.start-at, 0), min(s.end-at, len(texts[j])); from < to {
				out[j] = append(append(out[j], texts[j][done[j]:from]...), what...)
				done[j], what = to, ""
			}
			at += len(texts[j])
		}
	}
	for j, begun := range out {
		clean[j] = string(begun) + texts[j][done[j]:]
	}
	for _, s := range slices.Backward(spans) {
		for _, w := range r.Reported(s.whats) {
			if !slices.Contains(found, w) {
				found = append(found, w)
			}
		}
	}
	return clean, found
}

// OpenBytes is like Bytes, but for truncated content: if the content ends with the beginning of a secret, that part is also replaced. It does not
// count as a found secret, because nobody knows how the content would have continued.
func (r *Redactor) OpenBytes(content []byte) (clean []byte, found []string) {
	clean, found = r.Bytes(content)
	lower := folded(clean)
	var begun int
	var what string
	for _, n := range r.needles {
		for length := min(len(n.value)-1, len(clean)); length > max(begun, MinLength-1); length-- {
			if bytes.HasSuffix(lower, n.value[:length]) {
				begun, what = length, n.what
			}
		}
	}
	if begun == 0 {
		return clean, found
	}
	kept := slices.Clip(clean[:len(clean)-begun]) // so that append copies
	return append(kept, "["+what+"]"...), found
}

// span is a part of the content that secrets cover, and their names. The first name replaces it.
type span struct {
	start, end int
	whats      []string
}

// spans finds the spans to replace, in order and disjoint.
func (r *Redactor) spans(content []byte) []span {
	var all []span
	lower := folded(content)
	for _, n := range r.needles {
		all = append(all, n.spans(lower)...)
	}
	for _, a := range r.addresses {
		all = append(all, a.spans(content, lower)...)
	}
	all = append(all, maskedSpans(content, lower, r.masked)...)
	if text, at, escaped := unescaped(content); escaped {
		lower := folded(text)
		for _, n := range r.needles {
			for _, s := range n.spans(lower) {
				all = append(all, span{at[s.start], at[s.end], s.whats})
			}
		}
	}
	// Stable: of two with the same start, the longer needle stays first.
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var disjoint []span
	for _, s := range all {
		last := len(disjoint) - 1
		if last < 0 || s.start >= disjoint[last].end {
			disjoint = append(disjoint, span{s.start, s.end, slices.Clone(s.whats)})
			continue
		}
		disjoint[last].end = max(disjoint[last].end, s.end)
		if !slices.Contains(disjoint[last].whats, s.whats[0]) {
			disjoint[last].whats = append(disjoint[last].whats, s.whats[0])
		}
	}
	return disjoint
}

// Named reports whether the name of a header field contains a secret, and returns the name of that secret.
func (r *Redactor) Named(name string) (what string, found bool) {
	spans := r.spans([]byte(name))
	if len(spans) == 0 {
		return "", false
	}
	return spans[0].whats[0], true
}

// Reported returns the given names without those of secrets that a response may repeat.
func (r *Redactor) Reported(whats []string) []string {
	if len(r.echoes) == 0 {
		return whats
	}
	return slices.DeleteFunc(slices.Clone(whats), func(what string) bool {
		what, _, _ = strings.Cut(what, " (") // "$NAME (masked)"
		return slices.Contains(r.echoes, what)
	})
}

// credentialFields are the canonical names of the header fields that carry credentials.
var credentialFields = []string{
	"Authorization", "Proxy-Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie", "Set-Cookie",
}

// Field returns the value of a header field with its secrets replaced. In a field that carries credentials, the whole value is a secret.
func (r *Redactor) Field(name, value string) string {
	clean := r.Text(value)
	if !slices.Contains(credentialFields, name) || replaced.MatchString(clean) {
		return clean
	}
	if scheme, _, ok := strings.Cut(clean, " "); ok && isScheme(scheme) {
		return scheme + " [redacted]"
	}
	return "[redacted]"
}
