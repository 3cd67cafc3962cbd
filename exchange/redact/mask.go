package redact

import (
	"bytes"
	"regexp"
	"slices"
)

// MaxVisible is the maximum number of characters of a key that a mask may leave visible, not counting a public prefix such as "sk-" (CONTRACT.md,
// "Nothing that must stay inside").
const MaxVisible = 8

// mask matches what replaces the middle or the end of a key.
var mask = regexp.MustCompile(`\*{2,}|•+|…|\.{3,}|[xX]{4,}|#{3,}|(?i:[\[<(](?:redacted|masked|hidden|truncated)[\]>)])`)

// masks stand in every match of mask, in lower case: one of them, or the expression need not run.
var masks = [][]byte{
	[]byte("**"), []byte("•"), []byte("…"), []byte("..."), []byte("xxxx"), []byte("###"),
	[]byte("redacted"), []byte("masked"), []byte("hidden"), []byte("truncated"),
}

// publicPrefix matches the beginning of a key that says only what kind of key it is.
var publicPrefix = regexp.MustCompile(`^(?:[A-Za-z]{2,5}-(?:proj-|ant-|or-|live-|test-|svcacct-|admin-)?(?:api\d\d-|v\d-)?|AIza)`)

// maskable is a key of which a masked form is recognised.
type maskable struct {
	what   string
	key    []byte // in lower case
	public int    // length of its public prefix
}

func newMaskable(secret Secret) (maskable, bool) {
	if secret.Weak() {
		return maskable{}, false
	}
	return maskable{secret.What, folded([]byte(secret.Value)), len(publicPrefix.FindString(secret.Value))}, true
}

// maskedSpans finds masks that leave too much of a key. lower is the content in lower case.
func maskedSpans(content, lower []byte, keys []maskable) []span {
	if len(keys) == 0 {
		return nil
	}
	if !slices.ContainsFunc(masks, func(m []byte) bool { return bytes.Contains(lower, m) }) {
		return nil
	}
	var out []span
	for _, at := range mask.FindAllIndex(content, -1) {
		for _, k := range keys {
			left, right := k.before(lower[:at[0]]), k.after(lower[at[1]:])
			if max(left-k.public, 0)+right > MaxVisible && left+right < len(k.key) {
				out = append(out, span{at[0] - left, at[1] + right, []string{k.what + " (masked)"}})
			}
		}
	}
	return out
}

// before is the length of the beginning of the key at the end of a text.
func (k maskable) before(text []byte) int {
	for n := min(len(text), len(k.key)-1); n > 0; n-- {
		// The first comparison decides nearly always, and a hostile text may hold a million masks.
		if k.key[n-1] == text[len(text)-1] && bytes.HasSuffix(text, k.key[:n]) {
			return n
		}
	}
	return 0
}

// after is the length of the end of the key at the beginning of a text.
func (k maskable) after(text []byte) int {
	for n := min(len(text), len(k.key)-1); n > 0; n-- {
		if k.key[len(k.key)-n] == text[0] && bytes.HasPrefix(text, k.key[len(k.key)-n:]) {
			return n
		}
	}
	return 0
}
