package targets

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

// ErrNotOffered is returned when a profile does not offer what a case needs. Its text says what is missing.
var ErrNotOffered = errors.New("not offered")

// Provocation is all that brings one case about on one target.
type Provocation struct {
	Call exchange.Call
	// Repeat sends the call up to so many times, until one is refused with 429; that answer is judged. 0 and 1 send it once.
	Repeat int
	// Before and After run around the call; a provocation that has any runs alone.
	Before, After []Action
}

// Exclusive reports whether the provocation changes what other cases meet, and so must run alone.
func (p Provocation) Exclusive() bool { return len(p.Before)+len(p.After) > 0 }

// healthyPrompt is short: on a real provider every control costs its tokens.
const healthyPrompt = "Say hello."

// Healthy is the call that must succeed on a surface before anything there is judged.
func (p Profile) Healthy(s dialect.Surface, token string) exchange.Call {
	return p.call(s, p.Models.On(s), p.prompt(token, "", healthyPrompt))
}

// Nonsense is the call that must not succeed: a gateway that answers it would answer anything.
func (p Profile) Nonsense(s dialect.Surface, token string) exchange.Call {
	return p.call(s, noSuchModel(token), p.prompt(token, "", healthyPrompt))
}

// noSuchModel has the prefix that our upstream answers with its protocol's 404.
func noSuchModel(token string) string { return "no-such-model-" + token }

// prompt puts the token and the directive in front of the text, so that our upstream can obey and remember the call.
func (p Profile) prompt(token, directive, text string) string {
	if !p.Upstream.Present() {
		return text
	}
	words := "token=" + token
	if directive != "" {
		words += " " + directive
	}
	return "[[gatecert " + words + "]] " + text
}

func (p Profile) call(s dialect.Surface, model, prompt string) exchange.Call {
	header := maps.Clone(p.Headers)
	if special := p.SurfaceHeaders[s]; special != nil {
		if header == nil {
			header = map[string]string{}
		}
		maps.Copy(header, special)
	}
	return exchange.Call{
		Surface: s, BaseURL: p.BaseURL, Key: p.Keys.Valid, Model: model, Prompt: prompt, Header: header,
	}
}

// Provoke plans one case. The token, unique to the call, finds it again at the upstream. Of a case under load it is a
// healthy call: what goes wrong, and with which share of many such calls, is the load's.
//
// It returns [ErrNotOffered] when the profile lacks what the case needs, and says what that is.
func (p Profile) Provoke(c contract.Case, token string) (Provocation, error) {
	if !slices.Contains(p.Surfaces, c.Surface) {
		return Provocation{}, fmt.Errorf("%w: the profile does not list surface %s", ErrNotOffered, c.Surface)
	}
	if c.UnderLoad() {
		if err := p.offersLoad(c); err != nil {
			return Provocation{}, err
		}
	}
	recipe, own, err := p.recipe(c)
	if err != nil {
		return Provocation{}, err
	}
	plan, known := plans[c.Circumstance]
	if !known {
		plan = prepared
	}
	pr := Provocation{
		Call:   p.call(c.Surface, p.Models.On(c.Surface), ""),
		Before: recipe.Before, After: recipe.After,
	}
	directive, err := plan.plan(p, c, token, &pr)
	if err != nil && (!own || !plan.recipeSuffices) {
		return Provocation{}, err
	}
	prompt := p.prompt(token, cmp.Or(recipe.Directive, directive), cmp.Or(recipe.Prompt, healthyPrompt))
	pr.Call.Prompt = prompt
	recipe.apply(&pr.Call)
	pr.Call.KeyRole = p.keyRole(pr.Call.Key)
	if pr.Call.Model == "" {
		return Provocation{}, fmt.Errorf("%w: the profile has no model for surface %s (models.%s or models.default)",
			ErrNotOffered, c.Surface, strings.TrimSuffix(string(c.Surface), "-stream"))
	}
	return pr, nil
}

// recipe is what the profile itself says about a case: the variant's recipe before the circumstance's, what stands
// under on: before the rest. own is false when the profile says nothing.
func (p Profile) recipe(c contract.Case) (r Recipe, own bool, err error) {
	r, own = p.Circumstances[c.Circumstance+"/"+c.Variant]
	if !own {
		r, own = p.Circumstances[c.Circumstance]
	}
	if !own {
		return Recipe{}, false, nil
	}
	if len(r.Surfaces) > 0 && !slices.Contains(r.Surfaces, c.Surface) {
		return Recipe{}, true, fmt.Errorf("%w: the profile's recipe for %s leaves out surface %s", ErrNotOffered, c.Circumstance, c.Surface)
	}
	if special, ok := r.On[c.Surface]; ok {
		r = r.merged(special)
	}
	return r, true, nil
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

func (r Recipe) apply(call *exchange.Call) {
	call.Key = cmp.Or(r.Key, call.Key)
	call.Model = cmp.Or(r.Model, call.Model)
	call.Path = cmp.Or(r.Path, call.Path)
	call.Method = cmp.Or(r.Method, call.Method)
	for _, path := range slices.Sorted(maps.Keys(r.Body)) {
		value := withPrompt(r.Body[path], call.Prompt)
		call.Edits = append(call.Edits, exchange.Edit{Path: path, Value: value, Delete: value == nil})
	}
	for name, value := range r.Headers {
		if call.Header == nil {
			call.Header = map[string]string{}
		}
		call.Header[name] = value
	}
}

// PromptPlaceholder stands for the prompt in a recipe's body, so that a body of the recipe's own shape still carries
// the token and the directive.
const PromptPlaceholder = "{{prompt}}"

// withPrompt puts the prompt in wherever a body's value has its placeholder.
func withPrompt(value any, prompt string) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, PromptPlaceholder, prompt)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = withPrompt(item, prompt)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = withPrompt(item, prompt)
		}
		return out
	default:
		return value
	}
}

// Ask is a healthy call with a key of one's own choice; our upstream, if there is one, does what the directive says.
func (p Profile) Ask(s dialect.Surface, key, token, directive string) exchange.Call {
	call := p.call(s, p.Models.Routed(s), p.prompt(token, directive, healthyPrompt))
	call.Key, call.KeyRole = key, p.keyRole(key)
	return call
}
