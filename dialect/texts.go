package dialect

import (
	"slices"
	"strings"
)

// textsIn returns the strings that the contents hold: themselves, their elements, or the text and content of their parts.
func textsIn(contents ...any) []string {
	var texts []string
	for _, c := range contents {
		collect(c, &texts)
	}
	return texts
}

// collect appends to one slice at any depth, so that deep nesting costs no more than its bytes.
func collect(content any, texts *[]string) {
	switch v := content.(type) {
	case string:
		*texts = append(*texts, v)
	case List:
		for _, element := range v {
			collect(element, texts)
		}
	case Object:
		for _, field := range []string{"text", "content", "parts"} {
			collect(v[field], texts)
		}
	}
}

// latestFirst returns the texts of the user's messages, the last message first: a conversation may quote directives
// that were meant for earlier calls. Messages of other roles follow, for gateways that move text into them.
func latestFirst(messages any) []string {
	items, ok := messages.(List)
	if !ok {
		return textsIn(messages)
	}
	var user, others List
	for _, item := range slices.Backward(items) {
		m, _ := item.(Object)
		if role, named := m["role"].(string); named && role != "user" {
			others = append(others, item)
			continue
		}
		user = append(user, item)
	}
	return textsIn(user, others)
}

// CountWords returns the number of words in the texts, but at least 1. Words stand for tokens in the usage of a response.
func CountWords(texts []string) int {
	n := 0
	for _, t := range texts {
		for range strings.FieldsSeq(t) {
			n++
		}
	}
	return max(n, 1)
}
