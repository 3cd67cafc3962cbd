package contract

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/gatecert/gatecert/dialect"
)

// maxText bounds the decoded text in bytes that is searched: strings inside strings could multiply it.
const maxText = 8 << 20

// maxNested bounds how deep JSON inside JSON strings is decoded: a gateway that quotes an upstream that quotes another one
// makes three.
const maxNested = 3

// internals lists what of the gateway's inside an answer shows in its body and its header fields, with an excerpt and the
// place each. It searches what was sent, and the text that a JSON reader sees.
func internals(o Observation) []string {
	var shown []string
	note := func(text []byte, where string) {
		for _, found := range inner(text) {
			if found += " in " + where; !slices.Contains(shown, found) {
				shown = append(shown, found)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Header)) {
		for _, value := range o.Header[name] {
			note([]byte(value), "header "+name)
		}
	}
	note(o.Body, "the body")
	if shownIn(shown, "the body") {
		return shown // what follows is the same text once more
	}
	if text := readText(o); len(text) > 0 {
		note(text, "the body")
	}
	return shown
}

func shownIn(shown []string, where string) bool {
	return slices.ContainsFunc(shown, func(s string) bool { return strings.HasSuffix(s, " in "+where) })
}

// readText is the text of all strings of a body, or of the events of a stream joined, one string a line.
func readText(o Observation) []byte {
	var text bytes.Buffer
	documents := []Bytes{o.Body}
	if o.Stream != nil {
		documents = documents[:0]
		for _, e := range o.Stream.Events {
			documents = append(documents, e.Data)
		}
	}
	for _, d := range documents {
		var value any
		if json.Unmarshal(d, &value) == nil {
			writeStrings(&text, value, 0)
		}
	}
	return text.Bytes()
}

// writeStrings writes every string of a JSON value, and those of JSON that stands inside a string.
func writeStrings(text *bytes.Buffer, value any, nested int) {
	if text.Len() > maxText {
		return
	}
	switch v := value.(type) {
	case string:
		text.WriteString(v)
		text.WriteByte('\n')
		var inside any
		if trimmed := strings.TrimSpace(v); nested < maxNested && (strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[")) &&
			json.Unmarshal([]byte(trimmed), &inside) == nil {
			writeStrings(text, inside, nested+1)
		}
	case []any:
		for _, item := range v {
			writeStrings(text, item, nested)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text.WriteString(name)
			text.WriteByte('\n')
			writeStrings(text, v[name], nested)
		}
	}
}

// inner lists what of the gateway's inside a text shows, with an excerpt each: one of each kind.
func inner(text []byte) []string {
	var shown []string
	lower := bytes.ToLower(text)
	last := ""
	for _, p := range leakPatterns() {
		if p.what == last || !slices.ContainsFunc(p.marks, func(mark string) bool { return bytes.Contains(lower, []byte(mark)) }) {
			continue
		}
		if m := p.re.Find(text); m != nil {
			shown = append(shown, p.what+" ("+dialect.Excerpt(m)+")")
			last = p.what
		}
	}
	return shown
}

// leakPattern is one expression of a [leakKind].
type leakPattern struct {
	what string
	// marks are in lower case. At least one of them stands in every match: looking for them first takes a hundredth of the
	// expressions' time, and nearly every answer has none.
	marks []string
	re    *regexp.Regexp
}

// leakPatterns compiles the expressions at the first use: programs that judge nothing need not wait for it.
var leakPatterns = sync.OnceValue(func() []leakPattern {
	var patterns []leakPattern
	for _, kind := range leakKinds {
		for _, expression := range kind.expressions {
			parsed, err := syntax.Parse(expression, syntax.Perl)
			if err != nil {
				panic(err) // a mistake in the table, which any test shows
			}
			patterns = append(patterns, leakPattern{kind.what, requiredText(parsed), regexp.MustCompile(expression)})
		}
	}
	return patterns
})

// requiredText returns texts in lower case of which every match of an expression contains one; nil when there are none.
func requiredText(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{strings.ToLower(string(re.Rune))}
	case syntax.OpCapture, syntax.OpPlus:
		return requiredText(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min == 0 {
			return nil
		}
		return requiredText(re.Sub[0])
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if texts := requiredText(sub); shortest(texts) > shortest(best) {
				best = texts
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			texts := requiredText(sub)
			if texts == nil {
				return nil
			}
			all = append(all, texts...)
		}
		return all
	default:
		return nil
	}
}

// shortest is the length of the shortest text, 0 for none: the longer it is, the fewer answers contain it.
func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	return len(slices.MinFunc(texts, func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
}
