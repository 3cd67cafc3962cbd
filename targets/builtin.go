package targets

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// builtin is the recipe of a circumstance where the profile has none of its own.
type builtin struct {
	// shape changes the healthy request and returns the directive for the mock upstream. It returns
	// [profile.ErrNotOffered], and what the profile lacks.
	shape func(p profile.Profile, c contract.Case, token string, pr *Request) (directive string, err error)
	// recipeSuffices is set when a recipe of the profile makes up for what the built-in one lacks.
	recipeSuffices bool
	// key is the name of the profile's key that brings the circumstance about, "" for none.
	key string
}

// means names what of the profile brings a case about, "" where gatecert does so by itself. A recipe that only says what the
// mock upstream does is sure to have its effect.
func means(p profile.Profile, c contract.Case) string {
	if r, own, err := p.Recipe(c); own && err == nil && (r.Directive == "" || len(r.Before) > 0) {
		return "the recipe"
	}
	if key := builtins[c.Circumstance].key; key != "" {
		return "keys." + key
	}
	return ""
}

// recipeOnly stands for circumstances that only a recipe of the profile can bring about.
var recipeOnly = builtin{recipeSuffices: true, shape: func(_ profile.Profile, c contract.Case, _ string, _ *Request) (string, error) {
	return "", fmt.Errorf("%w: the profile does not define circumstances.%s", profile.ErrNotOffered, c.Circumstance)
}}

// builtins are read-only after their making. A circumstance that is missing here is [prepared].
var builtins = map[string]builtin{
	"missing-parameter":   {shape: missingParameter},
	"malformed-parameter": {shape: malformedParameter, recipeSuffices: true},
	"invalid-parameters":  {shape: invalidParameter},
	"missing-key": {shape: func(_ profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
		pr.Call.Key = ""
		askForList(c, pr)
		return "", nil
	}},
	"wrong-key":     {shape: wrongKey},
	"revoked-key":   withKey("revoked", func(k profile.Keys) string { return k.Revoked }),
	"unknown-path":  {shape: unknownPath, recipeSuffices: true},
	"unknown-model": {shape: unknownModel},
	"absent-model":  {shape: unknownModel},
	"malformed-body": {shape: func(_ profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
		pr.Call.Fault = exchange.Fault(c.Variant)
		return "", nil
	}},
	"unreadable-body": {shape: unreadableBody},

	"no-model-access": withKey("restricted", func(k profile.Keys) string { return k.Restricted }),
	"denied-access":   withKey("denied", func(k profile.Keys) string { return k.Denied }),
	"spent-account":   withKey("spent_account", func(k profile.Keys) string { return k.SpentAccount }),
	"spent-key":       withKey("spent_key", func(k profile.Keys) string { return k.SpentKey }),

	"over-rate-limit": {shape: overRateLimit},

	"upstream-error":              atUpstream,
	"blocked-prompt":              atUpstream,
	"slow-upstream":               atUpstream,
	"unreachable-upstream":        atUpstream,
	"bad-upstream-response":       atUpstream,
	"bad-upstream-status":         atUpstream,
	"empty-upstream-response":     atUpstream,
	"truncated-upstream-response": atUpstream,
}

// endpointOf is what is known of the endpoint of a case.
func endpointOf(c contract.Case) dialect.Endpoint {
	e, _ := c.Surface.Details()
	return e
}

func missingParameter(_ profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
	field, input := "model", endpointOf(c).Input
	switch c.Variant {
	case "no-input":
		field = input
	case "other-name":
		file := c.Surface.Body(dialect.Ask{})[input]
		pr.Call.Edits = append(pr.Call.Edits, exchange.Edit{Path: "attachment", Value: file})
		field = input
	}
	pr.Call.Edits = append(pr.Call.Edits, exchange.Edit{Path: field, Delete: true})
	return "", nil
}

// malformedParameter leaves the refusal to the mock upstream where only that finds the parameter wrong.
func malformedParameter(p profile.Profile, c contract.Case, token string, pr *Request) (string, error) {
	if c.Reach() == contract.ReachMust {
		return atUpstream.shape(p, c, token, pr)
	}
	return invalidParameter(p, c, token, pr)
}

func invalidParameter(_ profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
	edit := exchange.Edit{Path: endpointOf(c).Input, Value: 42}
	if c.Variant == "out-of-range" {
		edit = exchange.Edit{Path: endpointOf(c).Temperature, Value: 99}
	}
	pr.Call.Edits = append(pr.Call.Edits, edit)
	return "", nil
}

