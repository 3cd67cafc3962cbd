package upstream

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDirective is returned if a directive cannot be followed: it contains an unknown word or value, a repeated word, or words that contradict each
// other or do not fit the request, or it has no end.
var ErrDirective = errors.New("directive refused")

const (
	opening = "[[gatecert"
	closing = "]]"
	// maxDirective bounds the text of one directive in bytes, so that a prompt of megabytes is not searched for its end.
	maxDirective = 8 << 10
)

// ParseDirective finds and parses the first directive in a prompt. found is false if there is none. The error, if any, is always [ErrDirective]. In
// this case, the directive contains the token if it could be parsed, so that the refusal can be recorded under this token.
func ParseDirective(prompt string) (d Directive, found bool, err error) {
	text, found, closed := findDirective(prompt)
	if !found {
		return Directive{}, false, nil
	}
	if !closed {
		err = fmt.Errorf("%w: there is no closing %q within %d bytes", ErrDirective, closing, maxDirective)
	}
	words := vocabulary()
	seen := make(map[string]bool, len(words))
	for field := range strings.FieldsSeq(text) {
		// The first error is returned, but the token may come later.
		if e := parseWord(&d, field, words, seen); e != nil && err == nil {
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

// findDirective returns the text between the brackets; closed is false when the closing ones are missing.
func findDirective(prompt string) (text string, found, closed bool) {
	for {
		_, rest, ok := strings.Cut(prompt, opening)
		if !ok {
			return "", false, false
		}
		// "[[gatecertify]]" is not a directive.
		if rest == "" || strings.HasPrefix(rest, closing) || strings.ContainsRune(" \t\r\n", rune(rest[0])) {
			rest = rest[:min(len(rest), maxDirective)]
			text, _, closed = strings.Cut(rest, closing)
			return text, true, closed
		}
		prompt = rest
	}
}

func parseWord(d *Directive, field string, words []word, seen map[string]bool) error {
	name, value, hasValue := strings.Cut(field, "=")
	for _, w := range words {
		if w.Name != name {
			continue
		}
		switch {
		case seen[name] && !w.repeats:
			return fmt.Errorf("%s appears twice", name)
		case hasValue && w.Values == "":
			return fmt.Errorf("%s takes no value", name)
		case value == "" && w.Values != "":
			return fmt.Errorf("%s needs a value: %s", name, w.Values)
		}
		seen[name] = true
		return w.parse(d, value)
	}
	return fmt.Errorf("unknown word: %q", clip(name))
}
