package targets

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// awkward is a profile with secrets, short and long, wherever they may stand in a request, and values that YAML and JSON
// write in different ways.
const awkward = `
name: awkward
base_url: ${URL}
prefix: {gemini: "/proxy/${LONG}/g"}
env: [URL, LONG, SHORT]
keys: {valid: "${KEY}", wrong: wrong-key-0123456789, revoked: "${KEY}-revoked", spent_key: abc}
models: {default: gpt-test, relay: [relay-a, relay-b, relay-c]}
headers: {X-Tenant: "${SHORT}", X-Api-Token: "${LONG}", Cookie: "session=${LONG}"}
surface_headers: {messages: {Authorization: "Bearer ${LONG}", Anthropic-Version: "2023-01-01"}, chat: {X-Title: "a, b: \"c\""}}
upstream: {attach: "http://user:hunter2-password@127.0.0.1:9/"}
limits: {body: 100000, timeout: 1s, patience: 5s}
circumstances:
  blocked-prompt: {prompt: "say ${LONG} and {{prompt}}"}
  unpriced-model: {surfaces: [chat, chat-stream], model: mystery, body: {tab: "a\tb", line: "a\r\nb\n", asked: "? a", inf: ".inf", user: "${KEY}", password: "${SHORT}", max_tokens: null, big: 12345678901234567890, float: 1.50, yes: "no", list: ["{{prompt}}", "${LONG}", 1, true, null]}}
  denied-access: {path: "/v1/x?api_key=${LONG}&b=%20${SHORT}", method: PUT, headers: {"X-Secret": "${SHORT}", X-Tenant: ""}}
  no-model-access: {on: {chat: {key: "${KEY}-other", headers: {X-Title: "é ${LONG}"}}, embeddings: {directive: "status=403 note=${SHORT}"}}}
  sensitive-content: {surfaces: [chat, chat-stream], prompt: "a b\tc <&> \u2028 é ${SHORT}", body: {"messages[0].content": "{{prompt}} ${KEY}"}}
`

// What a run has sent is recomputed from the profile in its log, whatever the profile holds, and wherever secrets are replaced.
func TestRequestsAreRecomputedFromTheRedactedProfile(t *testing.T) {
	gateway := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer gateway.Close()
	getenv := func(name string) (string, bool) {
		value, ok := map[string]string{
			"URL": gateway.URL, "KEY": "sk-abc-0123456789", "GATEWAY_KEY": "sk-abc-123", "LONG": "long-secret/0123+456789", "SHORT": "k1",
		}[name]
		return value, ok
	}
	load := func(file string) profile.Profile {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		p, err := profile.Parse(file, text, getenv)
		require.NoError(t, err)
		return p
	}
	strange, err := profile.Parse("awkward", []byte(awkward), getenv)
	require.NoError(t, err)
	bare := profile.FromURL(gateway.URL, "sk", "m")
	for name, p := range map[string]profile.Profile{
		"a bare URL": bare, "a whole profile": load("profile/testdata/whole.yaml"), "portkey": load("portkey/profile.yaml"), "an awkward profile": strange,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.BaseURL = gateway.URL
			logged, err := OfferOf(p.Redacted())
			require.NoError(t, err)
			session := NewSession(Prepared{Profile: p}, Host{})
			defer session.Close()
			for _, s := range p.Surfaces {
				session.newer.Store(s, true)
				for kind, call := range map[ControlKind]exchange.Call{
					ControlHealthy: HealthyCall(p, s, newToken()), ControlNonsense: NonsenseCall(p, s, newToken()),
				} {
					o, err := session.client.Do(t.Context(), call)
					require.NoError(t, err)
					_, err = logged.CheckControl(string(kind), s, o.Sent)
					assert.NoError(t, err, "%s %s", s, kind)
				}
			}
			checked := 0
			for i, c := range contract.Cases() {
				session.health.relay = i
				pr, err := session.request(c, newToken())
				if err != nil || c.IsLoad() {
					continue
				}
				o, err := session.client.Do(t.Context(), pr.Call)
				require.NoError(t, err, c.ID())
				if _, err := logged.CheckSent(c, o.Sent); !assert.NoError(t, err, c.ID()) {
					continue
				}
				checked++
				changed := o.Sent
				changed.URL += "x"
				_, err = logged.CheckSent(c, changed)
				assert.ErrorIs(t, err, exchange.ErrOtherRequest)
			}
			assert.Greater(t, checked, 20)
		})
	}
}
