package newapi

import (
	"context"
	"fmt"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// furniture is what a run has on the deployment: its names, and the keys that the gateway gave out.
type furniture struct {
	tag    string
	models models
	// providerKey is the one that our upstream accepts.
	providerKey string
	keys        profile.Keys
	limitedKey  string
	// channels are the ids by name.
	channels map[string]int
}

// models are the names a caller asks for. Where a family's name decides how the gateway counts, ours begin like it.
type models struct {
	chat, claude, gemini, embedding   string
	badChat, badClaude, badGemini     string // the provider rejects the channel's key
	unpriced, unrouted, vanishing     string
	keyless, dead, circle, unreadable string
	unsupported, unconvertible, coze  string
	elsewhere                         string // routed for another group only
}

func modelsOf(tag string) models {
	return models{
		chat: "gpt-4o-" + tag, claude: "claude-" + tag, gemini: "gemini-" + tag, embedding: "embedding-" + tag,
		badChat: "gpt-badkey-" + tag, badClaude: "claude-badkey-" + tag, badGemini: "gemini-badkey-" + tag,
		unpriced: "unpriced-" + tag, unrouted: "unrouted-" + tag, vanishing: "vanishing-" + tag,
		keyless: "keyless-" + tag, dead: "dead-" + tag, circle: "circle-" + tag, unreadable: "unreadable-" + tag,
		unsupported: "unsupported-" + tag, unconvertible: "unconvertible-" + tag, coze: "coze-" + tag,
		elsewhere: "elsewhere-" + tag,
	}
}

// priced are the models that get a price: all but one.
func (m models) priced() []string {
	return []string{
		m.chat, m.claude, m.gemini, m.embedding, m.badChat, m.badClaude, m.badGemini, m.unrouted, m.vanishing,
		m.keyless, m.dead, m.circle, m.unreadable, m.unsupported, m.unconvertible, m.coze, m.elsewhere,
	}
}

// The price of a call in units of quota, and the budget of the key that cannot pay it.
const (
	callPrice  = 2
	tinyBudget = 1
)

// nobody is a place where nothing listens; deadPath marks it, so that an answer that shows the address is noticed.
const (
	nobody   = "http://127.0.0.1:1/"
	deadPath = "gatecert-nobody"
)

// channelsFor are the channels of a run.
func (f furniture) channelsFor(p product, upstream string) []channel {
	m := f.models
	plain := func(name string, kind int, models ...string) channel {
		return channel{
			name: f.tag + "-" + name, kind: kind, keys: []string{f.providerKey}, baseURL: upstream,
			models: models, groups: []string{f.group("m"), f.group("l")},
		}
	}
	with := func(ch channel, change func(*channel)) channel {
		change(&ch)
		return ch
	}
	rejected := func(ch *channel) { ch.keys = []string{"sk-" + f.tag + "-was-never-issued"} }
	list := []channel{
		plain("openai", openAIChannel, m.chat, m.embedding, m.unpriced),
		plain("anthropic", anthropicChannel, m.claude),
		plain("gemini", geminiChannel, m.gemini),
		with(plain("badkey-openai", openAIChannel, m.badChat), rejected),
		plain("unrouted", openAIChannel, m.unrouted),
		with(plain("dead", openAIChannel, m.dead), func(ch *channel) { ch.baseURL = nobody + deadPath }),
		plain("unconvertible", unconvertibleKind(p), m.unconvertible),
		with(plain("elsewhere", openAIChannel, m.elsewhere), func(ch *channel) { ch.groups = []string{f.group("o")} }),
	}
	if p == oneAPI {
		return list
	}
	return append(list,
		with(plain("badkey-anthropic", anthropicChannel, m.badClaude), rejected),
		with(plain("badkey-gemini", geminiChannel, m.badGemini), rejected),
		plain("vanishing", openAIChannel, m.vanishing),
		with(plain("keyless", openAIChannel, m.keyless), func(ch *channel) { ch.keys = []string{f.providerKey, f.providerKey + "-2"} }),
		with(plain("circle", openAIChannel, m.circle), func(ch *channel) {
			ch.mapping = fmt.Sprintf(`{%q:"half-way",%q:%q}`, m.circle, "half-way", m.circle)
		}),
		with(plain("unreadable", openAIChannel, m.unreadable), func(ch *channel) { ch.mapping = "{not json" }),
		plain("library", libraryChannel, m.unsupported),
		plain("coze", cozeChannel, m.coze),
	)
}

// unconvertibleKind is the type of a channel for which no text can be expressed.
func unconvertibleKind(p product) int {
	if p == oneAPI {
		return bedrockChannel
	}
	return replicateChannel
}

// group is the name of one of our groups: m of our callers, l of the one whose rate is limited, o of nobody. one-api has
// 32 bytes for the groups of a channel, which two names fill.
func (f furniture) group(letter string) string { return f.tag + "-" + letter }

// furnish makes everything a run needs. What it has begun is in the ledger.
func furnish(ctx context.Context, l *ledger, found findings, f *furniture, upstream string) error {
	admin := l.admin
	for _, s := range found.always {
		if _, err := l.setOption(ctx, s.key, s.value); err != nil {
			return err
		}
	}
	if admin.product == newAPI {
		if err := f.addOptions(ctx, l, found); err != nil {
			return err
		}
	}
	if err := l.make("channels", f.tag); err != nil {
		return err
	}
	list := f.channelsFor(admin.product, upstream)
	for _, ch := range list {
		if err := admin.makeChannel(ctx, ch); err != nil {
			return err
		}
	}
	if err := f.arrange(ctx, admin, list); err != nil {
		return err
	}
	if err := l.make("users", f.tag); err != nil {
		return err
	}
	return f.makeCallers(ctx, admin, found)
}

func (f *furniture) addOptions(ctx context.Context, l *ledger, found findings) error {
	prices := map[string]any{}
	for _, model := range f.models.priced() {
		prices[model] = callPrice / found.unit
	}
	if err := l.addEntries(ctx, "ModelPrice", prices); err != nil {
		return err
	}
	// [all calls, successful calls] in the window; 0 is no limit. The gateway keeps a list of the second length.
	return l.addEntries(ctx, "ModelRequestRateLimitGroup", map[string]any{
		f.group("l"): [2]int{limitedCalls, limitedCalls},
		f.group("m"): [2]int{0, 100_000},
	})
}

// arrange finds the channels that were made and brings them into their state. Switching one off also makes the gateway
// read its channels anew: with a memory cache, new ones stay unknown for a minute otherwise.
func (f *furniture) arrange(ctx context.Context, admin *client, list []channel) error {
	var err error
	if f.channels, err = admin.channels(ctx, f.tag); err != nil {
		return err
	}
	for _, ch := range list {
		if _, ok := f.channels[ch.name]; !ok {
			return fmt.Errorf("%w: channel %s was made and is not there", targets.ErrUnfit, ch.name)
		}
	}
	if id, ok := f.channels[f.tag+"-keyless"]; ok {
		if err := admin.disableKeys(ctx, id, 2); err != nil {
			return err
		}
	}
	return admin.switchChannel(ctx, f.channels[f.tag+"-unrouted"], channelOff)
}

// makeCallers makes the users and their keys.
func (f *furniture) makeCallers(ctx context.Context, admin *client, found findings) error {
	// Under ten units new-api does not trust a user, and takes the price before it asks the provider: only then can that
	// fail. one-api trusts from a hundred times the price of a call on.
	quota := int(9 * found.unit)
	if admin.product == oneAPI {
		quota = 1_400_000
	}
	everywhere := token{name: "valid"}
	keys, err := f.caller(ctx, admin, user{name: "m", group: "m", quota: quota}, everywhere, token{name: "revoked"},
		token{name: "restricted", models: "another-" + f.tag},
		token{name: "denied", network: "192.0.2.1/32"}, // TEST-NET-1 (RFC 5737): nobody calls from there
		token{name: "spent", budget: tinyBudget})
	if err != nil {
		return err
	}
	f.keys = profile.Keys{
		Valid: keys["valid"], Revoked: keys["revoked"], Restricted: keys["restricted"], Denied: keys["denied"], SpentKey: keys["spent"],
	}
	poor, err := f.caller(ctx, admin, user{name: "p", group: "m"}, everywhere)
	if err != nil {
		return err
	}
	f.keys.SpentAccount = poor["valid"]
	if admin.product == oneAPI {
		return nil
	}
	limited, err := f.caller(ctx, admin, user{name: "l", group: "l", quota: quota}, everywhere)
	f.limitedKey = limited["valid"]
	return err
}

// caller makes one user with its tokens and returns the keys. A token named "revoked" is withdrawn at once.
func (f *furniture) caller(ctx context.Context, admin *client, u user, tokens ...token) (map[string]string, error) {
	u.name, u.group, u.password = f.tag+"-"+u.name, f.group(u.group), newPassword()
	if err := admin.makeUser(ctx, u); err != nil {
		return nil, err
	}
	self := admin.as(profile.Admin{User: u.name, Password: u.password})
	keys, err := self.makeTokens(ctx, tokens)
	if err != nil {
		return nil, fmt.Errorf("as user %s: %w", u.name, err)
	}
	if _, ok := keys["revoked"]; ok {
		err = self.disableToken(ctx, "revoked")
	}
	return keys, err
}
