// Package redact finds secrets in text, in every encoding in which they may come back, and replaces them.
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

// Secret is a value that no report may show.
type Secret struct {
	// What names the secret in reports: "caller key", "upstream key", "upstream address".
	What  string
	Value string
}

const (
	// CallerKey is the name of the call's own key.
	CallerKey = "caller key"
	// MinLength is the minimum length of a secret, in bytes. Shorter values are ignored: they occur in ordinary words.
	MinLength = 6
	// minDigested is the minimum length, in bytes, of a secret whose digest and encodings are replaced too.
	minDigested = 8
)

// needle is one encoding of a secret.
type needle struct {
	value  []byte
	folded string // in lower case
	what   string
	// address is set when the value ends in a port: 127.0.0.1:1 is not in 127.0.0.1:19900.
	address bool
}

func newNeedle(value, what string) needle {
	return needle{value: []byte(value), folded: strings.ToLower(value), what: what, address: hostPort.MatchString(value)}
}

// hostPort matches a host with its port, and not a key that contains a colon.
var hostPort = regexp.MustCompile(`^(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9A-Fa-f:.]+\]):\d{1,5}$`)

// Redactor replaces secrets by their names: "[caller key]". It finds each secret literally; a secret of at least 8 bytes
// also as its SHA-256 digest in hexadecimal, in base64, URL-escaped and JSON-escaped. Secrets of fewer than 6 bytes are
// ignored. A Redactor is immutable and may be used by many goroutines.
type Redactor struct {
	needles []needle // longest first
}

// New returns a redactor for the secrets. If two have the same value, the name of the first is used.
func New(secrets ...Secret) *Redactor {
	return (&Redactor{}).With(secrets...)
}

// With returns a redactor with more secrets, which take precedence over those of r.
func (r *Redactor) With(secrets ...Secret) *Redactor {
	var needles []needle
	for _, secret := range secrets {
		needles = append(needles, encodings(secret)...)
	}
	needles = append(needles, r.needles...)
	seen := make(map[string]bool, len(needles))
	needles = slices.DeleteFunc(needles, func(n needle) bool {
		duplicate := seen[string(n.value)]
		seen[string(n.value)] = true
		return duplicate
	})
	slices.SortStableFunc(needles, func(a, b needle) int { return cmp.Compare(len(b.value), len(a.value)) })
	return &Redactor{needles: needles}
}

// encodings returns the forms in which a secret may come back. Some may be equal.
func encodings(secret Secret) []needle {
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
		// Without padding, which is not secret.
		base64.RawStdEncoding.EncodeToString(value),
		base64.RawURLEncoding.EncodeToString(value),
		url.QueryEscape(secret.Value),
		url.PathEscape(secret.Value),
		escaped,
		strings.ReplaceAll(secret.Value, "/", `\/`), // some JSON writers escape the slash
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

// Bytes returns the content with every secret replaced, and the names of those found, each once. Content without a
// secret is returned unchanged; content with one is copied. Overlapping secrets are replaced together.
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

// OpenBytes is Bytes for content that broke off. If it ends with the beginning of a secret, that is replaced too, but not
// returned as found: how the content would have continued is unknown.
func (r *Redactor) OpenBytes(content []byte) (clean []byte, found []string) {
	clean, found = r.Bytes(content)
	var prefix int
	var what string
	for _, n := range r.needles {
		for length := min(len(n.value)-1, len(clean)); length > max(prefix, MinLength-1); length-- {
			if bytes.HasSuffix(clean, n.value[:length]) {
				prefix, what = length, n.what
			}
		}
	}
	if prefix == 0 {
		return clean, found
	}
	kept := slices.Clip(clean[:len(clean)-prefix]) // so that append copies
	return append(kept, "["+what+"]"...), found
}

// span is a part of the content that secrets cover, with their names. The first name replaces it.
type span struct {
	start, end int
	whats      []string
}

// spans returns the parts to replace, in order and without overlap.
func (r *Redactor) spans(content []byte) []span {
	var all []span
	for _, n := range r.needles {
		all = append(all, n.spans(content)...)
	}
	// Stable, so that of two with the same start the longer needle stays first.
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var merged []span
	for _, s := range all {
		last := len(merged) - 1
		if last < 0 || s.start >= merged[last].end {
			merged = append(merged, s)
			continue
		}
		merged[last].end = max(merged[last].end, s.end)
		if !slices.Contains(merged[last].whats, s.whats[0]) {
			merged[last].whats = append(merged[last].whats, s.whats[0])
		}
	}
	return merged
}

// spans returns where the needle occurs; overlapping occurrences make one span.
func (n needle) spans(content []byte) []span {
	var out []span
	whats := []string{n.what} // shared: appending a name copies it, since its capacity is 1
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

// Named reports whether the name of a header field contains a secret, and which. The comparison ignores case.
func (r *Redactor) Named(name string) (what string, found bool) {
	folded := strings.ToLower(name)
	for _, n := range r.needles {
		if strings.Contains(folded, n.folded) {
			return n.what, true
		}
	}
	return "", false
}

// credentialFields are the header fields that carry nothing but a credential, by their canonical names.
var credentialFields = []string{
	"Authorization", "Proxy-Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie", "Set-Cookie",
}

// replaced matches a credential that was replaced completely.
var replaced = regexp.MustCompile(`^(?:[A-Za-z]+ )?\[[^\[\]]+\]$`)

// Field returns the value of a header field with its secrets replaced. In a field for credentials, an unknown value is
// replaced too.
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
