package reference

import (
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// maxConcurrency leaves room beside the 32 cases that wait for a timeout: with 24, a quarter of them waited twice. On a busy
// machine many more at once wait for a core longer than the time limit.
const maxConcurrency = 36

// corruptImage is not base64, so that its tokens cannot be counted.
const corruptImage = "@@@@"

// noSuchToken is far outside every vocabulary (the largest has about 200,000 tokens).
const noSuchToken = 999_999_999

// Profile returns a complete profile of this gateway, with a recipe for every circumstance that needs one. baseURL is the URL of the gateway, and
// listen is the address of its upstream.
func (g *Gateway) Profile(baseURL, listen string) profile.Profile {
	f, m := g.fixtures, g.fixtures.Models
	readsFail := storeWithout("words")
	// A model is shown without a look at the words.
	readsFail.On = map[dialect.Surface]profile.Recipe{dialect.Models: storeWithout("models")}
	p := profile.Profile{
		Name: "reference", BaseURL: baseURL, Driver: profile.StaticDriver,
		Surfaces: dialect.Surfaces(),
		Keys: profile.Keys{
			Valid: f.Keys.Valid, Revoked: f.Keys.Revoked, Restricted: f.Keys.NoModelAccess, Denied: f.Keys.DeniedIP,
			SpentAccount: f.Keys.SpentAccount, SpentKey: f.Keys.SpentKey,
		},
		Models: profile.Models{
			Default: m.Chat, Messages: m.Messages, Gemini: m.Gemini, Embeddings: m.Embeddings, Images: m.Images, Speech: m.Speech,
			Transcriptions: m.Transcriptions, Moderations: m.Moderations, Rerank: m.Rerank,
		},
		Upstream: profile.Upstream{
			Listen: listen, Keys: []string{f.UpstreamKey}, Addresses: []string{profile.Host(g.options.DeadUpstream)},
		},
		Limits: profile.Limits{
			Timeout: g.options.Timeout, Body: g.options.BodyLimit, Attempts: 1 + g.options.Retries,
			Rate: profile.Rate{
				Key: f.Keys.Limited, Requests: g.options.Rate.Requests, Window: g.options.Rate.Window,
				Kind: g.options.Rate.Kind, Burst: g.options.Rate.Burst, Shared: new(true), More: g.moreLimits(),
			},
		},
		Concurrency: maxConcurrency,
		Store:       profile.DB{SQLite: g.StorePath()},
		Balance:     profile.Balance{Path: "/v1/dashboard/balance", Field: "quota"},
		Circumstances: map[string]profile.Recipe{
			"spent-key":                    {Model: m.Expensive},
			"unpriced-model":               {Model: m.Unpriced},
			"no-channel":                   {Model: m.Unrouted},
			"channel-without-key":          {Model: m.Keyless},
			"channel-with-bad-key":         {Model: m.BadKey, On: onCounts(m.BadKeyAnthropic)},
			"bad-model-mapping":            {Model: m.BadMapping},
			"unsupported-api":              {Model: m.Unsupported},
			"unreachable-upstream/refused": {Model: m.Dead, On: onCounts(m.DeadAnthropic)},
			"unserializable-result":        {Model: m.Unmarshalable, On: onCounts(m.UnmarshalableAnthropic)},
			"sensitive-content":            {Prompt: "Where does " + f.Word + " grow?"},
			"unconvertible-request":        {On: unconvertible(m)},
			"uncountable-input":            {On: uncountable()},
			"gateway-error":                storeWithout("keys"),
			"failing-store-reads":          readsFail,
			"unknown-path/unsupported":     {Model: m.ViaOpenAI},
			"failing-store-writes": {
				Before: []profile.Action{{SQL: `CREATE TRIGGER no_writes BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'disk full'); END`}},
				After:  []profile.Action{{SQL: `DROP TRIGGER no_writes`}},
			},
		},
	}
	return p.WithDefaults()
}

// onCounts has another model for the counts of tokens, which only Anthropic's channels make.
func onCounts(model string) map[dialect.Surface]profile.Recipe {
	return map[dialect.Surface]profile.Recipe{dialect.CountTokens: {Model: model}}
}

// storeWithout renames a table and names it back.
func storeWithout(table string) profile.Recipe {
	return profile.Recipe{
		Before: []profile.Action{{SQL: "ALTER TABLE " + table + " RENAME TO " + table + "_gone"}},
		After:  []profile.Action{{SQL: "ALTER TABLE " + table + "_gone RENAME TO " + table}},
	}
}

// unconvertible asks on each surface for something that only its own API format has, through a channel of another.
func unconvertible(m Models) map[dialect.Surface]profile.Recipe {
	chat := profile.Recipe{Model: m.ViaAnthropic, Body: map[string]any{"n": 2}}
	responses := profile.Recipe{Model: m.ViaAnthropic, Body: map[string]any{"previous_response_id": "resp_1"}}
	messages := profile.Recipe{Model: m.ViaOpenAI, Body: map[string]any{"top_k": 5}}
	gemini := profile.Recipe{Model: m.ViaOpenAI, Body: map[string]any{"generationConfig.topK": 5}}
	return map[dialect.Surface]profile.Recipe{
		dialect.Chat: chat, dialect.ChatStream: chat,
		dialect.Completions: {Model: m.ViaAnthropic, Body: map[string]any{"suffix": "the end"}},
		dialect.Responses:   responses, dialect.ResponsesStream: responses,
		dialect.Messages: messages, dialect.MessagesStream: messages,
		dialect.GenerateContent: gemini, dialect.GenerateStream: gemini,
		dialect.Embeddings: {Model: m.ViaAnthropic}, dialect.Images: {Model: m.ViaAnthropic}, dialect.Speech: {Model: m.ViaAnthropic},
		dialect.Transcriptions: {Model: m.ViaAnthropic}, dialect.Moderations: {Model: m.ViaAnthropic}, dialect.Rerank: {Model: m.ViaAnthropic},
	}
}

// uncountable has for each surface an input whose tokens cannot be counted.
func uncountable() map[dialect.Surface]profile.Recipe {
	type object = map[string]any
	dataURL := "data:image/png;base64," + corruptImage
	chat := profile.Recipe{Body: object{"messages[0].content": []any{
		object{"type": "text", "text": targets.PromptPlaceholder},
		object{"type": "image_url", "image_url": object{"url": dataURL}},
	}}}
	responses := profile.Recipe{Body: object{"input": []any{object{"role": "user", "content": []any{
		object{"type": "input_text", "text": targets.PromptPlaceholder},
		object{"type": "input_image", "image_url": dataURL},
	}}}}}
	messages := profile.Recipe{Body: object{"messages[0].content": []any{
		object{"type": "text", "text": targets.PromptPlaceholder},
		object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": corruptImage}},
	}}}
	gemini := profile.Recipe{Body: object{"contents[0].parts": []any{
		object{"text": targets.PromptPlaceholder},
		object{"inlineData": object{"mimeType": "image/png", "data": corruptImage}},
	}}}
	return map[dialect.Surface]profile.Recipe{
		dialect.Chat: chat, dialect.ChatStream: chat,
		dialect.Completions: {Body: object{"prompt": []any{noSuchToken}}},
		dialect.Responses:   responses, dialect.ResponsesStream: responses,
		dialect.Messages: messages, dialect.MessagesStream: messages,
		dialect.GenerateContent: gemini, dialect.GenerateStream: gemini,
		dialect.Embeddings:     {Body: object{"input": []any{noSuchToken}}},
		dialect.CountTokens:    messages,
		dialect.Transcriptions: {Body: object{"file": object{"filename": "speech.wav", "type": "audio/wav", "text": "no sound"}}},
	}
}

// moreLimits are the limits of the limited key beside that on requests.
func (g *Gateway) moreLimits() []profile.Rate {
	var more []profile.Rate
	for _, l := range g.tokens {
		more = append(more, l.counts.declare(profile.Rate{Window: l.limit.Window, Kind: contract.SlidingLog}, l.limit.Tokens))
	}
	if n := g.options.Concurrent; n > 0 {
		more = append(more, profile.Rate{Concurrent: n})
	}
	return more
}
