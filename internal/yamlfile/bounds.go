package yamlfile

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. The parser's time grows with the square of the keys in one mapping and of the nesting depth: 13,000
// keys, which is what maxTokens admits, take it 3 s. A baseline of 600 cases has 13,000 tokens.
const (
	maxSize   = 1 << 20 // bytes
	maxTokens = 40_000
	maxDepth  = 100
)

// tooMuch returns the token at which a file goes beyond the bounds, and the problem; "" for one within them.
func tooMuch(tokens token.Tokens) (at *token.Token, problem string) {
	if len(tokens) > maxTokens {
		return tokens[maxTokens], fmt.Sprintf("more than %d words and signs", maxTokens)
	}
	brackets, dashes, line := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType:
			if t.Position.Line != line {
				line, dashes = t.Position.Line, 0
			}
			dashes++
		default: // nests nothing
		}
		if brackets > maxDepth || dashes > maxDepth {
			return t, fmt.Sprintf("nested more than %d deep", maxDepth)
		}
	}
	return nil, ""
}

// expandsTooMuch reports whether a few aliases stand for more values than a file could hold.
func expandsTooMuch(root ast.Node) bool {
	sizes := make(map[string]int) // of the anchors, in the order of the file: an alias can only name an earlier one
	var size func(ast.Node) int
	size = func(node ast.Node) int {
		total := 1
		switch n := node.(type) {
		case *ast.AnchorNode:
			total = size(n.Value)
			sizes[n.Name.GetToken().Value] = total
		case *ast.AliasNode:
			total = sizes[n.Value.GetToken().Value]
		case *ast.TagNode:
			total = size(n.Value)
		case *ast.SequenceNode:
			for _, value := range n.Values {
				total = min(total+size(value), maxTokens+1)
			}
		}
		for _, pair := range pairs(node) {
			total = min(total+size(pair.Value), maxTokens+1)
		}
		return total
	}
	return size(root) > maxTokens
}
