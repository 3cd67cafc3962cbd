package newapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// corruptImage announces a PNG and is not base64: its tokens cannot be counted.
const corruptImage = "data:image/png;base64,@@@@"

// profile completes the user's profile with all that was created.
func (f fixtures) profile(asked profile.Profile, found inspection, p product) profile.Profile {
	out := asked
	out.Driver, out.Version = string(p), asked.VersionWith(found.version)
	if asked.Discover {
		out.Surfaces, out.Discover = p.surfaces(), false
	}
	out.Keys = f.keys
	out.Models = profile.Models{
		Default: f.model(chatModel), Messages: f.model(claudeModel), Gemini: f.model(geminiModel), Embeddings: f.model(embeddingModel),
		Models: describedModel,
	}
	out.Upstream.Addresses = append(slices.Clone(asked.Upstream.Addresses), unreachablePath)
	out.Upstream.Keys = []string{f.upstreamKey}
	if out.Limits.Attempts == 0 {
		out.Limits.Attempts = 1 + found.retries
	}
	out.Circumstances = f.recipes(p)
	if p == newAPI {
		f.addNewAPIRecipes(&out, found)
	}
	if asked.Store.Present() {
		out.Planted = append(slices.Clone(asked.Planted), plantedFault)
		for name, purpose := range map[string]string{
			contract.GatewayError: loseKeys, "failing-store-reads": loseReads, "failing-store-writes": refuseWrites,
		} {
			out.Circumstances[name] = withActions(profile.Recipe{}, purpose)
		}
	}
	// The recipes of the user's profile take precedence.
	maps.Copy(out.Circumstances, asked.Circumstances)
	out.Lacks = p.lacks()
	maps.DeleteFunc(out.Lacks, func(name, _ string) bool {
		circumstance, _, _ := strings.Cut(name, "/")
		_, asks := asked.Circumstances[circumstance]
		return asks
	})
	if asked.Limits.Rate.Key != "" {
		delete(out.Lacks, contract.OverRateLimit)
	}
	return out
}

// describedUnread is why no failing table shows on the description of a model.
const describedUnread = "the gateway returns the description of a model without reading the database tables that the run makes unavailable"

// lacks says what the product does not have.
func (p product) lacks() map[string]string {
	if p == oneAPI {
		none := "one-api has no equivalent: "
		return map[string]string{
			contract.OverRateLimit:  none + "it has no rate limit per key",
			"sensitive-content":     none + "it has no list of sensitive words",
			"unsupported-api":       none + "it treats every unknown channel type as OpenAI",
			"channel-without-key":   none + "it cannot disable the key of a channel without disabling the channel",
			"bad-model-mapping":     none + "it does not follow chained model mappings, and it ignores a mapping that it cannot read",
			"unpriced-model":        none + "every model has a price",
			"uncountable-input":     none + "it charges nothing for input whose tokens it cannot count",
			"unserializable-result": none + "all its responses can be serialised as JSON",

			"failing-store-reads/models": describedUnread,
		}
	}
	lacks := map[string]string{
		contract.OverRateLimit + "/models": "new-api has no rate limit on this endpoint: it limits only the calls that it relays",
		"failing-store-reads/models":       describedUnread,
	}
	for _, s := range dialect.Surfaces() {
		if !slices.Contains(countedSurfaces, s) {
			lacks["uncountable-input/"+string(s)] = "new-api has no equivalent on this endpoint: it counts the tokens of images only in streams " +
				"and only for OpenAI's models, and the tokens of audio only in transcriptions"
		}
		if !slices.Contains(cozeSurfaces, s) {
			lacks["unserializable-result/"+string(s)] = "new-api has no equivalent on this endpoint: serialisation can fail only for the requests that new-api sends to Coze, " +
				"and Coze offers only chat"
		}
	}
	return lacks
}

// The surfaces on which new-api counts images and audio, and those on which it uses its Coze adaptor.
var (
	countedSurfaces = []dialect.Surface{dialect.ChatStream, dialect.ResponsesStream, dialect.Transcriptions}
	cozeSurfaces    = []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Completions}
)

// recipes are those that both products have.
func (f fixtures) recipes(p product) map[string]profile.Recipe {
	badKey := map[dialect.Surface]profile.Recipe{}
	for _, s := range p.surfaces() {
		switch s.Dialect() {
		case dialect.Anthropic:
			badKey[s] = profile.Recipe{Model: f.model(badKeyClaudeModel)}
		case dialect.Gemini:
			badKey[s] = profile.Recipe{Model: f.model(badKeyGeminiModel)}
		case dialect.OpenAI: // the recipe's own model
		}
	}
	unconvertible := profile.Recipe{Model: f.model(unconvertibleModel)}
	if p == newAPI {
		unconvertible.On = map[dialect.Surface]profile.Recipe{dialect.Images: {Model: f.model(claudeModel)}} // Replicate makes images
	}
	return map[string]profile.Recipe{
		"no-channel": {Model: f.model(unroutedModel)},
		contract.UnreachableUpstream + "/refused": {Model: f.model(unreachableModel)},
		"unconvertible-request":                   unconvertible,
		"channel-with-bad-key":                    {Model: f.model(badKeyChatModel), On: badKey},
		// There are two ways to lack access, with different answers: the key's own list of models, and the groups that a
		// model's channels are for. The streaming surfaces test the second, with the valid key.
		"no-model-access": {On: onStreams(profile.Recipe{Key: f.keys.Valid, Model: f.model(foreignModel)})},
	}
}

