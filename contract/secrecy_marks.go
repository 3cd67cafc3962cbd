package contract

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

const (
	// shortestMark is the length in bytes of the shortest text that is looked for: shorter ones are everywhere.
	shortestMark = 2
	// mostMarks bounds a group of texts.
	mostMarks = 64
)

// requiredTexts returns groups of texts in lower case: every match of an expression contains one of each group.
func requiredTexts(re *syntax.Regexp) [][]string {
	if texts, all := allTexts(re); all {
		return group(texts)
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return requiredTexts(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min == 0 {
			return nil
		}
		return requiredTexts(re.Sub[0])
	case syntax.OpConcat:
		var groups [][]string
		run := []string{""} // what the parts in a row since the last that may be anything can be
		end := func() {
			groups = append(groups, group(run)...)
			run = []string{""}
		}
		follow := func(texts []string) {
			if len(run)*len(texts) > mostMarks {
				end()
			}
			run = joined(run, texts)
		}
		for _, sub := range re.Sub {
			if texts, all := allTexts(sub); all {
				follow(texts)
				continue
			}
			if once, all := repeated(sub); all {
				follow(once)
				end()
				follow(once) // the last time
				continue
			}
			end()
			groups = append(groups, requiredTexts(sub)...)
		}
		return append(groups, group(run)...)
	case syntax.OpAlternate:
		var texts []string
		for _, sub := range re.Sub {
			groups := requiredTexts(sub)
			if len(groups) == 0 {
				return nil
			}
			texts = append(texts, slices.MaxFunc(groups, func(a, b []string) int { return cmp.Compare(shortest(a), shortest(b)) })...)
		}
		return group(texts)
	default:
		return nil
	}
}

// group is the texts as the only group, unless one of them is too short.
func group(texts []string) [][]string {
	if len(texts) > mostMarks || shortest(texts) < shortestMark {
		return nil
	}
	slices.Sort(texts)
	return [][]string{slices.Compact(texts)}
}

// shortest is the length of the shortest text, 0 for none.
func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	return len(slices.MinFunc(texts, func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
}

// allTexts returns all texts in lower case that an expression matches, where these are few.
func allTexts(re *syntax.Regexp) (texts []string, all bool) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}, true
	case syntax.OpLiteral:
		return []string{lowered(re.Rune)}, true
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if texts = append(texts, lowered([]rune{r})); len(texts) > mostMarks/4 {
					return nil, false
				}
			}
		}
		return texts, true
	case syntax.OpCapture:
		return allTexts(re.Sub[0])
	case syntax.OpQuest:
		texts, all = allTexts(re.Sub[0])
		return append(texts, ""), all
	case syntax.OpConcat:
		texts = []string{""}
		for _, sub := range re.Sub {
			more, all := allTexts(sub)
			if !all || len(texts)*len(more) > mostMarks {
				return nil, false
			}
			texts = joined(texts, more)
		}
		return texts, true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			more, all := allTexts(sub)
			if !all || len(texts)+len(more) > mostMarks {
				return nil, false
			}
			texts = append(texts, more...)
		}
		return texts, true
	default:
		return nil, false
	}
}

// repeated returns all texts of what an expression repeats at least once.
func repeated(re *syntax.Regexp) (texts []string, all bool) {
	if re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat && re.Min > 0 {
		return allTexts(re.Sub[0])
	}
	return nil, false
}

// joined returns each of the first texts followed by each of the second.
func joined(first, second []string) []string {
	all := make([]string, 0, len(first)*len(second))
	for _, a := range first {
		for _, b := range second {
			all = append(all, a+b)
		}
	}
	return all
}

const (
	// longestName is how long, in bytes, a part of a match is taken to be that the expression sets no bound to: a name, or blanks.
	longestName = 128
	// longestMatch bounds a whole match in the same way.
	longestMatch = 1 << 10
	// longestLetter is that of the scripts that people write in.
	longestLetter = 3
)

// longest is how many bytes a match of an expression takes at most.
func longest(re *syntax.Regexp) int {
	length := 0
	switch re.Op {
	case syntax.OpLiteral:
		length = len(string(re.Rune))
	case syntax.OpCharClass:
		length = min(utf8.RuneLen(re.Rune[len(re.Rune)-1]), longestLetter)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		length = longestLetter
	case syntax.OpStar, syntax.OpPlus:
		length = max(longestName, longest(re.Sub[0]))
	case syntax.OpRepeat:
		length = max(re.Max, re.Min) * longest(re.Sub[0])
		if re.Max < 0 {
			length = max(longestName, length)
		}
	case syntax.OpCapture, syntax.OpQuest:
		length = longest(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			length += longest(sub)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			length = max(length, longest(sub))
		}
	default: // the ends of texts, lines and words take none
	}
	return min(length, longestMatch)
}
