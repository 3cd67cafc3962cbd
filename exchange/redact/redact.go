// Package redact finds secrets in text and replaces them, in every spelling in which they may come back.
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

// Secret is a value that must show in no report, and what to call it.
type Secret struct {
	// What names the secret: "caller key", "upstream key", "upstream address".
	What  string
	Value string
}

const (
	// CallerKey names the call's own key.
	CallerKey = "caller key"
	// MinLength is the fewest bytes that are taken for a secret; shorter ones are found in every other word.
	MinLength = 6
	// minDigested is the fewest bytes of a secret whose digest and encodings are looked for too.
	minDigested = 8
)

// needle is one spelling of a secret.
type needle struct {
	value  []byte
	folded string // in lower case
	what   string
	// address says that it ends in a port: 127.0.0.1:1 is not in 127.0.0.1:19900.
	address bool
}

func newNeedle(value, what string) needle {
	return needle{value: []byte(value), folded: strings.ToLower(value), what: what, address: hostPort.MatchString(value)}
}

// hostPort matches a host with its port, which a key that happens to hold a colon does not.
var hostPort = regexp.MustCompile(`^(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9A-Fa-f:.]+\]):\d{1,5}$`)

// Redactor replaces known secrets by their names: "[caller key]". It looks for each secret as it stands and, from
// 8 bytes on, for its SHA-256 digest in hexadecimal, its base64, its URL-escaped and its JSON-escaped form. Secrets
// under 6 bytes are ignored. A Redactor does not change and may be used from many goroutines.
type Redactor struct {
	needles []needle // longest first
}

// New returns a redactor of the secrets. Of two with the same value the first gives the name.
func New(secrets ...Secret) *Redactor {
	return (&Redactor{}).With(secrets...)
}

// With returns a redactor that knows further secrets, which take precedence over those it knows.
func (r *Redactor) With(secrets ...Secret) *Redactor {
	var needles []needle
	for _, secret := range secrets {
		needles = append(needles, spellings(secret)...)
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

// spellings lists the forms in which a secret may come back, with doubles.
func spellings(secret Secret) []needle {
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
		// Without padding: what is left of a padded form gives nothing away.
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
// secret is returned as it is; content with one is copied. Where secrets overlap, all of what they cover is replaced.
func (r *Redactor) Bytes(content []byte) (clean []byte, found []string) {
	stretches := r.spans(content)
	if len(stretches) == 0 {
		return content, nil
	}
	var end int
	for _, s := range stretches {
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

// OpenBytes is Bytes for content that broke off: when it ends in the beginning of a secret, that goes too. It is not
// reported as found, since nobody knows how the content would have gone on.
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

// span is a stretch of content that secrets cover, and their names. The first gives the replacement.
type span struct {
	start, end int
	whats      []string
}

// spans finds the stretches to replace, in order and apart.
func (r *Redactor) spans(content []byte) []span {
	var all []span
	for _, n := range r.needles {
		all = append(all, n.spans(content)...)
	}
	// Stable, so that of two with the same start the longer needle stays first.
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var apart []span
	for _, s := range all {
		last := len(apart) - 1
		if last < 0 || s.start >= apart[last].end {
			apart = append(apart, s)
			continue
		}
		apart[last].end = max(apart[last].end, s.end)
		if !slices.Contains(apart[last].whats, s.whats[0]) {
			apart[last].whats = append(apart[last].whats, s.whats[0])
		}
	}
	return apart
}

// spans finds where the needle stands; occurrences that overlap each other make one span.
func (n needle) spans(content []byte) []span {
	var out []span
	whats := []string{n.what} // shared: whoever adds a name appends beyond its capacity and so copies
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

// Named reports whether a header field's name holds a secret, and which. Names change case on their way.
func (r *Redactor) Named(name string) (what string, found bool) {
	folded := strings.ToLower(name)
	for _, n := range r.needles {
		if strings.Contains(folded, n.folded) {
			return n.what, true
		}
	}
	return "", false
}

// credentialFields are the header fields whose whole purpose is to carry a credential, under canonical names.
var credentialFields = []string{
	"Authorization", "Proxy-Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie", "Set-Cookie",
}

// replaced matches a credential of which nothing but the names of secrets is left.
var replaced = regexp.MustCompile(`^(?:[A-Za-z]+ )?\[[^\[\]]+\]$`)

// Field returns a header field's value with its secrets replaced, the unknown ones too where the field carries credentials.
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
