// Package yamlfile reads YAML files that people write (profiles and baselines) and reports the position of every mistake: file:line:column. For an
// unknown key, it suggests the nearest known key; for a wrong type, it explains the mistake in plain words.
//
// A file contains one document. Its size, its nesting depth and the size of its expanded aliases are limited, because a profile may come from a
// stranger's log.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Error is one mistake in a file. Line and Column count from 1.
type Error struct {
	File         string
	Line, Column int
	Problem      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// Document is a parsed file.
type Document struct {
	file string
	root ast.Node
}

// Parse parses the content of a file. It returns an [*Error] if the content is not YAML, is not exactly one document, or exceeds the limits.
func Parse(file string, data []byte) (*Document, error) {
	d := &Document{file: file}
	if line, problem := beyond(data); problem != "" {
		return nil, &Error{File: file, Line: line, Column: 1, Problem: problem}
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF")) // some editors write a byte order mark
	tokens := lexer.Tokenize(string(data))
	if t, problem := tooMuch(tokens); problem != "" {
		return nil, d.at(t, problem)
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, d.located(err, nil)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, d.at(nil, "expected exactly one YAML document")
	}
	d.root = tree.Docs[0].Body
	if expandsTooMuch(d.root) {
		return nil, d.at(nil, fmt.Sprintf("the YAML aliases expand to more than %d values", maxTokens))
	}
	return d, nil
}

// MapStrings replaces every string, including keys, by the result of f, which receives the string and its path. The path is "" for a string that an
// alias may use elsewhere. MapStrings returns the first error of f, with its position.
func (d *Document) MapStrings(f func(path, text string) (string, error)) error {
	shared := make(map[ast.Node]bool)
	ast.Walk(visitor(func(node ast.Node) {
		if anchor, ok := node.(*ast.AnchorNode); ok {
			ast.Walk(visitor(func(inside ast.Node) { shared[inside] = true }), anchor.Value)
		}
	}), d.root)
	var failed error
	ast.Walk(visitor(func(node ast.Node) {
		s, ok := node.(*ast.StringNode)
		if !ok || failed != nil {
			return
		}
		path := s.GetPath()
		if shared[node] {
			path = ""
		}
		value, err := f(path, s.Value)
		if err != nil {
			failed = d.at(s.Token, err.Error())
			return
		}
		s.Value = value
	}), d.root)
	return failed
}

// Decode stores the document in the value that into points to, by its yaml tags. It returns an [*Error] for an unknown
// key or a wrong type.
func (d *Document) Decode(into any) error {
	return d.decode(into, yaml.Strict())
}

// DecodeKnown is Decode for a file that another version may have written: it ignores unknown keys.
func (d *Document) DecodeKnown(into any) error { return d.decode(into) }

func (d *Document) decode(into any, options ...yaml.DecodeOption) error {
	if t := fraction(d.root, reflect.TypeOf(into)); t != nil {
		return d.at(t, "expected a whole number, got a number with a fraction")
	}
	if err := yaml.NodeToValue(d.root, into, options...); err != nil {
		return d.located(err, reflect.TypeOf(into))
	}
	return nil
}

// Position returns the position of a path such as $.limits.rate or $.surfaces[2], or of its nearest parent in the file.
func (d *Document) Position(path string) (line, column int) {
	t := d.find(path)
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return t.Position.Line, t.Position.Column
}

// Fault returns an [*Error] at the position of a path.
func (d *Document) Fault(path, problem string) error { return d.at(d.find(path), problem) }

func (d *Document) find(path string) *token.Token {
	for path != "" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.FilterNode(d.root); err == nil && node != nil {
				return start(node)
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return nil
}

// start is the first token of a node. A mapping's own token is its first colon or its brace.
func start(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}

func (d *Document) at(t *token.Token, problem string) error {
	e := &Error{File: d.file, Line: 1, Column: 1, Problem: problem}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}

// located turns an error of the YAML library into an [*Error]; into is the type that was decoded.
func (d *Document) located(err error, into reflect.Type) error {
	var library yaml.Error
	if !errors.As(err, &library) {
		if t := badDuration(d.root, into); t != nil {
			return d.at(t, fmt.Sprintf("expected a duration such as 2s, got %q", t.Value))
		}
		return d.at(nil, err.Error())
	}
	problem := library.GetMessage()
	var wrongType *yaml.TypeError
	var unknown *yaml.UnknownFieldError
	var wrongNode *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &wrongNode):
		problem = fmt.Sprintf("expected %s, got %s", nodeWords(wrongNode.Expected), nodeWords(wrongNode.Actual))
	case errors.As(err, &wrongType):
		problem = fmt.Sprintf("expected %s, got %s", typeWords(wrongType.DstType), typeWords(wrongType.SrcType))
	case errors.As(err, &unknown):
		problem = unknownKey(library.GetToken().Value, keysAt(d.root, into, library.GetToken()))
	}
	return d.at(library.GetToken(), problem)
}

// badDuration finds the duration that does not parse: the YAML library passes the error of package time on without its
// place.
func badDuration(root ast.Node, into reflect.Type) (at *token.Token) {
	walk(root, into, func(node ast.Node, t reflect.Type) {
		if s, ok := node.(*ast.StringNode); ok && at == nil && t == reflect.TypeFor[time.Duration]() {
			if _, err := time.ParseDuration(s.Value); err != nil {
				at = s.Token
			}
		}
	})
	return at
}

// fraction finds a number with a fraction where a whole one is wanted: the YAML library would cut the fraction off.
func fraction(root ast.Node, into reflect.Type) (at *token.Token) {
	walk(root, into, func(node ast.Node, t reflect.Type) {
		if f, ok := node.(*ast.FloatNode); ok && at == nil && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && f.Value != math.Trunc(f.Value) {
			at = f.Token
		}
	})
	return at
}

func keysAt(root ast.Node, into reflect.Type, key *token.Token) (keys []string) {
	walk(root, into, func(node ast.Node, t reflect.Type) {
		for _, pair := range pairs(node) {
			if pair.Key.GetToken() == key && t.Kind() == reflect.Struct {
				for field := range t.Fields() {
					if name := keyOf(field); name != "-" {
						keys = append(keys, name)
					}
				}
			}
		}
	})
	return keys
}

func unknownKey(key string, known []string) string {
	switch near := Nearest(key, known); {
	case near != "":
		return fmt.Sprintf("unknown key %q: did you mean %q?", key, near)
	case len(known) == 0:
		return fmt.Sprintf("unknown key %q", key)
	default:
		return fmt.Sprintf("unknown key %q: must be %s", key, anyOf(known))
	}
}

// anyOf writes "a", "a or b", "a, b or c".
func anyOf(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