func wrongKey(p profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
	pr.Call.Key = p.Keys.WrongKey()
	pr.Call.KeyInQuery = c.Variant == "query"
	askForList(c, pr)
	return "", nil
}

func withKey(name string, pick func(profile.Keys) string) builtin {
	return builtin{key: name, recipeSuffices: true, shape: func(p profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
		key := pick(p.Keys)
		if key == "" {
			return "", fmt.Errorf("%w: the profile defines neither keys.%s nor circumstances.%s", profile.ErrNotOffered, name, c.Circumstance)
		}
		pr.Call.Key = key
		askForList(c, pr)
		return "", nil
	}}
}

// askForList asks for the list of all in the variant that is about it.
func askForList(c contract.Case, pr *Request) {
	if c.Variant == contract.ListVariant {
		pr.Call.Path = c.Surface.ListPath()
	}
}

func unknownPath(_ profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
	switch c.Variant {
	case "wrong-method":
		pr.Call.Method = "DELETE"
		return "", nil
	case contract.Uncounted:
		return "", fmt.Errorf("%w: the profile does not define circumstances.%s", profile.ErrNotOffered, unsupportedCount)
	}
	pr.Call.Path = endpointOf(c).UnknownPath
	if c.Variant == "get" {
		// Where the gateway serves a dashboard, such a request is apt to get its page with 200.
		pr.Call.Method, pr.Call.Header["Accept"] = "GET", "text/html,application/xhtml+xml,*/*;q=0.8"
	}
	return "", nil
}

func unknownModel(_ profile.Profile, _ contract.Case, token string, pr *Request) (string, error) {
	pr.Call.Model = noSuchModel(token)
	return "", nil
}

// oversizeMargin goes over the declared limit by enough that no gateway's rounding (KiB, MB) lets it pass.
const oversizeMargin = 64 << 10

func unreadableBody(p profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
	pr.Call.Fault = exchange.Fault(c.Variant)
	if c.Variant != "oversize" {
		return "", nil
	}
	if p.Limits.Body == 0 {
		return "", fmt.Errorf("%w: the profile does not declare limits.body", profile.ErrNotOffered)
	}
	pr.Call.OversizeBytes = p.Limits.Body + p.Limits.Body/8 + oversizeMargin
	return "", nil
}

// limitOfModel reports whether a case is about the limit of a model, which needs no client keys.
func limitOfModel(p profile.Profile, c contract.Case) bool {
	return c.Circumstance == contract.OverRateLimit && p.Limits.Rate.Model != "" && p.Limits.Rate.Key == ""
}

func overRateLimit(p profile.Profile, _ contract.Case, _ string, pr *Request) (string, error) {
	rate := p.Limits.Rate
	if rate.Key == "" && rate.Model == "" {
		return "", fmt.Errorf("%w: the profile does not declare a rate limit (limits.rate.requests, and limits.rate.key or limits.rate.model)", profile.ErrNotOffered)
	}
	pr.Call.Key, pr.Call.Model = p.LimitedKey(), cmp.Or(rate.Model, pr.Call.Model)
	pr.Repeat = rate.UsedUpBy()
	return "", nil
}

// atUpstream makes the mock upstream fail: the directive says how.
var atUpstream = builtin{recipeSuffices: true, shape: func(p profile.Profile, c contract.Case, _ string, pr *Request) (string, error) {
	if !p.Upstream.Present() {
		return "", fmt.Errorf("%w: the profile does not configure a mock upstream (upstream.listen or upstream.attach)", profile.ErrNotOffered)
	}
	directive, ok := builtinDirective(c)
	if !ok {
		return "", fmt.Errorf("%w: the profile does not define circumstances.%s/%s", profile.ErrNotOffered, c.Circumstance, c.Variant)
	}
	pr.Call.Model = p.Models.Routed(c.Surface)
	return directive, nil
}}

// builtinDirective is what the mock upstream does in a case without a recipe of its own; ok is false where there is nothing for it to do.
func builtinDirective(c contract.Case) (directive string, ok bool) {
	name := c.Circumstance + "/" + c.Variant
	if streamed, differs := streamDirectives[name]; differs && c.Surface.Streaming() {
		return streamed, true
	}
	directive, ok = directives[name]
	return directive, ok
}

