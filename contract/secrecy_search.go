package contract

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/gatecert/gatecert/dialect"
)

// inner lists what of the gateway's inside a text shows, with an excerpt each: one of each kind.
func inner(text []byte) []string {
	var shown []string
	search := leakSearch()
	places := search.marks.find(text)
	if places == nil {
		return nil
	}
	last := ""
	for _, p := range search.patterns {
		if p.what == last || !p.near(text, places) {
			continue
		}
		// A window may begin and end in the middle of a word. Only the whole text is right.
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
	re   *regexp.Regexp
	// groups are the groups of marks of which each has one in every match. Looking for all marks takes one pass, an expression
	// takes a hundred times as long, and nearly every answer has no match.
	groups []int
	// reach is how far from any of its marks a match begins and ends, and one more for what stands before and after it.
	reach int
}

// near reports whether the expression matches in a window around its marks.
func (p leakPattern) near(text []byte, places [][]int) bool {
	at := p.candidates(places)
	for len(at) > 0 {
		from, to := max(0, at[0]-p.reach), at[0]+p.reach
		for len(at) > 0 && at[0]-p.reach <= to {
			to = at[0] + p.reach
			at = at[1:]
		}
		if p.re.Match(text[from:min(to, len(text))]) {
			return true
		}
	}
	return false
}

// candidates are the places, in order, of the marks that have a mark of every other group within reach. They are those of the
// group that the text has least often.
func (p leakPattern) candidates(places [][]int) (at []int) {
	rarest := places[p.groups[0]]
	for _, group := range p.groups {
		if len(places[group]) < len(rarest) {
			rarest = places[group]
		}
	}
	for _, place := range rarest {
		if !slices.ContainsFunc(p.groups, func(group int) bool {
			next, _ := slices.BinarySearch(places[group], place-p.reach)
			return next == len(places[group]) || places[group][next] > place+p.reach
		}) {
			at = append(at, place)
		}
	}
	return at
}

// search is all expressions, and all of their marks.
type search struct {
	patterns []leakPattern
	marks    marks
}

// leakSearch compiles the expressions at the first use: programs that judge nothing need not wait for it.
var leakSearch = sync.OnceValue(func() *search {
	var s search
	for _, kind := range leakKinds {
		for _, expression := range kind.expressions {
			p := leakPattern{what: kind.what, re: regexp.MustCompile(expression)}
			parsed, _ := syntax.Parse(expression, syntax.Perl) // it was compiled
			p.reach = longest(parsed) + 1
			for _, texts := range requiredTexts(parsed) {
				p.groups = append(p.groups, s.marks.add(texts))
			}
			s.patterns = append(s.patterns, p)
		}
	}
	return &s
})

// marks are groups of texts in lower case that are looked for all at once.
type marks struct {
	groups [][]string
	// lists are the marks that begin with the same two bytes.
	lists [][]mark
	// beginning says which of the lists is that of two bytes, from 1 on; 0 is for none.
	beginning [1 << 16]uint16
}

// mark is a text of a group.
type mark struct {
	text  string
	group int
}

// add returns the number of a group.
func (m *marks) add(texts []string) (group int) {
	group = slices.IndexFunc(m.groups, func(known []string) bool { return slices.Equal(known, texts) })
	if group >= 0 {
		return group
	}
	group = len(m.groups)
	m.groups = append(m.groups, texts)
	for _, text := range texts {
		if slices.ContainsFunc(texts, func(shorter string) bool { return shorter != text && strings.HasPrefix(text, shorter) }) {
			continue // the shorter one stands wherever this does
		}
		list := &m.beginning[int(text[0])<<8|int(text[1])]
		if *list == 0 {
			m.lists = append(m.lists, nil)
			*list = uint16(len(m.lists)) //nolint:gosec // a few hundred
		}
		m.lists[*list-1] = append(m.lists[*list-1], mark{text, group})
	}
	return group
}

// find returns the places of each group's texts, whatever their case, in order; nil when there are none.
func (m *marks) find(text []byte) (places [][]int) {
	if len(text) == 0 {
		return nil
	}
	next := asciiLower(text[0])
	for i := range len(text) - 1 {
		first := next
		next = asciiLower(text[i+1])
		list := m.beginning[int(first)<<8|int(next)]
		if list == 0 {
			continue
		}
		for _, mark := range m.lists[list-1] {
			if !startsWith(text[i+2:], mark.text[2:]) {
				continue
			}
			if places == nil {
				places = make([][]int, len(m.groups))
			}
			places[mark.group] = append(places[mark.group], i)
		}
	}
	return places
}

// startsWith reports whether a text, in whatever case, starts with what is in lower case.
func startsWith(text []byte, lower string) bool {
	if len(text) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if asciiLower(text[i]) != lower[i] {
			return false
		}
	}
	return true
}

// lowered is a text in ASCII lower case.
func lowered(text []rune) string {
	lower := []byte(string(text))
	for i, b := range lower {
		lower[i] = asciiLower(b)
	}
	return string(lower)
}

func asciiLower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}
