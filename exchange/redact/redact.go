// Package redact finds secrets in text and replaces them, also in the encodings in which a gateway may return them.
package redact

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Secret is a value that no report may show, and the name that replaces it.
type Secret struct {
	// What names the secret: "caller key", "upstream key", "upstream address".
	What  string
	Value string
}

const (
	// CallerKey names the key of the call.
	CallerKey = "caller key"
	// MinLength is the length of the shortest secret in bytes. Shorter values would be found in ordinary words.
	MinLength = 6
	// minDigested is the length in bytes from which the digest and the encodings of a secret are searched for too.
	minDigested = 8
)

// needle is one form of a secret.
type needle struct {
	value  []byte
	folded string // in lower case
	what   string
	// address is set when it ends in a port: 127.0.0.1:1 does not occur in 127.0.0.1:19900.
	address bool
}

func newNeedle(value, what string) needle {
	return needle{value: []byte(value), folded: strings.ToLower(value), what: what, address: hostPort.MatchString(value)}
}

// hostPort matches a host with its port, but not a key that contains a colon.
var hostPort = regexp.MustCompile(`^(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9A-Fa-f:.]+\]):\d{1,5}$`)

// Redactor replaces secrets by their names: "[caller key]". It searches for each secret itself and, from 8 bytes on, for its
// SHA-256 digest in hexadecimal, its base64, its URL-escaped and its JSON-escaped form. It ignores secrets shorter than
// [MinLength]. A Redactor is immutable and safe for concurrent use.
type Redactor struct {
	needles []needle // longest first
}

// New returns a redactor of the secrets. The first of two with the same value gives the name.
func New(secrets ...Secret) *Redactor {
	return (&Redactor{}).With(secrets...)
}

// With returns a redactor of more secrets. They take precedence over those of r.
func (r *Redactor) With(secrets ...Secret) *Redactor {
	var needles []needle
	for _, secret := range secrets {
		needles = append(needles, forms(secret)...)
	}
	needles = append(needles, r.needles...)
	known := make(map[string]bool, len(needles))
	needles = slices.DeleteFunc(needles, func(n needle) bool {
		seen := known[string(n.value)]
		known[string(n.value)] = true
		return seen
	})
	slices.SortStableFunc(needles, func(a, b needle) int { return cmp.Compare(len(b.value), len(a.value)) })
	return &Redactor{needles: needles}
}

// forms returns the forms in which a gateway may return a secret, some of them twice.
func forms(secret Secret) []needle {
	value := []byte(secret.Value)
	if len(value) < MinLength {
		return nil
	}
	out := []needle{newNeedle(secret.Value, secret.What)}
	if len(value) < minDigested {
		return out
	}
	digest := sha256.Sum256(value)
	digestHex := hex.EncodeToString(digest[:])
	for _, form := range []string{digestHex, strings.ToUpper(digestHex)} {
		out = append(out, newNeedle(form, secret.What+" (SHA-256)"))
	}
	quoted, _ := json.Marshal(secret.Value) // a string always marshals
	escaped := string(quoted[1 : len(quoted)-1])
	for _, form := range []string{
		// Without padding: the padding discloses nothing.
		base64.RawStdEncoding.EncodeToString(value),
		base64.RawURLEncoding.EncodeToString(value),
		url.QueryEscape(secret.Value),
		url.PathEscape(secret.Value),
		escaped,
		strings.ReplaceAll(secret.Value, "/", `\/`), // some JSON encoders escape the slash
	} {
		out = append(out, newNeedle(form, secret.What))
	}
	return out
}

// Text returns the text with every secret replaced.
func (r *Redactor) Text(text string) string {
	clean, _ := r.Bytes([]byte(text))
	return string(clean)
}

// Bytes returns the content with every secret replaced, and the names of those found, each once. It returns content
// without secrets unchanged, and a copy of content with secrets. Where secrets overlap, everything they cover is replaced.
func (r *Redactor) Bytes(content []byte) (clean []byte, found []string) {
	spans := r.spans(content)
	if len(spans) == 0 {
		return content, nil
	}
	var end int
	for _, s := range spans {
		for _, what := range s.whats {
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

// OpenBytes is Bytes for content that broke off: when it ends with the beginning of a secret, that is replaced too. It is
// not among the secrets found, since nobody knows how the content would have continued.
func (r *Redactor) OpenBytes(content []byte) (clean []byte, found []string) {
	clean, found = r.Bytes(content)
	var begun int
	var what string
	for _, n := range r.needles {
		for length := min(len(n.value)-1, len(clean)); length > max(begun, MinLength-1); length-- {
			if bytes.HasSuffix(clean, n.value[:length]) {
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
	for _, n := range r.needles {
		all = append(all, n.spans(content)...)
	}
	// Stable: of two with the same start, the longer needle stays first.
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var disjoint []span
	for _, s := range all {
		last := len(disjoint) - 1
		if last < 0 || s.start >= disjoint[last].end {
			disjoint = append(disjoint, s)
			continue
		}
		disjoint[last].end = max(disjoint[last].end, s.end)
		if !slices.Contains(disjoint[last].whats, s.whats[0]) {
			disjoint[last].whats = append(disjoint[last].whats, s.whats[0])
		}
	}
	return disjoint
}

// spans finds the occurrences of the needle. Occurrences that overlap make one span.
func (n needle) spans(content []byte) []span {
	var out []span
	whats := []string{n.what} // shared by the spans: appending a name exceeds its capacity and so copies it
	for from := 0; ; {
		i := bytes.Index(content[from:], n.value)
		if i < 0 {
			return out
		}
		start := from + i
		end := start + len(n.value)
		if n.address && end < len(content) && content[end] >= '0' && content[end] <= '9' {
			from = start + 1 // another port
			continue
		}
		if last := len(out) - 1; last >= 0 && start < out[last].end {
			out[last].end = end
		} else {
			out = append(out, span{start: start, end: end, whats: whats})
		}
		from = start + 1
	}
}

// Named reports whether the name of a header field contains a secret, and which one. It ignores case, which HTTP does not
// preserve in names.
func (r *Redactor) Named(name string) (what string, found bool) {
	folded := strings.ToLower(name)
	for _, n := range r.needles {
		if strings.Contains(folded, n.folded) {
			return n.what, true
		}
	}
	return "", false
}

// credentialFields are the canonical names of the header fields that carry credentials.
var credentialFields = []string{
	"Authorization", "Proxy-Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie", "Set-Cookie",
}

// replaced matches a credential of which only the names of secrets are left.
var replaced = regexp.MustCompile(`^(?:[A-Za-z]+ )?\[[^\[\]]+\]$`)

// Field returns the value of a header field with its secrets replaced. In a field that carries credentials the whole value
// is a secret.
func (r *Redactor) Field(name, value string) string {
	clean := r.Text(value)
	if !slices.Contains(credentialFields, name) || replaced.MatchString(clean) {
		return clean
	}
	if scheme, _, ok := strings.Cut(clean, " "); ok && (scheme == "Bearer" || scheme == "Basic") {
		return scheme + " [redacted]"
	}
	return "[redacted]"
}
