package newapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// surfaces are what the product serves.
func (p product) surfaces() []dialect.Surface {
	if p == oneAPI {
		return []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Completions, dialect.Embeddings}
	}
	return dialect.Surfaces()
}

// corruptImage announces a PNG and holds no base64 at all: nobody can count its tokens.
const corruptImage = "data:image/png;base64,@@@@"

// profile completes the user's profile with all that was made.
func (f furniture) profile(asked profile.Profile, found findings, p product) profile.Profile {
	out := asked
	out.Driver, out.Version = string(p), found.version
	if asked.Discover {
		out.Surfaces, out.Discover = p.surfaces(), false
	}
	m := f.models
	out.Keys = f.keys
	out.Models = profile.Models{Default: m.chat, Messages: m.claude, Gemini: m.gemini, Embeddings: m.embedding}
	out.Upstream.Addresses = append(slices.Clone(asked.Upstream.Addresses), deadPath)
	out.Upstream.Keys = []string{f.providerKey}
	if out.Limits.Attempts == 0 {
		out.Limits.Attempts = 1 + found.retries
	}
	out.Circumstances = f.recipes(p)
	if p == newAPI {
		f.newAPIRecipes(&out, found)
	}
	if asked.Store.Present() {
		for name, purpose := range map[string]string{
			"gateway-error": loseKeys, "failing-store-reads": loseReads, "failing-store-writes": refuseWrites,
		} {
			out.Circumstances[name] = around(profile.Recipe{}, purpose)
		}
	}
	// What the user's own profile says is said on purpose.
	maps.Copy(out.Circumstances, asked.Circumstances)
	return out
}

// recipes are those that both products have.
func (f furniture) recipes(p product) map[string]profile.Recipe {
	m := f.models
	return map[string]profile.Recipe{
		"no-channel":                   {Model: m.unrouted},
		"unreachable-upstream/refused": {Model: m.dead},
		"unconvertible-request":        {Model: m.unconvertible},
		"channel-with-bad-key": {Model: m.badChat, On: onSurfaces(p, map[dialect.Dialect]profile.Recipe{
			dialect.Anthropic: {Model: m.badClaude}, dialect.Gemini: {Model: m.badGemini},
		})},
		// Two ways to lack access, and they are answered differently: the key's own list, and the groups that a model's
		// channels are for. The streaming surfaces take the second, with the good key.
		"no-model-access": {On: onStreams(profile.Recipe{Key: f.keys.Valid, Model: m.elsewhere})},
	}
}

// newAPIRecipes adds what new-api alone can bring about.
func (f furniture) newAPIRecipes(out *profile.Profile, found findings) {
	m := f.models
	briefly := func(r profile.Recipe, purpose string) profile.Recipe {
		if len(found.briefly[purpose]) > 0 {
			r = around(r, purpose)
		}
		return r
	}
	window := time.Minute
	if minutes, ok := found.minutes("ModelRequestRateLimitDurationMinutes"); ok {
		window = minutes
	}
	out.Limits.Rate = profile.Rate{Key: f.limitedKey, Requests: limitedCalls, Window: window}
	maps.Copy(out.Circumstances, map[string]profile.Recipe{
		"over-rate-limit":     briefly(profile.Recipe{}, limitRate),
		"unpriced-model":      briefly(profile.Recipe{Model: m.unpriced}, refuseUnpriced),
		"sensitive-content":   briefly(profile.Recipe{Prompt: "Please say " + found.word + " now."}, watchWords),
		"channel-without-key": {Model: m.keyless},
		"unsupported-api":     {Model: m.unsupported},
		"bad-model-mapping":   {Model: m.circle, On: onStreams(profile.Recipe{Model: m.unreadable})},
		// The one result that it cannot serialise is what it sends to Coze, whose adaptor has chats alone.
		"unserializable-result": {Model: m.coze, Surfaces: []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Completions}},
		// Images are counted for streams and for names of OpenAI's alone.
		"uncountable-input": {
			Surfaces: []dialect.Surface{dialect.ChatStream, dialect.ResponsesStream},
			On: map[dialect.Surface]profile.Recipe{
				dialect.ChatStream: {Body: map[string]any{"messages[0].content": []any{
					map[string]any{"type": "text", "text": targets.PromptPlaceholder},
					map[string]any{"type": "image_url", "image_url": map[string]any{"url": corruptImage}},
				}}},
				dialect.ResponsesStream: {Body: map[string]any{"input": []any{
					map[string]any{"role": "user", "content": []any{
						map[string]any{"type": "input_text", "text": targets.PromptPlaceholder},
						map[string]any{"type": "input_image", "image_url": corruptImage},
					}},
				}}},
			},
		},
		// It knows blocked prompts and empty answers from Gemini alone, so chats ask that provider; the other surfaces ask
		// their own dialect's, which is what most deployments have there.
		"blocked-prompt":                     f.viaGemini("refuse"),
		"empty-upstream-response/no-content": f.viaGemini("no-choices"),
	})
	if out.Upstream.Attach == "" {
		// Only here is the channel known when the call begins and gone when it is tried again; our provider sees to that.
		// It is what get_channel_failed stands for, on one surface; the others ask for a model whose channel is switched off.
		r := out.Circumstances["no-channel"]
		r.On = map[dialect.Surface]profile.Recipe{
			dialect.Completions: around(profile.Recipe{Model: m.vanishing, Directive: "status=500"}, vanish),
		}
		out.Circumstances["no-channel"] = r
	}
}

func (f furniture) viaGemini(directive string) profile.Recipe {
	chat := profile.Recipe{Model: f.models.gemini}
	return profile.Recipe{
		Directive: directive,
		On:        map[dialect.Surface]profile.Recipe{dialect.Chat: chat, dialect.ChatStream: chat},
	}
}

// around is the recipe with what a purpose does before and undoes after its cases.
func around(r profile.Recipe, purpose string) profile.Recipe {
	r.Before = []profile.Action{{Do: purpose}}
	r.After = []profile.Action{{Do: undo(purpose)}}
	return r
}

// undo names the action that takes back what another one did.
func undo(purpose string) string { return "undo: " + purpose }

func onStreams(r profile.Recipe) map[dialect.Surface]profile.Recipe {
	on := map[dialect.Surface]profile.Recipe{}
	for _, s := range dialect.Surfaces() {
		if s.Streaming() {
			on[s] = r
		}
	}
	return on
}

func onSurfaces(p product, by map[dialect.Dialect]profile.Recipe) map[dialect.Surface]profile.Recipe {
	on := map[dialect.Surface]profile.Recipe{}
	for _, s := range p.surfaces() {
		if r, ok := by[s.Dialect()]; ok {
			on[s] = r
		}
	}
	return on
}

// hosted reports whether a URL leads to this machine alone.
func hosted(rawURL string) bool {
	return strings.Contains(rawURL, "//127.0.0.1") || strings.Contains(rawURL, "//localhost") || strings.Contains(rawURL, "//[::1]")
}

// minutes reads an option that holds whole minutes.
func (f findings) minutes(option string) (time.Duration, bool) {
	n, err := strconv.Atoi(f.options[option])
	return time.Duration(n) * time.Minute, err == nil && n > 0
}
