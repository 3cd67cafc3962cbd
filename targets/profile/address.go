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

// Root returns the URL to which a surface's own path is appended: the base URL and the prefix.
func (p Profile) Root(s dialect.Surface) string {
	prefix := strings.Trim(bySurface(p.Prefix, s), "/")
	if prefix == "" {
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
	return fmt.Sprintf("%q is neither an endpoint nor an API format: %s", name, yamlfile.DidYouMean(name, known, "use one of "+strings.Join(known, ", ")))
}

// UpstreamProtocols returns, by surface, the API formats that the profile declares for calls to the mock upstream. It returns nil if the profile
// declares none.
func (p Profile) UpstreamProtocols(surfaces []dialect.Surface) map[dialect.Surface]string {
	if p.Upstream.Protocol == nil {
		return nil
	}
	named := make(map[dialect.Surface]string)
	for _, s := range surfaces {
		if protocol := bySurface(p.Upstream.Protocol, s); protocol != "" {
			named[s] = protocol
		}
	}
	return named
}

// bySurface is the text of a setting for a surface: the setting itself, or what stands in its map under the closest name.
func bySurface(setting any, s dialect.Surface) string {
	text, _ := setting.(string)
	byName, _ := setting.(map[string]any)
	for _, name := range namesOf(s) {
		if own, ok := byName[name].(string); ok {
			return own
		}
	}
	return text
}

// protocolFault is what is wrong with the protocols of the upstream and where, "" for nothing.
func protocolFault(protocol any) (path, problem string) {
	want := "upstream.protocol must be one of " + listed(dialect.Dialects())
	bad := func(v any) bool {
		text, _ := v.(string)
		return !slices.Contains(dialect.Dialects(), dialect.Dialect(text))
	}
	return faultBySurface(protocol, bad, want, want+", or a map from endpoints and API formats to these names")
}

// prefixFault is what is wrong with a prefix and where, "" for nothing.
func prefixFault(prefix any) (path, problem string) {
	const want = "prefix must be a path such as /proxy"
	bad := func(v any) bool {
		text, isText := v.(string)
		u, err := url.Parse(text)
		return !isText || err != nil || !strings.HasPrefix(text, "/") || u.Host != "" || strings.ContainsAny(text, "?# ")
	}
	return faultBySurface(prefix, bad, want, "prefix must be a path or a map from endpoints and API formats to paths")
}

// faultBySurface is what is wrong with a setting that is a text, or a map of surfaces and API formats to texts.
func faultBySurface(setting any, bad func(any) bool, want, wantAny string) (path, problem string) {
	switch v := setting.(type) {
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
		return "", wantAny
	}
	return "", ""
}

// errModel is returned for the words of a model that make no sense.
var errModel = errors.New("a model must be given as NAME, SURFACE=NAME or FORMAT=NAME")

// WithModels adds models as written on a command line: "NAME" for all surfaces, "messages=NAME" for a surface with and without streaming,
// "anthropic=NAME" for an API format. A more specific entry takes precedence, regardless of the order. If there are several models for the same
// surface, the same API format or all surfaces, the first one is used, and the others are tried if the endpoint does not serve it. Surfaces without a
// model are then left out.
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
			return p, fmt.Errorf("%w: %q contains no model name", errModel, word)
		}
		if _, again := given[name]; again {
			p.Models.More = append(p.Models.More, model)
			continue
		}
		given[name] = model
	}
	m := &p.Models
	m.Default = given[""]
	for endpoint, own := range m.own() {
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

// RootOf returns the root of the API if a URL ends in a path that gatecert appends by itself: for example, "https://host/openai" for
// "https://host/openai/v1" and for "https://host/openai/v1/chat/completions". ok is false if the URL does not end in such a path.
func RootOf(address string) (root string, ok bool) {
	root = strings.TrimRight(address, "/")
	if !AbsoluteURL(root) {
		return "", false
	}
	for _, s := range dialect.Surfaces() {
		if s.ModelInPath() {
			continue
		}
		if cut, has := strings.CutSuffix(root, s.Path("")); has && AbsoluteURL(cut) {
			return cut, true
		}
	}
	for _, version := range []string{dialect.Models.ListPath(), "/v1beta", "/v1"} {
		if cut, has := strings.CutSuffix(root, version); has && AbsoluteURL(cut) {
			return cut, true
		}
	}
	return "", false
}
