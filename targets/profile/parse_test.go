package profile

import (
	_ "embed"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

//go:embed testdata/whole.yaml
var wholeProfile string

func TestParseReadsAWholeProfile(t *testing.T) {
	p, err := Parse("p.yaml", []byte(wholeProfile), environment(map[string]string{"GATEWAY_KEY": "sk-abc-123"}))
	require.NoError(t, err)
	assert.Equal(t, "my-gateway", p.Name)
	assert.Equal(t, "sk-abc-123", p.Keys.Valid)
	assert.Equal(t, "sk-old", p.Keys.Revoked, "a default stands in for an unset variable")
	assert.Equal(t, []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Messages, dialect.Embeddings}, p.Surfaces)
	assert.False(t, p.Discover, "listed surfaces are claimed")
	assert.Equal(t, 2*time.Second, p.Limits.Timeout)
	assert.Equal(t, Rate{Key: "sk-limited", Requests: 20, Window: 10 * time.Second}, p.Limits.Rate)
	assert.Equal(t, "routed", p.Models.Routed(dialect.ChatStream))
	assert.Equal(t, "gpt-4o-mini", p.Models.On(dialect.ChatStream))
	assert.Equal(t, time.Minute, p.Settle.Recovery)
	assert.Equal(t, "anthropic", p.SurfaceHeaders[dialect.Messages]["x-provider"])
	assert.Equal(t, "ALTER TABLE a RENAME TO b", p.Circumstances["failing-store-reads"].Before[0].SQL)
}

func TestAProfileSurvivesItsOwnYAML(t *testing.T) {
	p, err := Parse("p.yaml", []byte(wholeProfile), environment(map[string]string{"GATEWAY_KEY": "sk-abc-123"}))
	require.NoError(t, err)
	raw, err := yaml.Marshal(p)
	require.NoError(t, err)
	again, err := Parse("p.yaml", raw, environment(nil))
	require.NoError(t, err, string(raw))
	again.Variables = p.Variables // its file holds their values
	assert.Equal(t, p, again)
}

func TestLeftOutThingsHaveDefaults(t *testing.T) {
	p, err := Parse("p.yaml", []byte("base_url: http://127.0.0.1:1\n"), environment(nil))
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:1", p.Name)
	assert.Equal(t, StaticDriver, p.Driver)
	assert.Equal(t, dialect.Surfaces(), p.Surfaces)
	assert.True(t, p.Discover)
	assert.Equal(t, DefaultConcurrency, p.Concurrency)
	assert.Equal(t, DefaultPatience, p.Limits.Patience)
	assert.Equal(t, DefaultRecovery, p.Settle.Recovery)
}

func TestRelayModelsAreANameOrAList(t *testing.T) {
	for text, want := range map[string]ModelNames{"a": {"a"}, "[a]": {"a"}, "[a, b]": {"a", "b"}} {
		p, err := Parse("p.yaml", []byte("base_url: http://a\nmodels: {default: m, relay: "+text+"}\n"), environment(nil))
		require.NoError(t, err)
		assert.Equal(t, want, p.Models.Relay)
		assert.Equal(t, "a", p.Models.Routed(dialect.Messages))
		logged, err := ParseRedacted(p.Redacted())
		require.NoError(t, err)
		assert.Equal(t, want, logged.Models.Relay)
	}
}