// addNewAPIRecipes adds those that only new-api can bring about.
func (f fixtures) addNewAPIRecipes(out *profile.Profile, found inspection) {
	withOptions := func(r profile.Recipe, purpose string) profile.Recipe {
		if len(found.perPurpose[purpose]) > 0 {
			r = withActions(r, purpose)
		}
		return r
	}
	window := time.Minute
	if minutes, ok := found.minutes("ModelRequestRateLimitDurationMinutes"); ok {
		window = minutes
	}
	out.Limits.Rate = profile.Rate{Key: f.limitedKey, Requests: limitedCalls, Window: window}
	maps.Copy(out.Circumstances, map[string]profile.Recipe{
		contract.OverRateLimit: withOptions(profile.Recipe{}, limitRate),
		"unpriced-model":       withOptions(profile.Recipe{Model: f.model(unpricedModel)}, refuseUnpriced),
		"sensitive-content":    withOptions(profile.Recipe{Prompt: "Please say " + found.listedWord + " now."}, checkWords),
		"channel-without-key":  {Model: f.model(keylessModel)},
		"unsupported-api":      {Model: f.model(unsupportedModel)},
		"bad-model-mapping":    {Model: f.model(cyclicModel), On: onStreams(profile.Recipe{Model: f.model(unreadableModel)})},
		// The only result that it cannot serialise is its request to Coze, whose adaptor has chats only.
		"unserializable-result": {Model: f.model(cozeModel), Surfaces: cozeSurfaces},
		"uncountable-input":     uncountableInput(),
		// It knows blocked prompts and empty responses from Gemini only, so the chat surfaces use a Gemini channel. The other
		// surfaces use the one of their own dialect, as most deployments do.
		"blocked-prompt":                     f.viaGemini("refuse"),
		"empty-upstream-response/no-content": f.viaGemini("no-choices"),
	})
	if out.Upstream.Attach == "" {
		// The only way to get_channel_failed: the channel exists when the call begins and is disabled when the gateway retries.
		// It takes a mock upstream in this process, and is done on one surface. The others ask for a model whose channel is disabled.
		r := out.Circumstances["no-channel"]
		r.On = map[dialect.Surface]profile.Recipe{
			dialect.Completions: withActions(profile.Recipe{Model: f.model(vanishingModel), Directive: "status=500"}, vanish),
		}
		out.Circumstances["no-channel"] = r
	}
}

// uncountableInput sends a corrupt image or audio. The gateway counts images only for streams, and only for OpenAI's model names.
func uncountableInput() profile.Recipe {
	return profile.Recipe{
		Surfaces: countedSurfaces,
		On: map[dialect.Surface]profile.Recipe{
			dialect.ChatStream: {Body: map[string]any{"messages[0].content": []any{
				map[string]any{"type": "text", "text": targets.PromptPlaceholder},
				map[string]any{"type": "image_url", "image_url": map[string]any{"url": corruptImage}},
			}}},
			dialect.Transcriptions: {Body: map[string]any{
				"file": map[string]any{"filename": "speech.wav", "type": "audio/wav", "text": "no sound"},
			}},
			dialect.ResponsesStream: {Body: map[string]any{"input": []any{
				map[string]any{"role": "user", "content": []any{
					map[string]any{"type": "input_text", "text": targets.PromptPlaceholder},
					map[string]any{"type": "input_image", "image_url": corruptImage},
				}},
			}}},
		},
	}
}

func (f fixtures) viaGemini(directive string) profile.Recipe {
	chat := profile.Recipe{Model: f.model(geminiModel)}
	return profile.Recipe{
		Directive: directive,
		On:        map[dialect.Surface]profile.Recipe{dialect.Chat: chat, dialect.ChatStream: chat},
	}
}

// withActions is the recipe with the actions of a purpose before and after its cases.
func withActions(r profile.Recipe, purpose string) profile.Recipe {
	r.Before = []profile.Action{{Do: purpose}}
	r.After = []profile.Action{{Do: undoAction(purpose)}}
	return r
}

func onStreams(r profile.Recipe) map[dialect.Surface]profile.Recipe {
	on := map[dialect.Surface]profile.Recipe{}
	for _, s := range dialect.Surfaces() {
		if s.Streaming() {
			on[s] = r
		}
	}
	return on
}
