package targets

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// Request contains everything needed to create the circumstance of one case on one target.
type Request struct {
	Call exchange.Call
	// Repeat sends the call up to this many times, until one call is refused with 429. The response to that call is judged. 0 and 1 send the call
	// once.
	Repeat int
	// Before and After run before and after the call. A case with actions runs alone.
	Before, After []profile.Action
}

// Exclusive reports whether the request changes conditions for other cases, and therefore must run alone.
func (p Request) Exclusive() bool { return len(p.Before)+len(p.After) > 0 }

// healthyPrompt is short: on a real upstream every control call costs tokens.
const healthyPrompt = "Say hello."

// HealthyCall returns the call that must succeed on a surface before anything on the surface is judged.
func HealthyCall(p profile.Profile, s dialect.Surface, token string) exchange.Call {
	return callOn(p, s, token, p.Models.On(s), promptFor(p, token, "", healthyPrompt))
}

// PromptCall returns the healthy call of a surface with the given text and, for the mock upstream, the given directive words. before is placed in
// front of both; it is the part that prompts share.
func PromptCall(p profile.Profile, s dialect.Surface, token, directive, before, text string) exchange.Call {
	return callOn(p, s, token, p.Models.On(s), before+promptFor(p, token, directive, cmp.Or(text, healthyPrompt)))
}

// NonsenseCall returns the call that must not succeed. A gateway that serves this call would serve any call.
func NonsenseCall(p profile.Profile, s dialect.Surface, token string) exchange.Call {
	return callOn(p, s, token, noSuchModel(token), promptFor(p, token, "", healthyPrompt))
}

// noSuchModel has the prefix that the mock upstream answers with the format's own 404.
func noSuchModel(token string) string { return "no-such-model-" + token }

// promptFor puts the token and the directive in front of the text, so that the mock upstream can obey the directive
// and find the call again.
func promptFor(p profile.Profile, token, directive, text string) string {
	if !p.Upstream.Present() {
		return text
	}
	words := "token=" + token
	if directive != "" {
		words += " " + directive
	}
	return "[[gatecert " + words + "]] " + text
}

func callOn(p profile.Profile, s dialect.Surface, token, model, prompt string) exchange.Call {
	header := map[string]string{}
	maps.Copy(header, p.Headers)
	maps.Copy(header, p.SurfaceHeaders[s])
	call := exchange.Call{
		Surface: s, BaseURL: p.Root(s), Key: p.Keys.Valid, Model: model, Prompt: prompt, Header: header,
		ID: token, Sampled: p.Sampled,
		Shown: exchange.Shown{Header: shownHeader(p, header)},
	}
	if shown := p.ShownRoot(s); shown != call.BaseURL {
		call.Shown.BaseURL = shown
	}
	return call
}

// shownHeader are the fields that reports show otherwise than they are sent.
func shownHeader(p profile.Profile, header map[string]string) map[string]string {
	var shown map[string]string
	for name, value := range header {
		if text := p.ShownHeader(name, value); text != value {
			if shown == nil {
				shown = make(map[string]string)
			}
			shown[name] = text
		}
	}
	return shown
}

// RequestFor returns the request of one case, built from its recipe. The token is unique to the call and identifies it in the upstream's record. For
// a load case, RequestFor returns a healthy call, because the load engine decides which share of the calls fails, and how.
//
// If the profile lacks what the case needs, RequestFor returns [profile.ErrNotOffered] with the reason.
func RequestFor(p profile.Profile, c contract.Case, token string) (Request, error) {
	if !slices.Contains(p.Surfaces, c.Surface) {
		return Request{}, fmt.Errorf("%w: the profile does not list the endpoint %s", profile.ErrNotOffered, c.Surface)
	}
	if p.Claims.NoClientKeys() && c.NeedsClientKeys() && !limitOfModel(p, c) {
		return Request{}, fmt.Errorf("%w: the gateway has no client keys (claims.client_keys: false)", profile.ErrNotOffered)
	}
	if reason := cmp.Or(p.Lacks[c.Circumstance], p.Lacks[c.Circumstance+"/"+string(c.Surface)]); reason != "" {
		return Request{}, fmt.Errorf("%w: %s", profile.ErrNotOffered, reason)
	}
	if c.IsLoad() {
		if err := offersLoad(p, c); err != nil {
			return Request{}, err
		}
	}
	recipe, own, err := p.Recipe(c)
	if err != nil {
		return Request{}, err
	}
	if err := permitted(p, recipe); err != nil {
		return Request{}, err
	}
	plan, known := builtins[c.Circumstance]
	if !known {
		plan = recipeOnly
	}
	pr := Request{
		Call:   callOn(p, c.Surface, token, p.Models.On(c.Surface), ""),
		Before: recipe.Before, After: recipe.After,
	}
	directive, err := plan.shape(p, c, token, &pr)
	if err != nil && (!own || !plan.recipeSuffices) {
		return Request{}, err
	}
	directive, text := cmp.Or(recipe.Directive, directive), cmp.Or(recipe.Prompt, healthyPrompt)
	pr.Call.Prompt = promptFor(p, token, directive, text)
	if shown := promptFor(p, token, p.ShownPrompt(directive), p.ShownPrompt(text)); shown != pr.Call.Prompt {
		pr.Call.Shown.Prompt = shown
	}
	apply(p, recipe, &pr.Call)
	if _, set := pr.Call.Header["Accept"]; !set && !c.IsLoad() {
		setAccept(c, pr.Call.Header)
	}
	pr.Call.KeyRole = p.KeyRole(pr.Call.Key)
	if pr.Call.Model == "" {
		return Request{}, fmt.Errorf("%w: the profile has no model for the endpoint %s: set models.%s or models.default",
			profile.ErrNotOffered, c.Surface, c.Surface.Endpoint())
	}
	return pr, nil
}

func apply(p profile.Profile, r profile.Recipe, call *exchange.Call) {
	call.Key = cmp.Or(r.Key, call.Key)
	call.Model = cmp.Or(r.Model, call.Model)
	if shown := p.ShownPath(r.Path); shown != r.Path {
		call.Shown.Path = shown
	}
	call.Path = cmp.Or(r.Path, call.Path)
	call.Method = cmp.Or(r.Method, call.Method)
	for _, path := range slices.Sorted(maps.Keys(r.Body)) {
		edit := exchange.Edit{Path: path, Value: withPrompt(r.Body[path], call.Prompt), Delete: r.Body[path] == nil}
		shown := p.ShownBody(path, r.Body[path])
		if call.Shown.Prompt != "" && shown != nil || !reflect.DeepEqual(shown, r.Body[path]) {
			edit.Shown = withPrompt(shown, cmp.Or(call.Shown.Prompt, call.Prompt))
		}
		call.Edits = append(call.Edits, edit)
	}
	maps.Copy(call.Header, r.Headers)
	for name := range r.Headers {
		delete(call.Shown.Header, name) // that of the surface is not sent
	}
	if shown := shownHeader(p, r.Headers); shown != nil {
		maps.Copy(shown, call.Shown.Header)
		call.Shown.Header = shown
	}
}

// PromptPlaceholder stands for the prompt in a recipe's body, so that a body with its own structure still contains the token and the directive.
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

// CallWithKey returns a healthy call with the given key. The mock upstream, if there is one, follows the directive.
func CallWithKey(p profile.Profile, s dialect.Surface, key, token, directive string) exchange.Call {
	call := callOn(p, s, token, p.Models.Routed(s), promptFor(p, token, directive, healthyPrompt))
	call.Key, call.KeyRole = key, p.KeyRole(key)
	return call
}
