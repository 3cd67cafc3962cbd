package docs_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/hall"
	"github.com/gatecert/gatecert/targets/profile"
)

var update = flag.Bool("update", false, "write the schemas of profiles and baselines anew")

// object is a JSON Schema, or a part of one. encoding/json sorts its members.
type object = map[string]any

const (
	schemaDialect = "https://json-schema.org/draft/2020-12/schema"
	schemaHome    = "https://raw.githubusercontent.com/gatecert/gatecert/main/docs/schema/"
	// variable is in a text whose value is only known where its variables are set.
	variable = `\$\{`
)

// schemas makes the schema of a file from the type that it is decoded into: the keys are the yaml tags, the descriptions the doc comments.
type schemas struct {
	// comments are the doc comments of types ("Rate") and fields ("Rate.Key"), and keys the yaml keys of fields by their Go names.
	comments, keys map[string]string
	defs           object
	// tag is that of the keys. Those of json are of what gatecert writes: without variables, and there unless they are omitted.
	tag string
}

// newSchemas reads the comments of the packages in these folders.
func newSchemas(t *testing.T, folders ...string) *schemas {
	t.Helper()
	s := &schemas{comments: make(map[string]string), keys: make(map[string]string), defs: object{}, tag: "yaml"}
	s.readAll(t, folders)
	return s
}

// newWritten reads the comments of what gatecert writes as JSON.
func newWritten(t *testing.T, folders ...string) *schemas {
	t.Helper()
	s := &schemas{comments: make(map[string]string), keys: make(map[string]string), defs: object{}, tag: "json"}
	s.readAll(t, folders)
	return s
}

func (s *schemas) readAll(t *testing.T, folders []string) {
	t.Helper()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			require.NoError(t, err)
			for _, declared := range parsed.Decls {
				if general, ok := declared.(*ast.GenDecl); ok {
					s.read(general)
				}
			}
		}
	}
}

func (s *schemas) read(declared *ast.GenDecl) {
	for _, spec := range declared.Specs {
		named, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		s.comments[named.Name.Name] = declared.Doc.Text()
		structure, ok := named.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, field := range structure.Fields.List {
			for _, name := range field.Names {
				s.comments[named.Name.Name+"."+name.Name] = field.Doc.Text()
				if field.Tag != nil {
					tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get(s.tag)
					s.keys[name.Name], _, _ = strings.Cut(tag, ",")
				}
			}
		}
	}
}

var (
	word    = regexp.MustCompile(`\b[A-Za-z]+\b`)
	docLink = regexp.MustCompile(`\[([A-Za-z.]+)\]`)
)

// described is the comment of a type or a field in the words of the file: its keys in place of the names of fields. key stands in place of
// the name with which the comment begins.
func (s *schemas) described(name, comment, key string) string {
	comment = docLink.ReplaceAllString(strings.Join(strings.Fields(comment), " "), "$1")
	if rest, ok := strings.CutPrefix(comment, name+" "); ok {
		comment = key + " " + rest
	}
	return word.ReplaceAllStringFunc(comment, func(w string) string {
		key := s.keys[w]
		camel := strings.IndexFunc(w[1:], func(c rune) bool { return c >= 'A' && c <= 'Z' }) >= 0
		if key == "" || key == "-" || !camel || strings.ToUpper(w) == w {
			return w
		}
		return key
	})
}

func refTo(name string) object { return object{"$ref": "#/$defs/" + name} }

func enum[T ~string](values []T) object { return object{"enum": values} }

// orVariable permits a text with variables too.
func orVariable(schema object) object {
	return object{"anyOf": []any{schema, object{"type": "string", "pattern": variable}}}
}

