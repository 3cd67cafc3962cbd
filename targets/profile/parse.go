package profile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// ErrProfile is returned when a profile cannot be used. Its text starts with file:line:column and says what to do.
var ErrProfile = errors.New("profile")

// ProfileError is one thing wrong with a profile, and where.
type ProfileError struct {
	File         string
	Line, Column int
	Problem      string
}

func (e *ProfileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// Unwrap makes errors.Is(err, ErrProfile) hold.
func (e *ProfileError) Unwrap() error { return ErrProfile }

// Load reads a profile. Variables (${NAME}, ${NAME:-default}) are expanded with getenv, which says whether they are set.
//
// It returns [ErrProfile] for unknown keys, unset variables, wrong types and values that make no sense, and the
// error of the file system when the file cannot be read.
func Load(path string, getenv func(string) (string, bool)) (Profile, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return Profile{}, fmt.Errorf("read profile: %w", err)
	}
	return Parse(path, data, getenv)
}

// Parse is [Load] for a profile that is in memory; file names it in errors.
func Parse(file string, data []byte, getenv func(string) (string, bool)) (Profile, error) {
	l := loader{file: file, getenv: getenv}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Profile{}, l.wrap(err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return Profile{}, l.problem(1, 1, "want exactly one YAML document with the profile's fields")
	}
	l.root = tree.Docs[0].Body
	ast.Walk(&l, l.root)
	if l.err != nil {
		return Profile{}, l.err
	}
	var p Profile
	if err := yaml.NodeToValue(l.root, &p, yaml.Strict()); err != nil {
		return Profile{}, l.wrap(err)
	}
	if err := l.check(p); err != nil {
		return Profile{}, err
	}
	return p.WithDefaults(), nil
}

// loader walks one profile: it expands variables and knows where everything stands.
type loader struct {
	file   string
	getenv func(string) (string, bool)
	root   ast.Node
	err    error
}

// Visit implements [ast.Visitor]: it expands the variables of every string.
func (l *loader) Visit(node ast.Node) ast.Visitor {
	if s, ok := node.(*ast.StringNode); ok && l.err == nil && strings.Contains(s.Value, "${") {
		s.Value, l.err = l.expand(s.Value, s.Token)
	}
	return l
}

func (l *loader) expand(text string, at *token.Token) (string, error) {
	var out strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			out.WriteString(text)
			return out.String(), nil
		}
		end := strings.IndexByte(text[start:], '}')
		if end < 0 {
			return "", l.at(at, fmt.Sprintf("%q has ${ without }", text))
		}
		name, fallback, hasFallback := strings.Cut(text[start+2:start+end], ":-")
		value, set := l.getenv(name)
		switch {
		case set && value != "":
		case hasFallback:
			value = fallback
		default:
			return "", l.at(at, fmt.Sprintf("the variable %s is not set: export it, or write ${%s:-default}", name, name))
		}
		out.WriteString(text[:start] + value)
		text = text[start+end+1:]
	}
}

func (l *loader) problem(line, column int, problem string) error {
	return &ProfileError{File: l.file, Line: line, Column: column, Problem: problem}
}

func (l *loader) at(t *token.Token, problem string) error {
	if t == nil || t.Position == nil {
		return l.problem(1, 1, problem)
	}
	return l.problem(t.Position.Line, t.Position.Column, problem)
}

// wrap gives an error of the YAML library its place and, for an unknown key, its fix.
func (l *loader) wrap(err error) error {
	var located yaml.Error
	if !errors.As(err, &located) {
		return l.wrapUnlocated(err)
	}
	problem := located.GetMessage()
	var wrongType *yaml.TypeError
	var unknown *yaml.UnknownFieldError
	var wrongNode *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &wrongNode):
		problem = fmt.Sprintf("want %s here, not %s", nodeWords(wrongNode.Expected), nodeWords(wrongNode.Actual))
	case errors.As(err, &wrongType):
		problem = fmt.Sprintf("want %s here, not %s", kindWords(wrongType.DstType), kindWords(wrongType.SrcType))
	case errors.As(err, &unknown):
		problem = unknownKey(located.GetToken())
	}
	return l.at(located.GetToken(), problem)
}

// badDuration is how package time refuses a duration; the YAML library passes it on without its place.
var badDuration = regexp.MustCompile(`^time: .*duration "(.*)"$`)

