package newapi

import (
	"github.com/gatecert/gatecert/targets/profile"
)

// fixtures are what a run has on the deployment: the names, and the keys that the gateway issued.
type fixtures struct {
	tag string
	// upstreamKey is the one that the mock upstream accepts.
	upstreamKey string
	keys        profile.Keys
	limitedKey  string
	// channels are the ids by name.
	channels map[string]int
}

// name is the name of a channel, user or group.
func (f fixtures) name(suffix string) string { return f.tag + "-" + suffix }

// model is the name of a model, as callers ask for it.
func (f fixtures) model(prefix string) string { return prefix + "-" + f.tag }

func (f fixtures) channelID(suffix string) int { return f.channels[f.name(suffix)] }

// The users and groups. one-api limits the groups of a channel to 32 bytes, enough for two names.
const (
	mainUser     = "m" // its group is that of all callers but the limited one
	limitedUser  = "l" // its group has a rate limit
	poorUser     = "p" // has no quota, and is in the main group
	foreignGroup = "o" // has a channel and no user
)

// The prefixes of the models. If the gateway counts tokens by the family of a model, the prefix begins with the family's name.
const (
	chatModel          = "gpt-4o"
	claudeModel        = "claude"
	geminiModel        = "gemini"
	embeddingModel     = "embedding"
	badKeyChatModel    = "gpt-badkey" // the upstream rejects the key of the channel
	badKeyClaudeModel  = "claude-badkey"
	badKeyGeminiModel  = "gemini-badkey"
	unpricedModel      = "unpriced"
	unroutedModel      = "unrouted"
	vanishingModel     = "vanishing"
	keylessModel       = "keyless"
	unreachableModel   = "dead"
	cyclicModel        = "circle"
	unreadableModel    = "unreadable"
	unsupportedModel   = "unsupported"
	unconvertibleModel = "unconvertible"
	cozeModel          = "coze"
	foreignModel       = "elsewhere" // routed for the foreign group only
)

// pricedModels are those that get a price: all but one.
func (f fixtures) pricedModels() (models []string) {
	for _, prefix := range []string{
		chatModel, claudeModel, geminiModel, embeddingModel, badKeyChatModel, badKeyClaudeModel, badKeyGeminiModel, unroutedModel, vanishingModel,
		keylessModel, unreachableModel, cyclicModel, unreadableModel, unsupportedModel, unconvertibleModel, cozeModel, foreignModel,
	} {
		models = append(models, f.model(prefix))
	}
	return models
}

// unusedAddress is an address at which nothing listens. unreachablePath is appended to it, so that a response that discloses the address can be
// recognised.
const (
	unusedAddress   = "http://127.0.0.1:1/"
	unreachablePath = "gatecert-nobody"
)

// The names of channels that the code looks up by name.
const (
	unroutedChannel  = "unrouted"
	vanishingChannel = "vanishing"
	keylessChannel   = "keyless"
)

// keylessKeys is the number of keys of the keyless channel, all of which are disabled.
const keylessKeys = 2

// channelsFor returns the channels of a run.
func (f fixtures) channelsFor(p product, upstream string) []channel {
	plain := func(name string, kind int, models ...string) channel {
		ch := channel{
			name: f.name(name), kind: kind, keys: []string{f.upstreamKey}, baseURL: upstream,
			groups: []string{f.name(mainUser), f.name(limitedUser)},
		}
		for _, m := range models {
			ch.models = append(ch.models, f.model(m))
		}
		return ch
	}
	rejected := func(ch channel) channel {
		ch.keys = []string{"sk-" + f.tag + "-was-never-issued"}
		return ch
	}
	mapped := func(ch channel, mapping string) channel {
		ch.mapping = mapping
		return ch
	}
	unreachable := plain("dead", openAIChannel, unreachableModel)
	unreachable.baseURL = unusedAddress + unreachablePath
	foreign := plain("elsewhere", openAIChannel, foreignModel)
	foreign.groups = []string{f.name(foreignGroup)}
	list := []channel{
		plain("openai", openAIChannel, chatModel, embeddingModel, unpricedModel),
		plain("anthropic", anthropicChannel, claudeModel),
		plain("gemini", geminiChannel, geminiModel),
		rejected(plain("badkey-openai", openAIChannel, badKeyChatModel)),
		plain(unroutedChannel, openAIChannel, unroutedModel),
		unreachable,
		plain("unconvertible", p.unconvertibleKind(), unconvertibleModel),
		foreign,
	}
	if p == oneAPI {
		return list
	}
	keyless := plain(keylessChannel, openAIChannel, keylessModel)
	keyless.keys = []string{f.upstreamKey, f.upstreamKey + "-2"}
	circle := f.model(cyclicModel)
	return append(list,
		rejected(plain("badkey-anthropic", anthropicChannel, badKeyClaudeModel)),
		rejected(plain("badkey-gemini", geminiChannel, badKeyGeminiModel)),
		plain(vanishingChannel, openAIChannel, vanishingModel),
		keyless,
		mapped(plain("circle", openAIChannel, cyclicModel), `{"`+circle+`":"half-way","half-way":"`+circle+`"}`),
		mapped(plain("unreadable", openAIChannel, unreadableModel), "{not json"),
		plain("library", libraryChannel, unsupportedModel),
		plain("coze", cozeChannel, cozeModel),
	)
}
