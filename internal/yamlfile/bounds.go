package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// The limits for a file. The parser's time grows with the square of the number of keys in one mapping and of the nesting depth: 13,000 keys take it
// 3 s. A baseline of 600 cases has 13,000 tokens.
const (
	maxSize   = 512 << 10 // bytes
	maxTokens = 40_000
	maxDepth  = 100
	maxLines  = 20_000
	maxBlank  = 200   // blank lines in a row: the lexer's time grows with their square
	maxKeys   = 2_500 // of one mapping
)

// Read reads a file up to one byte beyond the limits. [Parse] rejects a file of that size.
func Read(path string) (data []byte, err error) {
	file, err := os.Open(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, maxSize+1))
}

// beyond returns the line, from 1, at which a file goes beyond the bounds that can be seen without a lexer, and the problem; ""
// for one within them. It takes the file line by line, so that its time does not depend on what the lexer would make of it.
func beyond(data []byte) (line int, problem string) {
	if len(data) > maxSize {
		return 1, fmt.Sprintf("the file is larger than %d KiB", maxSize>>10)
	}
	for _, sign := range []string{"[", "{", ":", ","} {
		if bytes.Count(data, []byte(sign)) > maxTokens {
			return 1, fmt.Sprintf("the file has more than %d YAML tokens", maxTokens)
		}
	}
	type level struct{ indent, keys int }
	var levels []level
	blank := 0
	for text := range bytes.Lines(data) {
		if line++; line > maxLines {
			return line, fmt.Sprintf("the file has more than %d lines", maxLines)
		}
		content := bytes.TrimLeft(text, " \t")
		indent := len(text) - len(content)
		if content = bytes.TrimRight(content, " \t\r\n"); len(content) == 0 {
			if blank++; blank > maxBlank {
				return line, fmt.Sprintf("the file has more than %d blank lines in a row", maxBlank)
			}
			continue
		}
		blank = 0
		for len(levels) > 0 && levels[len(levels)-1].indent > indent {
			levels = levels[:len(levels)-1]
		}
		if len(levels) == 0 || levels[len(levels)-1].indent < indent {
			levels = append(levels, level{indent: indent})
		}
		if len(levels) > maxDepth {
			return line, fmt.Sprintf("the file is nested more than %d levels deep", maxDepth)
		}
		here := &levels[len(levels)-1]
		if content[0] != '-' && content[0] != '#' && bytes.IndexByte(content, ':') > 0 {
			here.keys++
		}
		if here.keys > maxKeys {
			return line, fmt.Sprintf("the mapping has more than %d keys", maxKeys)
		}
	}
	return 0, ""
}

// tooMuch returns the token at which a file goes beyond the bounds, and the problem; "" for one within them.
func tooMuch(tokens token.Tokens) (at *token.Token, problem string) {
	if len(tokens) > maxTokens {
		return tokens[maxTokens], fmt.Sprintf("the file has more than %d YAML tokens", maxTokens)
	}
	brackets, dashes, line := 0, 0, 0
	keys := make(map[int]int) // of the flow mapping that is open at a depth
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
			keys[brackets] = 0
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.MappingValueType:
			if keys[brackets]++; brackets > 0 && keys[brackets] > maxKeys {
				return t, fmt.Sprintf("the mapping has more than %d keys", maxKeys)
			}
		case token.SequenceEntryType:
			if t.Position.Line != line {
				line, dashes = t.Position.Line, 0
			}
			dashes++
		default: // nests nothing
		}
		if brackets > maxDepth || dashes > maxDepth {
			return t, fmt.Sprintf("the file is nested more than %d levels deep", maxDepth)
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
