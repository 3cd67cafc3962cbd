package contract

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Pattern selects cases by their ids. The parts of an id are separated by "/". In a pattern, * matches any text within one part, and the part **
// matches any number of parts, including none:
//
//	code:model_not_found/absent-model/chat    one case
//	code:model_not_found/**                   a row
//	code:channel:*/*/chat                     the rows of the channel on one surface, where they have one variant
//	**/*-stream/**                            whatever streams
type Pattern string

// ParsePattern parses a pattern. It returns an error if the text is empty, contains an empty part, or is not a valid pattern for [path.Match].
func ParsePattern(text string) (Pattern, error) {
	for part := range strings.SplitSeq(text, "/") {
		if _, err := path.Match(part, ""); err != nil || part == "" {
			return "", fmt.Errorf("%q is not a pattern for case ids: use a pattern such as code:model_not_found/*/chat", text)
		}
	}
	return Pattern(text), nil
}

// Matches reports whether the pattern matches a case id.
func (p Pattern) Matches(id string) bool {
	return matchParts(strings.Split(string(p), "/"), strings.Split(id, "/"))
}

// Cases returns the cases of the contract that the pattern matches, in the contract's order.
func (p Pattern) Cases() []Case {
	return slices.DeleteFunc(Cases(), func(c Case) bool { return !p.Matches(c.ID()) })
}

// matchParts tries every length for a **. Ids have four parts at most, so that this is never much.
func matchParts(pattern, id []string) bool {
	if len(pattern) == 0 {
		return len(id) == 0
	}
	if pattern[0] == "**" {
		for skip := range len(id) + 1 {
			if matchParts(pattern[1:], id[skip:]) {
				return true
			}
		}
		return false
	}
	if len(id) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], id[0])
	return ok && err == nil && matchParts(pattern[1:], id[1:])
}
