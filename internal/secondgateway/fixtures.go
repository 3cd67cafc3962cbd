package secondgateway

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// The keys of the fixtures.
const (
	ValidKey        = "og_live_7f3kq92mxz81hd5w"
	RevokedKey      = "og_live_p4t6vbn20cjy9srl"
	RestrictedKey   = "og_live_w8e1uoa57gzkx3mq"
	DeniedKey       = "og_live_2hd9nty64bvrc0ps"
	SpentAccountKey = "og_live_k5xj7qml83fuwe1z"
	SpentKey        = "og_live_c0rg4yzp96sthb2n"
	LimitedKey      = "og_live_m3va8idw17oeqk5x"
	// UpstreamKey is the gateway's own upstream key.
	UpstreamKey = "up_94nfh27sjw0ceb61tqzk"
)

// The limit of [LimitedKey].
const (
	LimitRequests = 6
	LimitWindowMS = 5000
)

// Fixtures describes the folder that [WriteStore] writes.
type Fixtures struct {
	// Upstream is the base URL of the upstream. Dead is a base URL at which nothing listens.
	Upstream, Dead string
	// Format is the API format in which the gateway calls the upstream: "openai" or "anthropic". It always calls embeddings in OpenAI's format.
	Format string
}

// WriteStore writes the store of a gateway: keys, models and channels for everything that the contract covers. The model "swift" is healthy, and the
// model "vector" is for embeddings.
func WriteStore(dir string, f Fixtures) error {
	here, elsewhere := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("203.0.113.0/24")
	every := []string{"*"}
	working := []channelKey{{Key: "up_switched_off_0000", Off: true}, {Key: UpstreamKey}}
	a := accounts{
		Owners: map[string]owner{"alice": {Quota: 1 << 40}, "bob": {Quota: 0}},
		Keys: map[string]*apiKey{
			ValidKey:        {Owner: "alice", Models: every, Networks: []netip.Prefix{here}},
			RevokedKey:      {Owner: "alice", Models: every, Revoked: true},
			RestrictedKey:   {Owner: "alice", Models: []string{"another"}},
			DeniedKey:       {Owner: "alice", Models: every, Networks: []netip.Prefix{elsewhere}},
			SpentAccountKey: {Owner: "bob", Models: every},
			SpentKey:        {Owner: "alice", Models: every, Budget: 1},
			LimitedKey:      {Owner: "alice", Models: every, Rate: &rate{LimitRequests, LimitWindowMS}},
		},
		Models: map[string]model{
			"swift":         {"main", 0.002},
			"vector":        {"in-openai", 0.001},
			"another":       {"main", 0.002},
			"in-openai":     {"in-openai", 0.002},
			"in-anthropic":  {"in-anthropic", 0.002},
			"unserved":      {"nowhere", 0.002},
			"pigeon":        {"pigeon", 0.002},
			"keyless":       {"keyless", 0.002},
			"bad-key":       {"bad-key", 0.002},
			"circular":      {"circular", 0.002},
			"unpriced":      {"main", 0},
			"dead":          {"dead", 0.002},
			"astronomical":  {"main", 1.7e308},
			"astro-vectors": {"in-openai", 1.7e308},
		},
		Channels: map[string]channel{
			"main":         {f.Format, f.Upstream, working, map[string]string{"swift": "swift-2026-11"}},
			"in-openai":    {openAI, f.Upstream, working, nil},
			"in-anthropic": {anthropic, f.Upstream, working, nil},
			"pigeon":       {"pigeon-post", f.Upstream, working, nil},
			"keyless":      {openAI, f.Upstream, working[:1], nil},
			"bad-key":      {openAI, f.Upstream, []channelKey{{Key: "up_0000_not_accepted_0000"}}, nil},
			"circular":     {openAI, f.Upstream, working, map[string]string{"circular": "round", "round": "circular"}},
			"dead":         {openAI, f.Dead, working, nil},
		},
		Words: []string{"xyzzyplugh"},
	}
	raw, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "accounts.json"), raw, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "ledger.log"), nil, 0o600)
}

// Profile returns the profile of a gateway with this store. url is the URL of the gateway, and upstream is the address of its mock upstream. The
// gateway's database fails if its files have been moved away.
func Profile(dir, url, upstream, dead string, timeoutMS int64) string {
	move := func(from, to string) string { return fmt.Sprintf("{run: 'mv %s %s'}", from, to) }
	accounts, ledger := filepath.Join(dir, "accounts.json"), filepath.Join(dir, "ledger.log")
	away := dir + ".away"
	return fmt.Sprintf(profile, url, upstream, UpstreamKey, dead, timeoutMS,
		move(accounts, accounts+".away"), move(accounts+".away", accounts),
		move(ledger, ledger+".away"), move(ledger+".away", ledger),
		move(dir, away), move(away, dir), LimitRequests, LimitWindowMS)
}

const profile = `name: second gateway
base_url: %[1]s/llm
prefix: {anthropic: /anthropic, gemini: /google}
driver: static
surfaces: [chat, chat-stream, completions, responses, responses-stream, messages, messages-stream, gemini, gemini-stream, embeddings]
keys:
  valid: ` + ValidKey + `
  revoked: ` + RevokedKey + `
  restricted: ` + RestrictedKey + `
  denied: ` + DeniedKey + `
  spent_account: ` + SpentAccountKey + `
  spent_key: ` + SpentKey + `
models: {default: swift, embeddings: vector}
upstream: {listen: "%[2]s", keys: [%[3]s], addresses: ["%[4]s"]}
balance: {path: /v1/balance, field: account.left}
limits:
  timeout: %[5]dms
  body: 1048576
  attempts: 2
  rate: {key: ` + LimitedKey + `, requests: %[12]d, window: %[13]dms, kind: sliding-log, shared: true}
circumstances:
  unconvertible-request:
    model: in-openai
    on:
      chat: {model: in-anthropic, body: {logprobs: true}}
      chat-stream: {model: in-anthropic, body: {logprobs: true}}
      completions: {body: {suffix: "and so on"}}
      responses: {body: {previous_response_id: resp_1}}
      responses-stream: {body: {previous_response_id: resp_1}}
      messages: {body: {thinking: {type: enabled, budget_tokens: 1024}}}
      messages-stream: {body: {thinking: {type: enabled, budget_tokens: 1024}}}
      gemini: {body: {cachedContent: cachedContents/abc}}
      gemini-stream: {body: {cachedContent: cachedContents/abc}}
      embeddings: {model: in-anthropic}
  sensitive-content: {prompt: "say XyzzyPlugh aloud"}
  unsupported-api: {model: pigeon}
  no-channel: {model: unserved}
  channel-without-key: {model: keyless}
  channel-with-bad-key: {model: bad-key}
  bad-model-mapping: {model: circular}
  unpriced-model: {model: unpriced}
  uncountable-input:
    prompt: "what comes after <|endoftext|>?"
    on:
      messages: {body: {"messages[0].content": [
        {type: text, text: "{{prompt}}"}, {type: image, source: {type: base64, media_type: image/png, data: "@@@@"}}]}}
  unreachable-upstream/refused: {model: dead}
  unserializable-result: {model: astronomical, on: {embeddings: {model: astro-vectors}}}
  failing-store-reads: {before: [%[6]s], after: [%[7]s]}
  failing-store-writes: {before: [%[8]s], after: [%[9]s]}
  gateway-error: {before: [%[10]s], after: [%[11]s]}
`