func (l *loader) wrapUnlocated(err error) error {
	m := badDuration.FindStringSubmatch(err.Error())
	if m == nil {
		return l.problem(1, 1, err.Error())
	}
	var at *token.Token
	ast.Walk(visitor(func(node ast.Node) {
		if s, ok := node.(*ast.StringNode); ok && at == nil && s.Value == m[1] {
			at = s.Token
		}
	}), l.root)
	return l.at(at, "want a duration such as 2s here, not "+strconv.Quote(m[1]))
}

// visitor makes an [ast.Visitor] of a function.
type visitor func(ast.Node)

func (v visitor) Visit(node ast.Node) ast.Visitor {
	v(node)
	return v
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

// unknownKey names the key and the known key nearest to it.
func unknownKey(t *token.Token) string {
	known := knownKeys(reflect.TypeFor[Profile](), map[reflect.Type]bool{})
	if near := nearest(t.Value, known); near != "" {
		return fmt.Sprintf("unknown key %q: did you mean %q?", t.Value, near)
	}
	return fmt.Sprintf("unknown key %q: docs/profile.md lists the keys", t.Value)
}

func knownKeys(t reflect.Type, seen map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	var keys []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		keys = append(append(keys, name), knownKeys(field.Type, seen)...)
	}
	return keys
}

func kindWords(t reflect.Type) string {
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

// check refuses values that parse and make no sense.
func (l *loader) check(p Profile) error {
	for _, c := range append(driverRules(p), valueRules(p)...) {
		if c.bad {
			return l.under(c.path, c.problem)
		}
	}
	if _, err := p.TLS.Roots(); err != nil {
		return l.under("$.tls.ca", err.Error())
	}
	for i, s := range p.Load.Surfaces {
		if !slices.Contains(contract.LoadSurfaces(), s) {
			return l.under("$.load.surfaces["+strconv.Itoa(i)+"]", fmt.Sprintf("%q is not put under load: want %s", s, listed(contract.LoadSurfaces())))
		}
	}
	for i, s := range p.Surfaces {
		if err := l.checkSurface("$.surfaces["+strconv.Itoa(i)+"]", s); err != nil {
			return err
		}
	}
	for _, s := range slices.Sorted(maps.Keys(p.SurfaceHeaders)) {
		if err := l.checkSurface("$.surface_headers."+string(s), s); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Circumstances)) {
		if err := l.checkRecipe(name, p.Circumstances[name], p); err != nil {
			return err
		}
	}
	return nil
}

// rule is a demand on a profile: the place it stands at, what to say, and whether it is broken.
type rule struct {
	path, problem string
	bad           bool
}

// valueRules are about single values, and about values that exclude each other.
func valueRules(p Profile) []rule {
	return []rule{
		{"$.base_url", "want an absolute http or https URL", p.BaseURL != "" && !AbsoluteURL(p.BaseURL)},
		{"$.upstream.url", "want an absolute http or https URL", p.Upstream.URL != "" && !AbsoluteURL(p.Upstream.URL)},
		{"$.store", "sqlite and postgres exclude each other", p.Store.SQLite != "" && p.Store.Postgres != ""},
		{"$.upstream.attach", "want an absolute http or https URL", p.Upstream.Attach != "" && !AbsoluteURL(p.Upstream.Attach)},
		{"$.upstream", "listen and attach exclude each other", p.Upstream.Listen != "" && p.Upstream.Attach != ""},
		{"$.concurrency", fmt.Sprintf("want 1 to %d", MaxConcurrency), p.Concurrency < 0 || p.Concurrency > MaxConcurrency},
		{"$.limits", "limits cannot be negative", p.Limits.Timeout < 0 || p.Limits.Body < 0 || p.Limits.Attempts < 0 || p.Limits.Patience < 0},
		{"$.limits.rate", "want key and requests", p.Limits.Rate.Key != "" && p.Limits.Rate.Requests < 1},
		{"$.limits.rate.key", "want another key than keys.valid: that one has to be free while the limit is used up", sameKey(p.Limits.Rate.Key, p.Keys.Valid)},
		{"$.limits.rate.kind", "want " + limiterWords(), p.Limits.Rate.Kind != "" && !p.Limits.Rate.Kind.Valid()},
		{"$.limits.rate.burst", "want a positive number", p.Limits.Rate.Burst < 0},
		{"$.limits.rate.burst", "only a token-bucket has a burst", p.Limits.Rate.Burst > 0 && p.Limits.Rate.Kind != contract.TokenBucket},
	}
}

