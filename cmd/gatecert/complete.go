package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// candidate is a word that may stand at a place of the command line.
type candidate struct{ value, about string }

// complete returns what may stand in place of the last word, after those before it. The first word is the one after the name of the
// program. Nothing is returned where only the shell knows the words, as with files.
func complete(root *kong.Node, words []string) []candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	at := place{node: root}
	for _, word := range words[:len(words)-1] {
		at.pass(word)
	}
	return at.candidates(words[len(words)-1])
}

// place is how far a command line was read.
type place struct {
	node *kong.Node
	// awaited is the flag whose value comes next.
	awaited *kong.Flag
	// positional counts the arguments of the node that are no flags.
	positional int
	// noFlags is set after "--".
	noFlags bool
}

func (p *place) pass(word string) {
	switch {
	case p.awaited != nil:
		p.awaited = nil
	case p.noFlags:
		p.positional++
	case word == "--":
		p.noFlags = true
	case len(word) > 1 && word[0] == '-':
		name, _, given := strings.Cut(word, "=")
		if f := p.flag(name); f != nil && !given && !f.IsBool() && !f.IsCounter() {
			p.awaited = f
		}
	default:
		if child := p.child(word); child != nil {
			p.node, p.positional = child, 0
			return
		}
		p.positional++
	}
}

func (p *place) child(name string) *kong.Node {
	for _, child := range p.node.Children {
		if child.Type == kong.CommandNode && (child.Name == name || slices.Contains(child.Aliases, name)) {
			return child
		}
	}
	return nil
}

func (p *place) flags() (all []*kong.Flag) {
	for _, group := range p.node.AllFlags(true) {
		all = append(all, group...)
	}
	return all
}

func (p *place) flag(name string) *kong.Flag {
	for _, f := range p.flags() {
		if name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

func (p *place) candidates(word string) (found []candidate) {
	name, _, given := strings.Cut(word, "=")
	switch {
	case p.awaited != nil:
		return valuesOf(p.awaited.Value, "", word)
	case !p.noFlags && given && strings.HasPrefix(word, "--"):
		if f := p.flag(name); f != nil {
			return valuesOf(f.Value, name+"=", word)
		}
		return nil
	case !p.noFlags && strings.HasPrefix(word, "-"):
		for _, f := range p.flags() {
			found = append(found, candidate{"--" + f.Name, f.Help})
		}
		return beginning(found, word)
	}
	if p.positional == 0 {
		for _, child := range p.node.Children {
			if child.Type == kong.CommandNode && !child.Hidden {
				found = append(found, candidate{child.Name, child.Help})
			}
		}
	}
	if n := len(p.node.Positional); n > 0 {
		at := min(p.positional, n-1)
		if last := p.node.Positional[at]; at == p.positional || last.IsCumulative() {
			found = append(found, valuesOf(last, "", word)...)
		}
	}
	return beginning(found, word)
}

func beginning(found []candidate, prefix string) []candidate {
	return slices.DeleteFunc(found, func(c candidate) bool { return !strings.HasPrefix(c.value, prefix) })
}

// valuesOf returns the values of a flag or argument that continue a word. before stands before the value in the word. Of several values
// separated by commas the last is completed.
func valuesOf(v *kong.Value, before, word string) (found []candidate) {
	values := knownValues(v.Tag.Get("complete"))
	if v.Enum != "" {
		for _, value := range v.EnumSlice() {
			values = append(values, candidate{value: value})
		}
	}
	if comma := strings.LastIndexByte(word, ','); v.IsSlice() && comma >= len(before) {
		before = word[:comma+1]
	}
	for _, value := range values {
		value.value = before + value.value
		found = append(found, value)
	}
	return beginning(found, word)
}
