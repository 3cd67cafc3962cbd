package upstream

import (
	"slices"
	"strings"
)

// textsIn returns the strings that a content holds: itself, its elements, or the text and content of its parts.
func textsIn(content any) []string {
	switch v := content.(type) {
	case string:
		return []string{v}
	case list:
		var texts []string
		for _, element := range v {
			texts = append(texts, textsIn(element)...)
		}
		return texts
	case object:
		return slices.Concat(textsIn(v["text"]), textsIn(v["content"]), textsIn(v["parts"]))
	default:
		return nil
	}
}

// latestFirst returns the texts of the user's messages, the last message first: a conversation may quote directives
// that were meant for earlier calls. Messages of other roles follow, for gateways that move text into them.
func latestFirst(messages any) []string {
	items, ok := messages.(list)
	if !ok {
		return textsIn(messages)
	}
	var user, others []string
	for _, item := range slices.Backward(items) {
		m, _ := item.(object)
		if role, named := m["role"].(string); named && role != "user" {
			others = append(others, textsIn(item)...)
			continue
		}
		user = append(user, textsIn(item)...)
	}
	return append(user, others...)
}

// countWords counts the words of the texts, at least 1, which stand for tokens in the usage of an answer.
func countWords(texts []string) int {
	n := 0
	for _, t := range texts {
		for range strings.FieldsSeq(t) {
			n++
		}
	}
	return max(n, 1)
}