// directives are what the mock upstream does in each variant. A stream fails after six events of one with eight pieces of
// content: every protocol has sent some content by then (Anthropic's first three events hold none), and not all of it.
// unreachable-upstream/refused is missing: nobody can be told not to listen.
var directives = map[string]string{
	"upstream-error/error-object": "status=500 body=error",
	"upstream-error/mid-stream":   "chunks=8 error-after=6",
	"upstream-error/under-load":   "",

	"upstream-error/error-401":            "status=401 body=error",
	"upstream-error/error-402":            "status=402 body=error code=insufficient_balance",
	"upstream-error/error-403":            "status=403 body=error",
	"upstream-error/own-words":            "status=403 body=error code=insufficient_user_quota",
	"upstream-error/numeric-code":         "status=500 body=error code-number=1305",
	"upstream-error/error-429":            fmt.Sprintf("status=429 body=error retry-after=%d", contract.UpstreamRetryAfter),
	"upstream-error/error-529":            "status=529 body=error",
	"upstream-error/compressed-error":     "status=500 body=error gzip",
	"upstream-error/redirect":             "redirect",
	"upstream-error/first-event-error":    "error-after=0",
	"upstream-error/lifecycle-then-error": "error-first",

	"upstream-error/answer-with-error":     "status=200 body=answer-with-error",
	"upstream-error/error-after-reasoning": "reasoning chunks=8 error-after=6",
	"upstream-error/cut-tool-call":         "tool-call chunks=8 cut-after=6",
	"upstream-error/ended-tool-call":       "tool-call chunks=8 end-after=6",

	"malformed-parameter/refused-400": "status=400 body=error",
	"malformed-parameter/refused-404": "status=404 body=error code=file_not_found",
	"malformed-parameter/refused-413": "status=413 body=error",
	"malformed-parameter/refused-422": "status=422 body=error code-number=1214",

	"blocked-prompt/": "refuse",

	"slow-upstream/no-answer":      "hang",
	"slow-upstream/stalled-answer": "stall",
	"slow-upstream/under-load":     "",

	"unreachable-upstream/reset":  "reset",
	"unreachable-upstream/closed": "close",

	"bad-upstream-response/broken-json":  "status=200 body=broken-json",
	"bad-upstream-response/html":         "status=200 body=html",
	"bad-upstream-response/error-object": "status=200 body=error",
	"bad-upstream-response/null":         "status=200 body=null",

	"bad-upstream-status/html-502":    "status=502 body=html",
	"bad-upstream-status/empty-503":   "status=503 body=empty",
	"bad-upstream-status/foreign-500": "status=500 body=foreign",
	"bad-upstream-status/html-404":    "status=404 body=html",

	"empty-upstream-response/empty-body":   "status=200 body=empty",
	"empty-upstream-response/no-content":   "no-choices",
	"empty-upstream-response/empty-stream": "empty-stream",

	"truncated-upstream-response/short-body":  "truncate=length",
	"truncated-upstream-response/cut-chunk":   "truncate=chunk",
	"truncated-upstream-response/broken-gzip": "truncate=gzip",
	"truncated-upstream-response/cut-stream":  "chunks=8 cut-after=6",
	"truncated-upstream-response/ended-early": "chunks=8 end-after=6",
}

// streamDirectives are those that differ for streams.
var streamDirectives = map[string]string{
	"slow-upstream/stalled-answer":     "chunks=8 stall-after=6",
	"upstream-error/answer-with-error": "chunks=8 with-error-after=6",
}

func concurrency(l profile.Rate) bool { return l.Kind == contract.Concurrency }

// offersLoad says with [profile.ErrNotOffered] what the profile lacks for a case under load, beyond what it lacks at rest.
func offersLoad(p profile.Profile, c contract.Case) error {
	rate := p.Limits.Rate
	switch {
	case c.Row == "http:429" && !concurrency(rate.Limits()[0]) && rate.Window <= 0:
		return fmt.Errorf("%w: the profile does not declare limits.rate.window", profile.ErrNotOffered)
	case c.Row == "http:429" && !slices.ContainsFunc(rate.Limits(), func(l profile.Rate) bool { return !concurrency(l) }) && !p.Upstream.Present():
		return fmt.Errorf("%w: to test a limit on concurrent calls, gatecert needs a mock upstream that keeps calls open, but the profile does not configure one", profile.ErrNotOffered)
	case c.Row != "http:429" && !p.Upstream.Present():
		return fmt.Errorf("%w: the profile does not configure a mock upstream (upstream.listen or upstream.attach)", profile.ErrNotOffered)
	}
	return nil
}
