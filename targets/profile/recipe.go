package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// ErrNotOffered is returned if a profile does not offer what a case needs. Its text states what is missing.
var ErrNotOffered = errors.New("not offered")

// Recipe returns what the profile itself specifies for a case. The variant's recipe takes precedence over the circumstance's, and entries under on:
// take precedence over the others. own is false if the profile specifies nothing. Recipe returns [ErrNotOffered] if the recipe excludes the surface
// of the case.
func (p Profile) Recipe(c contract.Case) (r Recipe, own bool, err error) {
	r, own = p.Circumstances[c.Circumstance+"/"+c.Variant]
	if !own {
		r, own = p.Circumstances[c.Circumstance]
	}
	if !own {
		return Recipe{}, false, nil
	}
	if len(r.Surfaces) > 0 && !slices.Contains(r.Surfaces, c.Surface) {
		return Recipe{}, true, fmt.Errorf("%w: the surfaces of the profile's recipe for %s do not include the endpoint %s", ErrNotOffered, c.Circumstance, c.Surface)
	}
	if special, ok := r.On[c.Surface]; ok {
		r = r.merged(special)
	}
	return r, true, nil
}

// replaces reports whether a recipe decides what gatecert sends where it needs nothing of the gateway: a profile that could would
// have its own answers certified. decides names the field.
func (r Recipe) replaces(known contract.Circumstance, variant string) (decides string, ok bool) {
	needs := known.Needs
	if v, found := known.Variant(variant); found && v.Needs != "" {
		needs = v.Needs
	}
	if needs != contract.Edge {
		return "", false
	}
	parts := []Recipe{r}
	for _, special := range r.On {
		parts = append(parts, special)
	}
	for _, part := range parts {
		for _, field := range []struct {
			name string
			set  bool
		}{
			{"key", part.Key != ""}, {"model", part.Model != ""}, {"prompt", part.Prompt != ""}, {"path", part.Path != ""},
			{"method", part.Method != ""}, {"body", len(part.Body) > 0}, {"headers", len(part.Headers) > 0}, {"directive", part.Directive != ""},
		} {
			if field.set {
				return field.name, true
			}
		}
	}
	return "", false
}

// merged is the recipe with what a surface's own part says differently.
func (r Recipe) merged(s Recipe) Recipe {
	r.Key = cmp.Or(s.Key, r.Key)
	r.Model = cmp.Or(s.Model, r.Model)
	r.Prompt = cmp.Or(s.Prompt, r.Prompt)
	r.Path = cmp.Or(s.Path, r.Path)
	r.Method = cmp.Or(s.Method, r.Method)
	r.Directive = cmp.Or(s.Directive, r.Directive)
	if s.Body != nil {
		r.Body = s.Body
	}
	if s.Headers != nil {
		r.Headers = s.Headers
	}
	if s.Before != nil {
		r.Before = s.Before
	}
	if s.After != nil {
		r.After = s.After
	}
	return r
}

// WrongKey returns a key that was never issued, with the shape of the valid key: the prefix ("sk-") is kept and the rest is replaced by zeros, so
// that a gateway that checks the format still has to look up the key.
func (k Keys) WrongKey() string {
	if k.Wrong != "" {
		return k.Wrong
	}
	if len(k.Valid) < 8 {
		return "sk-gatecert-was-never-issued-0000"
	}
	prefix := strings.LastIndexAny(k.Valid[:8], "-_") + 1
	return k.Valid[:prefix] + strings.Repeat("0", len(k.Valid)-prefix)
}

// VersionWith returns the version of the gateway to show in reports. The profile's own version takes precedence over the one that the gateway
// reports; if the two differ, both are returned.
func (p Profile) VersionWith(said string) string {
	switch {
	case p.Version == "" || p.Version == said:
		return said
	case said == "":
		return p.Version
	default:
		return p.Version + " (the gateway reports " + said + ")"
	}
}

// LoadSurfaces returns the surfaces of the profile on which load cases run: those that the profile names, or the first one that it offers.
func (p Profile) LoadSurfaces() []dialect.Surface {
	if len(p.Load.Surfaces) > 0 {
		return p.Load.Surfaces
	}
	offered := slices.DeleteFunc(contract.LoadSurfaces(), func(s dialect.Surface) bool { return !slices.Contains(p.Surfaces, s) })
	return offered[:min(1, len(offered))]
}

func names[T ~string](words []T) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return list
}

func listed[T ~string](words []T) string { return strings.Join(names(words), ", ") }
