package upstream

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDirective is returned when a directive cannot be read: an unknown word or value, a repeated word, words that
// contradict each other, or no end in sight.
var ErrDirective = errors.New("directive refused")

const (
	opening = "[[gatecert"
	closing = "]]"
	// maxDirective bounds the text of one directive in bytes, so that a prompt of megabytes is not searched for its end.
	maxDirective = 8 << 10
)

// ParseDirective finds the first directive in a text and reads it. found is false when the text has none. On an error,
// which is always [ErrDirective], the directive holds at least the token if one could be read, so that the refusal can
// be recorded under it.
func ParseDirective(prompt string) (d Directive, found bool, err error) {
	text, found, whole := findDirective(prompt)
	if !found {
		return Directive{}, false, nil
	}
	if !whole {
		err = fmt.Errorf("%w: no %q within %d bytes", ErrDirective, closing, maxDirective)
	}
	words := vocabulary()
	seen := make(map[string]bool, len(words))
	for field := range strings.FieldsSeq(text) {
		// The first complaint stands, but the token may be yet to come.
		if e := readWord(&d, field, words, seen); e != nil && err == nil {
			err = fmt.Errorf("%w: %w", ErrDirective, e)
		}
	}
	if err != nil {
		return Directive{Token: d.Token}, true, err
	}
	if why := d.contradiction(); why != "" {
		return Directive{Token: d.Token}, true, fmt.Errorf("%w: %s", ErrDirective, why)
	}
	return d, true, nil
}

// findDirective returns what stands between the brackets; whole is false when the closing ones are missing.
func findDirective(prompt string) (text string, found, whole bool) {
	for {
		_, rest, ok := strings.Cut(prompt, opening)
		if !ok {
			return "", false, false
		}
		// "[[gatecertify]]" is not ours.
		if rest == "" || strings.HasPrefix(rest, closing) || strings.ContainsRune(" \t\r\n", rune(rest[0])) {
			rest = rest[:min(len(rest), maxDirective)]
			text, _, whole = strings.Cut(rest, closing)
			return text, true, whole
		}
		prompt = rest
	}
}

func readWord(d *Directive, field string, words []word, seen map[string]bool) error {
	name, value, valued := strings.Cut(field, "=")
	for _, w := range words {
		if w.Name != name {
			continue
		}
		switch {
		case seen[name] && !w.repeats:
			return fmt.Errorf("%s stands twice", name)
		case valued && w.Values == "":
			return fmt.Errorf("%s takes no value", name)
		case value == "" && w.Values != "":
			return fmt.Errorf("%s needs a value: %s", name, w.Values)
		}
		seen[name] = true
		return w.read(d, value)
	}
	return fmt.Errorf("no such word: %q", clip(name))
}

// clip bounds what an error message repeats of a text.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
