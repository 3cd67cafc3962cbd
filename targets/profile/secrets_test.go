package profile

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parsed(t *testing.T, text string, vars map[string]string) Profile {
	t.Helper()
	env := strings.Join(append(slices.Sorted(maps.Keys(vars)), "UNSET"), ", ")
	p, err := Parse("p.yaml", []byte("base_url: http://gateway.test\nenv: ["+env+"]\n"+text), environment(vars))
	require.NoError(t, err, text)
	return p
}

func unquoted(text string) string { return strings.NewReplacer(`"`, "", `\`, "").Replace(text) }

// A credential is recognised by its place and name; it need not be a variable, and may be short.
func TestCredentialsThatStandInAProfile(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("user:s3cr3t"))
	for _, tt := range []struct{ text, shown string }{
		{"keys: {valid: s3cr3t}", "valid: [caller key]"},
		{"limits: {rate: {key: s3cr3t, requests: 1}}", "key: [caller key]"},
		{"headers: {X-Password: s3cr3t}", "[header X-Password]"},
		{"headers: {X-Session-Id: s3cr3t}", "[header X-Session-Id]"},
		{"headers: {Cookie: \"a=1; sid=s3cr3t\"}", "[header Cookie]"},
		{"headers: {x-portkey-config: '{\"vendor\":\"openai\",\"api_key\":\"s3cr3t\"}'}", `"vendor":"openai"`},
		{"surface_headers: {chat: {Authorization: Bearer s3cr3t}}", "Bearer [header Authorization]"},
		{"surface_headers: {chat: {Proxy-Authorization: Basic " + basic + "}}", "Basic [header Proxy-Authorization]"},
		{"upstream: {listen: 127.0.0.1:1, keys: [s3cr3t]}", "[upstream key]"},
		{"upstream: {attach: \"http://u:s3cr3t@127.0.0.1:1/x\"}", "http://u:[upstream credential]@[upstream address]/x"},
		{"upstream: {listen: 127.0.0.1:1, url: \"http://127.0.0.1:1/?token=s3cr3t\"}", "token=[credential token]"},
		{"upstream: {listen: 127.0.0.1:1, addresses: [s3cr3t]}", "[upstream address]"},
		{"store: {postgres: \"postgres://u:s3cr3t@db/x\"}", "postgres://u:[store's password]@db/x"},
		{"store: {postgres: \"postgres://u:a%2Fs3cr3t@db/x\"}", "postgres://u:[store's password]@db/x"},
		{"store: {postgres: \"postgres://u:a/s3cr3t#b@db/x\"}", "postgres://u:[store's password]@db/x"},
		{"store: {postgres: \"postgres://db/x?user=u&password=s3cr3t\"}", "postgres://db/x?user=u&password=[credential password]"},
		{"store: {postgres: \"host=db password=s3cr3t user=u\"}", "host=db password=[credential password] user=u"},
		{"balance: {path: \"/me?key=s3cr3t\", field: a}", "/me?key=[credential key]"},
		{"circumstances: {unpriced-model: {key: s3cr3t}}", "[caller key]"},
		{"circumstances: {unpriced-model: {path: \"/x?api_key=s3cr3t&y=1\"}}", "/x?api_key=[credential api_key]&y=1"},
		{"circumstances: {unpriced-model: {headers: {X-Api-Key: s3cr3t}}}", "[header X-Api-Key]"},
		{"circumstances: {unpriced-model: {body: {\"metadata.apiKey\": s3cr3t}}}", "[body apiKey]"},
		{"circumstances: {unpriced-model: {body: {\"a[0]\": {token: [s3cr3t]}}}}", "[body token]"},
		{"circumstances: {unpriced-model: {on: {chat: {key: s3cr3t, headers: {X-Auth-Token: s3cr3t}, path: \"/x?sig=s3cr3t\"}}}}", "[header X-Auth-Token]"},
		{"circumstances: {gateway-error: {before: [{run: \"PGPASSWORD=s3cr3t psql -h db\"}]}}", "PGPASSWORD=[credential PGPASSWORD] psql -h db"},
		{"circumstances: {gateway-error: {after: [{run: \"curl -H 'Authorization: Bearer s3cr3t' http://u:s3cr3t@h --token s3cr3t\"}]}}", "--token [credential token]"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			p := parsed(t, tt.text+"\n", nil)
			text := p.Redacted()
			assert.NotContains(t, text, "s3cr3t")
			assert.NotContains(t, text, basic)
			assert.Contains(t, unquoted(text), unquoted(tt.shown))
			again, err := ParseRedacted(text)
			require.NoError(t, err)
			assert.Equal(t, text, again.Redacted(), "what is replaced stays as it is")
			found := false
			for _, s := range p.Secrets() {
				found = found || strings.Contains(s.Value, "s3cr3t")
			}
			assert.True(t, found, "it is searched for in answers")
		})
	}
}

func TestVariablesAreSecrets(t *testing.T) {
	vars := map[string]string{"S": "sk-abcdef-123456", "SHORT": "k7", "WORD": "test", "TENANT": "tenant-4711-blue", "GATEWAY": "gw.test"}
	for _, tt := range []struct {
		text, shown string
		secret      []string
	}{
		{"headers: {x-tenant: \"${TENANT}\"}", "x-tenant: [$TENANT]", []string{"$TENANT"}},
		{"headers: {x-env: \"pre${SHORT}post\"}", "x-env: pre[$SHORT]post", []string{"$SHORT"}},
		{"headers: {x-env: \"${WORD}\", x-other: contest}", "x-other: contest", []string{"$WORD"}},
		{"headers: {Authorization: \"Bearer ${S}\"}", "Bearer [$S]", []string{"header Authorization", "header Authorization", "$S"}},
		{"headers: {x-a: &a \"${SHORT}\"}\nsurface_headers: {chat: {x-b: *a}}", "x-b: [$SHORT]", []string{"$SHORT"}},
		{"prefix: /t/${SHORT}", "prefix: /t/[$SHORT]", []string{"$SHORT"}},
		{"balance: {path: /x, field: \"data.${SHORT}\"}", "field: data.[$SHORT]", []string{"$SHORT"}},
		{"circumstances:\n  gateway-error:\n    before:\n      - run: |\n          echo ${SHORT}\n          true ${WORD}\n", "echo [$SHORT]", []string{"$SHORT", "$WORD"}},
		{"store: {sqlite: x.db}\ncircumstances: {gateway-error: {before: [{sql: \"SELECT '${SHORT}'\"}]}}", "SELECT '[$SHORT]'", []string{"$SHORT"}},
		{"circumstances: {unpriced-model: {prompt: \"hi ${SHORT}\", body: {a: [\"${WORD}\", {b: \"${SHORT}\"}]}}}", "hi [$SHORT]", []string{"$SHORT", "$WORD"}},
		{"name: \"gw ${WORD}\"\nversion: \"${SHORT}\"\nmodels: {default: \"${TENANT}\"}", "name: gw test", nil},
		{"public: [TENANT]\nheaders: {x-tenant: \"${TENANT}\"}", "x-tenant: tenant-4711-blue", nil},
		{"headers: {x-tenant: \"${UNSET:-tenant-of-all}\"}", "x-tenant: tenant-of-all", nil},
		{"name: \"${TENANT}\"\nheaders: {x-tenant: \"${TENANT}\"}", "name: [$TENANT]", []string{"$TENANT"}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			p := parsed(t, tt.text+"\n", vars)
			text := p.Redacted()
			assert.Contains(t, unquoted(text), tt.shown)
			var names []string
			for _, s := range p.Secrets() {
				names = append(names, s.What)
			}
			assert.Equal(t, tt.secret, names)
		})
	}
}

// What is only sent, and no credential by its name, may come back.
func TestAGatewayMayRepeatWhatItWasSent(t *testing.T) {
	for text, want := range map[string]bool{
		"headers: {x-tenant: \"${TENANT}\"}":                                           true,
		"circumstances: {unpriced-model: {prompt: \"${TENANT}\"}}":                     true,
		"circumstances: {unpriced-model: {body: {user: \"${TENANT}\"}}}":               true,
		"headers: {x-token: \"${TENANT}\"}":                                            false,
		"headers: {x-tenant: \"${API_KEY}\"}":                                          false,
		"circumstances: {unpriced-model: {body: {password: \"${TENANT}\"}}}":           false,
		"circumstances: {gateway-error: {before: [{run: \"echo ${TENANT}\"}]}}":        false,
		"headers: {x-tenant: \"${TENANT}\"}\nbalance: {path: /, field: \"${TENANT}\"}": false,
	} {
		p := parsed(t, text+"\n", map[string]string{"TENANT": "tenant-4711-blue", "API_KEY": "tenant-4711-blue"})
		secrets := p.Secrets()
		assert.Equal(t, want, secrets[len(secrets)-1].Echo, text)
	}
}

func TestErrorsOfAProfileDoNotQuoteItsVariables(t *testing.T) {
	vars := map[string]string{"S": "sk-abcdef-123456", "SHORT": "k7"}
	for text, want := range map[string]string{
		"limits: {timeout: \"${S}\"}":         `expected a duration such as 2s, got "${S}"`,
		"prefix: {\"${SHORT}\": /x}":          `"[$SHORT]" is neither an endpoint nor an API format`,
		"balance: {path: x, \"${S}\": y}":     `unknown key "${S}"`,
		"keys: {valid: \"sk-1${OH\"}":         `"sk-1${OH" contains ${ without a closing }`,
		"upstream: {listen: \"a ${S}${NO}\"}": "the variable NO is not set or is empty",
	} {
		_, err := Parse("p.yaml", []byte("base_url: http://gateway.test\nheaders: {a: \"${S}\", b: \"${SHORT}\"}\n"+text+"\n"), environment(vars))
		require.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "abcdef", text)
	}
	_, err := Parse("p.yaml", []byte("base_url: http://user:hunter2@gateway.test\n"), environment(nil))
	require.EqualError(t, err, "p.yaml:1:11: the gateway's URL must not contain a user name, password, query or fragment: put credentials in keys or headers")
	assert.NotContains(t, FromURL("http://user:hunter2@gateway.test", "k", "m").Redacted(), "hunter2")
}

// Ordinary words stay as they are, whatever a profile calls its secrets.
func TestWordsAreNotRewritten(t *testing.T) {
	p := parsed(t, `name: a test of postgres
keys: {valid: chat}
headers: {x-env: "${ENV}", x-token: json}
store: {postgres: "postgres://postgres:postgres@db/postgres"}
models: {default: test-model}
circumstances: {sensitive-content: {prompt: "this is a test of json"}}
`, map[string]string{"ENV": "test"})
	text := p.Redacted()
	for _, kept := range []string{"a test of postgres", "postgres://postgres:[store's password]@db/postgres", "test-model", "this is a test of json"} {
		assert.Contains(t, text, kept)
	}
	assert.Equal(t, []string{"gatecert", "run", "test", "--out", "postgres"}, p.ShownCommand([]string{"gatecert", "run", "test", "--out", "postgres"}))
	_, weak := p.SearchedSecrets()
	assert.Equal(t, []string{"caller key", "store's password", "header x-token"}, weak, "a run tells which secrets it does not search for")
}

func TestACommandLineShowsNoCredential(t *testing.T) {
	p := parsed(t, "keys: {valid: sk-abcdef-123456}\n", nil)
	assert.Equal(t,
		[]string{"gatecert", "run", "--key", "[caller key]", "--key=[caller key]", "--token", "[token]", "http://u:[credential]@h/?api_key=[credential api_key]", "x-[caller key]", "--model", "m"},
		p.ShownCommand([]string{"gatecert", "run", "--key", "a", "--key=b", "--token", "c", "http://u:d@h/?api_key=e", "x-sk-abcdef-123456", "--model", "m"}))
}

func TestWhatAnActionPrintedIsShownWithoutSecrets(t *testing.T) {
	p := parsed(t, "keys: {valid: k7#}\nheaders: {x: \"${S}\", y: \"${WORD}\", z: \"${OTHER}\"}\nstore: {sqlite: a.db}\ncircumstances: {gateway-error: {before: [{run: \"echo ${WORD}${SHORT}\"}]}}\n",
		map[string]string{"S": "sk-abcdef-123456", "SHORT": "q9Z", "WORD": "swordfish", "OTHER": "trout"})
	action := p.Circumstances["gateway-error"].Before[0]
	assert.Equal(t, `run "echo [$WORD][$SHORT]": failed: [$S], xx[$SHORT]xx, [$WORD], trout, [caller key]`,
		p.ShownAction(action, `run "echo swordfishq9Z": failed: sk-abcdef-123456, xxq9Zxx, swordfish, trout, k7#`))
}