// driverRules are about the driver and what it needs.
func driverRules(p Profile) []rule {
	noUser := p.Admin.User == "" || p.Admin.Password == ""
	return []rule{
		{"$.driver", "want " + driverWords(), p.Driver != "" && !slices.Contains(drivers(), p.Driver)},
		{"$.admin", "only " + NewAPIDriver + " and " + OneAPIDriver + " have an administrator", p.Admin != (Admin{}) && !p.Prepares()},
		{"$.driver", "driver " + p.Driver + " needs admin: a token, or a user and a password", p.Prepares() && p.Admin.Token == "" && noUser},
		{"$.admin", "a token excludes user and password", p.Admin.Token != "" && p.Admin.User+p.Admin.Password != ""},
		{"", "driver " + cmp.Or(p.Driver, StaticDriver) + " needs base_url", p.BaseURL == "" && p.Driver != ReferenceDriver},
	}
}

// sameKey reports whether two keys are one. Those of a log are all alike, since they are redacted.
func sameKey(a, b string) bool { return a != "" && a == b && !strings.HasPrefix(a, "[") }

// drivers are the names a profile can give.
func drivers() []string { return []string{StaticDriver, ReferenceDriver, NewAPIDriver, OneAPIDriver} }

func driverWords() string { return "one of " + strings.Join(drivers(), ", ") }

// Prepares reports whether the profile's driver prepares a running gateway through its admin API.
func (p Profile) Prepares() bool { return p.Driver == NewAPIDriver || p.Driver == OneAPIDriver }

func limiterWords() string {
	words := make([]string, 0, len(contract.LimiterKinds()))
	for _, kind := range contract.LimiterKinds() {
		words = append(words, string(kind))
	}
	return "one of " + strings.Join(words, ", ")
}

func (l *loader) checkSurface(path string, s dialect.Surface) error {
	if s.Valid() {
		return nil
	}
	names := make([]string, 0, len(dialect.Surfaces()))
	for _, known := range dialect.Surfaces() {
		names = append(names, string(known))
	}
	problem := fmt.Sprintf("unknown surface %q: want one of %s", s, strings.Join(names, ", "))
	if near := nearest(string(s), names); near != "" {
		problem = fmt.Sprintf("unknown surface %q: did you mean %q?", s, near)
	}
	return l.under(path, problem)
}

func (l *loader) checkRecipe(name string, recipe Recipe, p Profile) error {
	path := "$.circumstances.'" + name + "'"
	circ, variant, _ := strings.Cut(name, "/")
	known, ok := contract.CircumstanceByID(circ)
	if !ok {
		var names []string
		for _, c := range contract.Circumstances() {
			names = append(names, c.ID)
		}
		problem := fmt.Sprintf("unknown circumstance %q: gatecert list circumstances shows them", circ)
		if near := nearest(circ, names); near != "" {
			problem = fmt.Sprintf("unknown circumstance %q: did you mean %q?", circ, near)
		}
		return l.under(path, problem)
	}
	if _, ok := known.Variant(variant); !ok && variant != "" {
		return l.under(path, fmt.Sprintf("circumstance %s has no variant %q", circ, variant))
	}
	for i, s := range recipe.Surfaces {
		if err := l.checkSurface(path+".surfaces["+strconv.Itoa(i)+"]", s); err != nil {
			return err
		}
	}
	for _, s := range slices.Sorted(maps.Keys(recipe.On)) {
		if err := l.checkSurface(path+".on", s); err != nil {
			return err
		}
	}
	for _, action := range slices.Concat(recipe.Before, recipe.After) {
		if (action.Run == "") == (action.SQL == "") || action.Do != "" {
			return l.under(path, "an action is either run: or sql:")
		}
		if action.SQL != "" && !p.Store.Present() {
			return l.under(path, "sql: needs store.sqlite, the path of the gateway's database, or store.postgres, its URL")
		}
	}
	return nil
}

// under finds the place of a path in the file, or of the nearest parent that stands there.
func (l *loader) under(path, problem string) error {
	for path != "" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.FilterNode(l.root); err == nil && node != nil {
				return l.at(node.GetToken(), problem)
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		path = path[:max(cut, 0)]
	}
	return l.problem(1, 1, problem)
}

// AbsoluteURL reports whether a text is an http or https URL with a host.
func AbsoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
