package contract

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
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