func TestErrorsNameThePlaceAndTheFix(t *testing.T) {
	known := []Driver{{Name: "static"}, {Name: "reference", Embedded: true}, {Name: "newapi", Admin: true}, {Name: "oneapi", Admin: true}}
	for _, tt := range []struct{ name, yaml, want string }{
		{"an unknown key", "base_url: http://a\nsurfacs: [chat]\n", `p.yaml:2:1: unknown key "surfacs": did you mean "surfaces"?`},
		{"what only a driver knows", "base_url: http://a\nlacks: {missing-key: none}\n", `p.yaml:2:8: only a driver can set the field "lacks": remove the field from the profile; gatecert automatically leaves out cases that have no recipe or key`},
		{"an unknown key with no near one", "base_url: http://a\nbanana: 1\n", `p.yaml:2:1: unknown key "banana": must be name, base_url, prefix, tls, driver, admin, version, surfaces, lacks, keys, models, headers, surface_headers, upstream, limits, load, concurrency, settle, store, balance, claims, without_actions, public, env or circumstances`},
		{"an unknown key deep inside", "base_url: http://a\nkeys:\n  vlid: x\n", `p.yaml:3:3: unknown key "vlid": did you mean "valid"?`},
		{"an unset variable", "base_url: http://a\nkeys: {valid: \"${NO_SUCH}\"}\n", `p.yaml:2:15: the variable NO_SUCH is not set or is empty: export it with a value, or give it a default value: ${NO_SUCH:-default}`},
		{"an unclosed variable", "base_url: ${A\n", `p.yaml:1:11: "${A" contains ${ without a closing }`},
		{"a list where a word is due", "base_url: [a]\n", "p.yaml:1:11: expected a string, got a list"},
		{"a word where a list is due", "base_url: http://a\nsurfaces: chat\n", "p.yaml:2:11: expected a list, got a string"},
		{"a word where a number is due", "base_url: http://a\nconcurrency: many\n", "p.yaml:2:14: expected a whole number, got a string"},
		{"a number where a duration is due", "base_url: http://a\nlimits: {timeout: soon}\n", `p.yaml:2:19: expected a duration such as 2s, got "soon"`},
		{"a limited key that is also the free one", "base_url: http://a\nkeys: {valid: k}\nlimits: {rate: {key: k, requests: 3}}\n", `p.yaml:3:22: choose a key other than keys.valid: calls with keys.valid must succeed while the limit is used up`},
		{"a limited model that the other calls ask for", "base_url: http://a\nmodels: {default: m}\nlimits: {rate: {model: m, requests: 3}}\n", `p.yaml:3:24: choose a model that is not in models: gatecert also calls the models listed there, and these calls must succeed while the limit is used up`},
		{"a relay model that is a number", "base_url: http://a\nmodels: {relay: [a, 4]}\n", `p.yaml:2:17: models.relay must be a model name or a list of model names`},
		{"a surface that takes no load", "base_url: http://a\nload: {surfaces: [chat, embeddings]}\n", `p.yaml:2:25: "embeddings" has no load cases: the endpoint must be one of chat, responses, messages, gemini`},
		{"an unknown surface", "base_url: http://a\nsurfaces: [chat, chatt]\n", `p.yaml:2:18: unknown endpoint "chatt": did you mean "chat"?`},
		{"a recipe for what gatecert does itself", "base_url: http://a\ncircumstances:\n  unknown-model: {path: /canned/404}\n",
			"p.yaml:3:18: gatecert builds the request for unknown-model itself, so a recipe cannot set the path"},
		{"a recipe on one endpoint for what gatecert does itself", "base_url: http://a\ncircumstances:\n  missing-key: {on: {chat: {key: sk-x}}}\n",
			"p.yaml:3:16: gatecert builds the request for missing-key itself, so a recipe cannot set the key"},
		{"an unknown circumstance", "base_url: http://a\ncircumstances:\n  unpriced-modl: {model: m}\n", `p.yaml:3:18: unknown circumstance "unpriced-modl": did you mean "unpriced-model"?`},
		{"an unknown variant", "base_url: http://a\ncircumstances:\n  absent-model/x: {model: m}\n", `p.yaml:3:19: circumstance absent-model has no variant "x": run gatecert explain code:model_not_found to see the variants`},
		{"no URL", "name: x\n", "p.yaml:1:1: driver static needs base_url"},
		{"a URL that is none", "base_url: gateway.example\n", "p.yaml:1:11: the gateway's URL must be an absolute http or https URL"},
		{"an unknown driver", "base_url: http://a\ndriver: magic\n", "p.yaml:2:9: driver must be one of static, reference, newapi, oneapi"},
		{"an administrator whom nobody needs", "base_url: http://a\nadmin: {token: x}\n", "p.yaml:2:8: driver static does not use an admin API: remove the field admin, or choose a driver that uses one"},
		{"a driver without its administrator", "base_url: http://a\ndriver: newapi\n", "p.yaml:2:9: driver newapi needs admin.token, or both admin.user and admin.password"},
		{"half an administrator", "base_url: http://a\ndriver: oneapi\nadmin: {user: root}\n", "p.yaml:2:9: driver oneapi needs admin.token, or both admin.user and admin.password"},
		{"two administrators", "base_url: http://a\ndriver: newapi\nadmin: {token: x, user: root}\n", "p.yaml:3:8: set either a token, or a user and a password, but not both"},
		{"a driver without its gateway", "driver: newapi\nadmin: {token: x}\n", "p.yaml:1:1: driver newapi needs base_url"},
		{"two stores", "base_url: http://a\nstore: {sqlite: x.db, postgres: \"postgres://a/b\"}\n", "p.yaml:2:8: set either sqlite or postgres, not both"},
		{"a function of a driver", "base_url: http://a\ncircumstances:\n  gateway-error: {before: [{do: x}]}\n", "p.yaml:3:18: an action needs either run: or sql:"},
		{"two upstreams", "base_url: http://a\nupstream: {listen: \"127.0.0.1:1\", attach: http://b}\n", "p.yaml:2:11: set either listen or attach, not both"},
		{"an action that is nothing", "base_url: http://a\ncircumstances:\n  gateway-error: {before: [{}]}\n", "p.yaml:3:18: an action needs either run: or sql:"},
		{"SQL without a store", "base_url: http://a\ncircumstances:\n  gateway-error: {before: [{sql: x}]}\n", "p.yaml:3:18: sql: needs store.sqlite (the path of the gateway's database) or store.postgres (its URL)"},
		{"a key that stands twice", "base_url: http://a\nbase_url: http://b\n", `p.yaml:2:1: mapping key "base_url" already defined at [1:1]`},
		{"a prefix without its slash", "base_url: http://a\nprefix: proxy\n", "p.yaml:2:9: prefix must be a path such as /proxy"},
		{"a prefix with a query", "base_url: http://a\nprefix: {chat: \"/p?x=1\"}\n", "p.yaml:2:16: prefix must be a path such as /proxy"},
		{"a prefix for nobody", "base_url: http://a\nprefix:\n  anthropc: /a\n", `p.yaml:3:13: "anthropc" is neither an endpoint nor an API format: did you mean "anthropic"?`},
		{"a list of prefixes", "base_url: http://a\nprefix: [/a]\n", "p.yaml:2:9: prefix must be a path or a map from endpoints and API formats to paths"},
		{"a claim that is none", "base_url: http://a\nclaims: {codes: some}\n", `p.yaml:2:17: the value must be "published", "none", or a map from codes in the contract's table 2 to the gateway's own names`},
		{"a list of claims", "base_url: http://a\nclaims: {codes: [none]}\n", `p.yaml:2:17: the value must be "published", "none", or a map from codes in the contract's table 2 to the gateway's own names`},
		{"an empty map of codes", "base_url: http://a\nclaims: {codes: {}}\n", `p.yaml:2:17: the value must be "published", "none", or a map from codes in the contract's table 2 to the gateway's own names`},
		{"an unknown claim", "base_url: http://a\nclaims: {code: none}\n", `p.yaml:2:10: unknown key "code": did you mean "codes"?`},
		{"keys as a word", "base_url: http://a\nclaims: {client_keys: none}\n", "p.yaml:2:23: expected true or false, got a string"},
		{"own words for an unknown code", "base_url: http://a\nclaims:\n  codes:\n    model_not_fund: NoModel\n", `p.yaml:4:21: "model_not_fund" is not a code in the contract's table 2: did you mean "model_not_found"?`},
		{"own words for a status", "base_url: http://a\nclaims:\n  codes:\n    not_there: x\n", `p.yaml:4:16: "not_there" is not a code in the contract's table 2: run gatecert list rows to see the codes`},
		{"a number as a word", "base_url: http://a\nclaims:\n  codes:\n    channel:invalid_key: 7\n", "p.yaml:4:26: the value must be the gateway's own name for the code or a list of at most 16 names, each of 1 to 100 bytes"},
		{"an empty word", "base_url: http://a\nclaims:\n  codes: {model_not_found: [a, \"\"]}\n", "p.yaml:3:28: the value must be the gateway's own name for the code or a list of at most 16 names, each of 1 to 100 bytes"},
		{"no keys, and a revoked one", "base_url: http://a\nkeys: {revoked: x}\nclaims: {client_keys: false}\n", "p.yaml:2:7: with claims.client_keys: false, only keys.valid is allowed here; remove the other keys or the claim"},
		{"no keys, and a limited one", "base_url: http://a\nlimits: {rate: {key: x, requests: 3}}\nclaims: {client_keys: false}\n", "p.yaml:2:22: this setting contradicts claims.client_keys: false, because it concerns keys that the gateway issues to its callers; remove the setting or the claim"},
		{"no keys, and a recipe with one", "base_url: http://a\ncircumstances:\n  spent-key: {key: x}\nclaims: {client_keys: false}\n", "p.yaml:3:14: this setting contradicts claims.client_keys: false, because it concerns keys that the gateway issues to its callers; remove the setting or the claim"},
		{"a list", "- a\n", "p.yaml:1:1: expected a mapping, got a list"},
		{"nothing", "", "p.yaml:1:1: expected exactly one YAML document"},
		{"broken YAML", "a: [\n", "p.yaml:1:4: sequence end token ']' not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte(tt.yaml), environment(nil), known...)
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, ErrProfile)
		})
	}
}

func TestLoadReadsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	require.NoError(t, os.WriteFile(path, []byte("base_url: http://a\n"), 0o600))
	p, err := Load(path, environment(nil))
	require.NoError(t, err)
	assert.Equal(t, "http://a", p.BaseURL)
	_, err = Load(path+".missing", environment(nil))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRedactedShowsNoKey(t *testing.T) {
	p, err := Parse("p.yaml", []byte(wholeProfile), environment(map[string]string{"GATEWAY_KEY": "sk-abc-123"}))
	require.NoError(t, err)
	text := p.Redacted()
	for _, s := range p.Secrets() {
		if len(s.Value) >= 6 {
			assert.NotContains(t, text, s.Value, s.What)
		}
	}
	assert.Contains(t, text, "gpt-4o-mini")
	assert.Contains(t, text, "[caller key]")
}

func FuzzParse(f *testing.F) {
	f.Add(wholeProfile)
	f.Add("base_url: ${A:-${B}}\n")
	f.Add("circumstances: {x: {on: {y: {}}}}")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Parse("p.yaml", []byte(text), environment(nil))
		if err != nil {
			require.ErrorIs(t, err, ErrProfile)
			require.Regexp(t, `^p\.yaml:\d+:\d+: `, err.Error())
		}
	})
}