// of is the schema of values of a type.
func (s *schemas) of(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		return s.of(t.Elem())
	}
	if s.tag == "json" {
		return s.written(t)
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return orVariable(object{"type": "string", "pattern": `^\+?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$`})
	case reflect.TypeFor[dialect.Surface]():
		return orVariable(enum(dialect.Surfaces()))
	case reflect.TypeFor[contract.LimiterKind]():
		return orVariable(enum(contract.LimiterKinds()))
	case reflect.TypeFor[baseline.Date]():
		return object{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`, "format": "date"}
	}
	own := reflect.PointerTo(t).Implements(reflect.TypeFor[interface {
		UnmarshalYAML(unmarshal func(any) error) error
	}]())
	var one object
	switch t.Kind() {
	case reflect.String:
		return object{"type": []any{"string", "number"}}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return orVariable(object{"type": "integer"})
	case reflect.Float64:
		return orVariable(object{"type": "number"})
	case reflect.Slice:
		one = s.of(t.Elem())
		list := object{"type": "array", "items": one}
		if !own {
			return list
		}
		return object{"anyOf": []any{one, list}}
	case reflect.Map:
		out := object{"type": "object", "additionalProperties": s.of(t.Elem())}
		if t.Key() == reflect.TypeFor[dialect.Surface]() {
			out["propertyNames"] = enum(dialect.Surfaces())
		}
		return out
	case reflect.Struct:
		s.structure(t)
		if one = refTo(t.Name()); own {
			return object{"anyOf": []any{one, object{"type": "array", "items": one}}}
		}
		return one
	default:
		return object{} // anything
	}
}

// written is the schema of values that gatecert writes.
func (s *schemas) written(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[contract.Verdict]():
		return enum(contract.Verdicts())
	case reflect.TypeFor[contract.RowID]():
		var ids []contract.RowID
		for _, r := range contract.Rows() {
			ids = append(ids, r.ID)
		}
		return enum(ids)
	case reflect.TypeFor[hall.Kind]():
		return enum(hall.Kinds())
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer", "minimum": 0}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "propertyNames": s.of(t.Key()), "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		s.structure(t)
		return refTo(t.Name())
	default:
		panic("no schema for " + t.String())
	}
}

func (s *schemas) structure(t reflect.Type) {
	if _, done := s.defs[t.Name()]; done {
		return
	}
	properties := object{}
	def := object{"type": "object", "additionalProperties": false, "properties": properties}
	s.defs[t.Name()] = def // before its fields: a recipe has recipes
	if about := s.described(t.Name(), s.comments[t.Name()], t.Name()); about != "" {
		def["description"] = about
	}
	var required []any
	for field := range t.Fields() {
		key, options, _ := strings.Cut(field.Tag.Get(s.tag), ",")
		if key == "-" || key == "" {
			continue
		}
		if s.tag == "json" && options == "" {
			required = append(required, key)
		}
		value := s.of(field.Type)
		about := s.described(field.Name, s.comments[t.Name()+"."+field.Name], key)
		if about == "" {
			about = s.described(field.Type.Name(), s.comments[field.Type.Name()], key)
		}
		if about != "" {
			value = maps.Clone(value)
			value["description"] = about
		}
		properties[key] = value
	}
	if len(required) > 0 {
		def["required"] = required
	}
}

// properties are the keys of a type.
func (s *schemas) properties(name string) object {
	return s.defs[name].(object)["properties"].(object)
}

// narrow adds what a check of the file asks for beyond its types.
func (s *schemas) narrow(name, key string, more object) {
	out := maps.Clone(more)
	if about, ok := s.properties(name)[key].(object)["description"]; ok {
		out["description"] = about
	}
	s.properties(name)[key] = out
}

// never says that two keys exclude each other.
func never(both ...string) object { return object{"not": object{"required": both}} }

func (s *schemas) document(file, title string, root object) []byte {
	root["$schema"], root["$id"], root["title"] = schemaDialect, schemaHome+file, title
	if len(s.defs) > 0 {
		root["$defs"] = s.defs
	}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps and texts
	}
	return append(out, '\n')
}

// profileSchema is the schema of profiles: their types, and of their checks what a schema can say.
func profileSchema(t *testing.T) []byte {
	t.Helper()
	s := newSchemas(t, "../targets/profile")
	s.of(reflect.TypeFor[profile.Profile]())
	url := object{"type": "string", "pattern": `^https?://[^/?#\s]|` + variable}
	counts := orVariable(object{"type": "integer", "minimum": 0})
	path := object{"type": "string", "pattern": `^/[^?# ]*$|` + variable}
	var circumstances []string
	for _, c := range contract.Circumstances() {
		for _, v := range c.Variants {
			if v.Name != "" {
				circumstances = append(circumstances, c.ID+"/"+v.Name)
			}
		}
		circumstances = append(circumstances, c.ID)
	}
	slices.Sort(circumstances)
	bySurface := func(value object) object {
		names := enum(slices.Concat(texts(dialect.Surfaces()), texts(dialect.Dialects())))
		return object{"anyOf": []any{value, object{"type": "object", "propertyNames": names, "additionalProperties": value}}}
	}
	s.narrow("Profile", "base_url", object{"type": "string", "pattern": `^https?://[^/?#@\s]+(/[^?#@\s]*)?$|` + variable})
	s.narrow("Profile", "driver", orVariable(enum([]string{profile.StaticDriver, profile.ReferenceDriver, profile.NewAPIDriver, profile.OneAPIDriver})))
	s.narrow("Profile", "concurrency", orVariable(object{"type": "integer", "minimum": 0, "maximum": profile.MaxConcurrency}))
	s.narrow("Profile", "prefix", bySurface(path))
	s.narrow("Profile", "circumstances", object{"type": "object", "propertyNames": enum(circumstances), "additionalProperties": refTo("Recipe")})
	s.narrow("Upstream", "url", url)
	s.narrow("Upstream", "attach", url)
	s.narrow("Upstream", "protocol", bySurface(enum(dialect.Dialects())))
	s.narrow("LoadSettings", "surfaces", object{"type": "array", "items": enum(contract.LoadSurfaces())})
	for _, key := range []string{"body", "attempts"} {
		s.narrow("Limits", key, counts)
	}
	s.narrow("Rate", "burst", counts)
	s.narrow("Claims", "codes", object{"anyOf": []any{
		enum([]string{"published", "none"}),
		object{
			"type": "object", "propertyNames": enum(codes()),
			"additionalProperties": object{"anyOf": []any{object{"type": "string"}, object{"type": "array", "items": object{"type": "string"}}}},
		},
	}})
	delete(s.properties("Profile"), "lacks") // only a driver says it, and a log has it
	delete(s.properties("Action"), "do")
	s.defs["Action"].(object)["oneOf"] = []any{object{"required": []any{"run"}}, object{"required": []any{"sql"}}}
	s.defs["DB"].(object)["not"] = object{"required": []any{"sqlite", "postgres"}}
	s.defs["Admin"].(object)["allOf"] = []any{never("token", "user"), never("token", "password")}
	s.defs["Upstream"].(object)["allOf"] = []any{never("listen", "attach")}
	s.defs["Upstream"].(object)["dependentRequired"] = object{"token": []any{"attach"}}
	s.defs["Rate"].(object)["dependentRequired"] = object{"burst": []any{"kind"}}
	return s.document("profile.schema.json", "A profile of gatecert: a gateway under test (docs/profile.md)", refTo("Profile"))
}

func texts[T ~string](values []T) (out []string) {
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

func codes() (all []string) {
	for _, row := range contract.Rows() {
		if code := row.Code(); code != "" {
			all = append(all, code)
		}
	}
	return all
}

func baselineSchema(t *testing.T) []byte {
	t.Helper()
	s := newSchemas(t, "../reports/baseline")
	s.of(reflect.TypeFor[baseline.Entry]())
	s.defs["Entry"].(object)["required"] = []any{"case", "reason"}
	s.narrow("Entry", "case", object{"type": "string", "pattern": `^\S+$`})
	s.narrow("Entry", "reason", object{"type": "string", "pattern": `\S`})
	entries := object{"type": []any{"array", "null"}, "items": refTo("Entry"), "description": "the failures that are expected for now"}
	root := object{"type": "object", "additionalProperties": false, "properties": object{"expected_failures": entries}}
	return s.document("baseline.schema.json", "A baseline of gatecert: failures that are expected for now (docs/ci.md)", root)
}

func hallSchema(t *testing.T) []byte {
	t.Helper()
	s := newWritten(t, "../reports/hall")
	s.of(reflect.TypeFor[hall.Data]())
	s.narrow("Data", "schema", object{"const": hall.DataSchema})
	s.narrow("DataRow", "verdict", enum(append(contract.Verdicts(), reports.NotRun)))
	s.narrow("Data", "as_of", object{"type": "string", "format": "date"})
	return s.document("hall.schema.json", "data.json of a hall of results (docs/hall.md)", refTo("Data"))
}

func TestTheSchemasAreThoseOfTheTypes(t *testing.T) {
	for file, want := range map[string][]byte{
		"profile.schema.json": profileSchema(t), "baseline.schema.json": baselineSchema(t), "hall.schema.json": hallSchema(t),
	} {
		path := filepath.Join("schema", file)
		if *update {
			require.NoError(t, os.WriteFile(path, want, 0o600))
		}
		have, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(have), "go test ./docs -update writes docs/schema/%s anew", file)
	}
}
