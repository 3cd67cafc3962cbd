package profile

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// Root is the URL that a surface's own path follows: the base URL and the prefix.
func (p Profile) Root(s dialect.Surface) string {
	prefix, _ := p.Prefix.(string)
	if byName, ok := p.Prefix.(map[string]any); ok {
		for _, name := range namesOf(s) {
			if own, ok := byName[name].(string); ok {
				prefix = own
				break
			}
		}
	}
	if prefix = strings.Trim(prefix, "/"); prefix == "" {
		return p.BaseURL
	}
	return strings.TrimRight(p.BaseURL, "/") + "/" + prefix
}

// namesOf are the names under which a setting may be given for a surface, the closest first: its own, that of the surface
// without streaming, and its API format.
func namesOf(s dialect.Surface) []string {
	return []string{string(s), string(s.Endpoint()), string(s.Dialect())}
}

// checkName returns what is wrong with the name of a surface or an API format, "" for nothing.
func checkName(name string) string {
	known := append(names(dialect.Surfaces()), names(dialect.Dialects())...)
	if slices.Contains(known, name) {
		return ""
	}
	problem := fmt.Sprintf("%q is neither a surface nor an API format", name)
	if near := yamlfile.Nearest(name, known); near != "" {
		return fmt.Sprintf("%s: did you mean %q?", problem, near)
	}
	return problem + ": want one of " + strings.Join(known, ", ")
}

// prefixFault is what is wrong with a prefix and where, "" for nothing.
func prefixFault(prefix any) (path, problem string) {
	const want = "want a path such as /proxy"
	bad := func(v any) bool {
		text, isText := v.(string)
		u, err := url.Parse(text)
		return !isText || err != nil || !strings.HasPrefix(text, "/") || u.Host != "" || strings.ContainsAny(text, "?# ")
	}
	switch v := prefix.(type) {
	case nil:
	case string:
		if bad(v) {
			return "", want
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			path := ".'" + strings.ReplaceAll(name, "'", "") + "'"
			if problem := checkName(name); problem != "" {
				return path, problem
			}
			if bad(v[name]) {
				return path, want
			}
		}
	default:
		return "", "want a path, or a map of surfaces and API formats to paths"
	}
	return "", ""
}

// errModel is returned for the words of a model that make no sense.
var errModel = errors.New("want NAME, SURFACE=NAME or FORMAT=NAME")

// WithModels adds models in the words of a command line: "NAME" for all surfaces, "messages=NAME" for a surface with and
// without streaming, "anthropic=NAME" for an API format. What is closer comes first, in any order. Surfaces that have no
// model then are left out.
func (p Profile) WithModels(words ...string) (Profile, error) {
	given := make(map[string]string)
	for _, word := range words {
		name, model, named := strings.Cut(word, "=")
		if !named {
			name, model = "", word
		} else if problem := checkName(name); problem != "" {
			return p, fmt.Errorf("%w: %s", errModel, problem)
		}
		if strings.TrimSpace(model) == "" {
			return p, fmt.Errorf("%w: %q names no model", errModel, word)
		}
		if _, twice := given[name]; twice {
			return p, fmt.Errorf("%w: %q is given twice", errModel, word)
		}
		given[name] = model
	}
	m := &p.Models
	m.Default = given[""]
	for endpoint, own := range map[dialect.Surface]*string{
		dialect.Chat: &m.Chat, dialect.Completions: &m.Completion, dialect.Responses: &m.Responses,
		dialect.Messages: &m.Messages, dialect.GenerateContent: &m.Gemini, dialect.Embeddings: &m.Embeddings,
	} {
		for _, name := range namesOf(endpoint) {
			if model, ok := given[name]; ok {
				*own = model
				break
			}
		}
	}
	p.Surfaces = slices.DeleteFunc(slices.Clone(p.Surfaces), func(s dialect.Surface) bool { return m.On(s) == "" })
	return p, nil
}
