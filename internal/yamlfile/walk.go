package yamlfile

import (
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

type visitor func(ast.Node)

func (v visitor) Visit(node ast.Node) ast.Visitor {
	v(node)
	return v
}

// walk visits a node and everything in it with the type that it is decoded into. What an alias stands for is visited
// where it is defined.
func walk(node ast.Node, t reflect.Type, visit func(ast.Node, reflect.Type)) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return
	}
	visit(node, t)
	switch n := node.(type) {
	case *ast.AnchorNode:
		walk(n.Value, t, visit)
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			for _, value := range n.Values {
				walk(value, t.Elem(), visit)
			}
		}
	}
	for _, pair := range pairs(node) {
		switch t.Kind() {
		case reflect.Map:
			walk(pair.Value, t.Elem(), visit)
		case reflect.Struct:
			for field := range t.Fields() {
				if keyOf(field) == pair.Key.GetToken().Value {
					walk(pair.Value, field.Type, visit)
				}
			}
		default: // has no members
		}
	}
}

// pairs are the keys and values of a mapping; a mapping of one pair may have a node type of its own.
func pairs(node ast.Node) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	default:
		return nil
	}
}

// keyOf is the key of a field, "-" for one that no file has.
func keyOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
	return name
}

func nodeWords(t ast.NodeType) string {
	switch t {
	case ast.SequenceType:
		return "a list"
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.StringType, ast.LiteralType:
		return "a string"
	default:
		return "a " + strings.ToLower(t.YAMLName())
	}
}

func typeWords(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping"
	case reflect.String:
		return "a string"
	case reflect.Int64:
		if t.Name() == "Duration" {
			return "a duration such as 2s"
		}
		return "a whole number"
	case reflect.Int, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	default:
		return t.String()
	}
}
