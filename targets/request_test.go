package targets

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

func relayProfile() profile.Profile {
	return profile.Profile{
		BaseURL: "http://gateway.test", Keys: profile.Keys{Valid: "sk-abcdefgh-1234"},
		Models:   profile.Models{Default: "m", Messages: "claude"},
		Upstream: profile.Upstream{Listen: "127.0.0.1:9901"},
		Limits:   profile.Limits{Body: 1 << 20, Rate: profile.Rate{Key: "sk-limited", Requests: 3}},
	}.WithDefaults()
}

func requestFor(t *testing.T, p profile.Profile, id string) Request {
	t.Helper()
	c, err := contract.ParseCase(id)
	require.NoError(t, err)
	pr, err := RequestFor(p, c, "tok")
	require.NoError(t, err)
	return pr
}

// Whoever repeats a call by its curl line must not do it with the valid key.
func TestAKeyIsNamedByItsRole(t *testing.T) {
	p := relayProfile()
	p.Keys = profile.Keys{Valid: "sk-abcdefgh-1234", Revoked: "sk-old", Restricted: "sk-some", Denied: "sk-far", SpentAccount: "sk-poor", SpentKey: "sk-small"}
	for key, want := range map[string]string{
		"": "", "sk-abcdefgh-1234": "", p.Keys.WrongKey(): "wrong", "sk-old": "revoked", "sk-some": "restricted", "sk-far": "denied",
		"sk-poor": "spent_account", "sk-small": "spent_key", "sk-limited": "limited", "sk-of-a-recipe": "special",
	} {
		assert.Equal(t, want, CallWithKey(p, dialect.Chat, key, "tok", "").KeyRole, key)
	}
}

func TestRequestsOfLevelEdge(t *testing.T) {
	p := relayProfile()
	for _, tt := range []struct {
		id   string
		want func(*exchange.Call)
	}{
		{"http:400/missing-parameter/chat/no-model", func(c *exchange.Call) { c.Edits = []exchange.Edit{{Path: "model", Delete: true}} }},
		{"http:400/missing-parameter/gemini/no-input", func(c *exchange.Call) { c.Edits = []exchange.Edit{{Path: "contents", Delete: true}} }},
		{"http:400/malformed-parameter/embeddings/wrong-type", func(c *exchange.Call) { c.Edits = []exchange.Edit{{Path: "input", Value: 42}} }},
		{"http:400/malformed-parameter/gemini/out-of-range", func(c *exchange.Call) {
			c.Edits = []exchange.Edit{{Path: "generationConfig.temperature", Value: 99}}
		}},
		{"http:401/missing-key/chat", func(c *exchange.Call) { c.Key = "" }},
		{"http:401/wrong-key/gemini/query", func(c *exchange.Call) { c.Key, c.KeyRole, c.KeyInQuery = "sk-0000000000000", "wrong", true }},
		{"http:404/unknown-path/completions/wrong-method", func(c *exchange.Call) { c.Method = "DELETE" }},
		{"http:404/unknown-path/messages/no-such-path", func(c *exchange.Call) { c.Path = "/v1/messages/no-such-path" }},
		{"http:404/unknown-model/chat", func(c *exchange.Call) { c.Model = "no-such-model-tok" }},
		{"code:bad_request_body/malformed-body/chat/cut-json", func(c *exchange.Call) { c.Fault = exchange.CutJSON }},
		{"code:read_request_body_failed/unreadable-body/chat/oversize", func(c *exchange.Call) {
			c.Fault, c.OversizeBytes = exchange.Oversize, 1<<20+1<<17+oversizeMargin
		}},
		{"http:429/over-rate-limit/chat", func(c *exchange.Call) { c.Key, c.KeyRole = "sk-limited", "limited" }},
	} {
		t.Run(tt.id, func(t *testing.T) {
			got := requestFor(t, p, tt.id).Call
			delete(got.Header, "Accept") // see TestClientsOfAllKinds
			want := exchange.Call{
				Surface: got.Surface, BaseURL: "http://gateway.test", Key: "sk-abcdefgh-1234",
				Model: p.Models.On(got.Surface), Prompt: "[[gatecert token=tok]] Say hello.", Header: map[string]string{}, ID: "tok",
			}
			tt.want(&want)
			assert.Equal(t, want, got)
		})
	}
	assert.Equal(t, 7, requestFor(t, p, "http:429/over-rate-limit/chat").Repeat, "twice the limit and one")
}

// Cases are sent with the Accept of clients of all kinds, each case always with the same.
func TestClientsOfAllKinds(t *testing.T) {
	p := profile.Profile{BaseURL: "http://gateway.test", Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}}.WithDefaults()
	kinds := map[string]int{}
	for _, c := range contract.Cases() {
		pr, err := RequestFor(p, c, "tok")
		if err != nil {
			continue
		}
		again, err := RequestFor(p, c, "other")
		require.NoError(t, err)
		assert.Equal(t, pr.Call.Header, again.Call.Header, c.ID())
		kinds[pr.Call.Header["Accept"]]++
	}
	for _, accept := range []string{"", "*/*", "application/json", "text/event-stream", "text/html, application/json;q=0.9, */*;q=0.8"} {
		assert.Greater(t, kinds[accept], 5, accept)
	}
	p.Headers = map[string]string{"Accept": "application/vnd.gateway+json"}
	assert.Equal(t, "application/vnd.gateway+json", requestFor(t, p, "http:401/missing-key/chat").Call.Header["Accept"], "the profile's own stays")
}

// Every directive we send is one the upstream knows, and obeys only when it should.
func TestEveryDirectiveIsInTheUpstreamsVocabulary(t *testing.T) {
	p := relayProfile()
	relayedCases := 0
	for _, c := range contract.Cases() {
		pr, err := RequestFor(p, c, "tok")
		if err != nil {
			require.ErrorIs(t, err, profile.ErrNotOffered)
			continue
		}
		d, found, err := upstream.ParseDirective(pr.Call.Prompt)
		require.NoError(t, err, c.ID())
		require.True(t, found, c.ID())
		assert.Equal(t, "tok", d.Token)
		healthy := d.String() == upstream.Directive{Token: "tok"}.String()
		if c.Reach() == contract.ReachMust && !c.IsLoad() { // a load says itself which of its calls go wrong
			relayedCases++
			assert.False(t, healthy, "%s: the upstream has to fail", c.ID())
		}
	}
	assert.Greater(t, relayedCases, 100)
}

func TestWhatAProfileDoesNotOffer(t *testing.T) {
	bare := profile.FromURL("http://gateway.test", "sk-1", "m")
	for id, want := range map[string]string{
		"http:403/revoked-key/chat":                                   "not offered: the profile defines neither keys.revoked nor circumstances.revoked-key",
		"http:5xx/upstream-error/chat/error-object":                   "not offered: the profile does not configure a mock upstream (upstream.listen or upstream.attach)",
		"code:get_channel_failed/no-channel/chat":                     "not offered: the profile does not define circumstances.no-channel",
		"code:read_request_body_failed/unreadable-body/chat/oversize": "not offered: the profile does not declare limits.body",
		"http:429/over-rate-limit/chat":                               "not offered: the profile does not declare a rate limit (limits.rate.requests, and limits.rate.key or limits.rate.model)",
	} {
		c, err := contract.ParseCase(id)
		require.NoError(t, err)
		_, err = RequestFor(bare, c, "tok")
		require.ErrorIs(t, err, profile.ErrNotOffered)
		assert.EqualError(t, err, want)
	}
	narrow := bare
	narrow.Surfaces = []dialect.Surface{dialect.Chat}
	_, err := RequestFor(narrow, contract.Case{Row: "http:401", Circumstance: "missing-key", Surface: dialect.Messages}, "tok")
	require.EqualError(t, err, "not offered: the profile does not list the endpoint messages")
	noModel := profile.FromURL("http://gateway.test", "sk-1", "")
	_, err = RequestFor(noModel, contract.Case{Row: "http:401", Circumstance: "missing-key", Surface: dialect.ChatStream}, "tok")
	require.EqualError(t, err, "not offered: the profile has no model for the endpoint chat-stream: set models.chat or models.default")
}

func TestRecipesShapeTheCall(t *testing.T) {
	p := relayProfile()
	p.Circumstances = map[string]profile.Recipe{
		"unpriced-model":               {Model: "mystery"},
		"unreachable-upstream/refused": {Model: "dead"},
		"bad-upstream-status":          {Model: "routed"},
		"sensitive-content":            {Prompt: "grumble", Surfaces: []dialect.Surface{dialect.Chat}},
		"uncountable-input": {
			Headers: map[string]string{"x-a": "1"},
			On: map[dialect.Surface]profile.Recipe{dialect.Chat: {
				Key: "sk-other", Body: map[string]any{"b": nil, "a": []any{map[string]any{"text": PromptPlaceholder}}},
			}},
		},
		"gateway-error": {Before: []profile.Action{{Run: "true"}}},
	}
	assert.Equal(t, "mystery", requestFor(t, p, "code:model_price_error/unpriced-model/chat").Call.Model)
	assert.Equal(t, "dead", requestFor(t, p, "code:do_request_failed/unreachable-upstream/chat/refused").Call.Model)
	reset := requestFor(t, p, "code:do_request_failed/unreachable-upstream/chat/reset").Call
	assert.Equal(t, "m", reset.Model, "a variant's recipe is its own")
	assert.Contains(t, reset.Prompt, "reset")
	status := requestFor(t, p, "code:bad_response_status_code/bad-upstream-status/chat/html-502").Call
	assert.Equal(t, "routed", status.Model)
	assert.Contains(t, status.Prompt, "status=502 body=html", "a recipe for the model keeps the directive")
	assert.Equal(t, "[[gatecert token=tok]] grumble", requestFor(t, p, "code:sensitive_words_detected/sensitive-content/chat").Call.Prompt)
	_, err := RequestFor(p, contract.Case{Row: "code:sensitive_words_detected", Circumstance: "sensitive-content", Surface: dialect.Messages}, "tok")
	require.ErrorIs(t, err, profile.ErrNotOffered)
	corrupt := requestFor(t, p, "code:count_token_failed/uncountable-input/chat").Call
	assert.Equal(t, "sk-other", corrupt.Key)
	assert.Equal(t, []exchange.Edit{
		{Path: "a", Value: []any{map[string]any{"text": "[[gatecert token=tok]] Say hello."}}},
		{Path: "b", Delete: true},
	}, corrupt.Edits)
	assert.Equal(t, "1", corrupt.Header["x-a"])
	assert.True(t, requestFor(t, p, "http:5xx/gateway-error/chat").Exclusive())
}

func TestTheWrongKeyHasTheShapeOfTheValidOne(t *testing.T) {
	for valid, want := range map[string]string{
		"sk-abcdefgh":   "sk-00000000",
		"sk-proj-abcd9": "sk-proj-00000",
		"abcdefghij":    "0000000000",
		"short":         "sk-gatecert-was-never-issued-0000",
	} {
		assert.Equal(t, want, profile.Keys{Valid: valid}.WrongKey())
	}
	assert.Equal(t, "given", profile.Keys{Valid: "sk-abcdefgh", Wrong: "given"}.WrongKey())
}

// newTestSession returns a session with a gateway that is a plain handler.
func newTestSession(t *testing.T, p profile.Profile, mock Upstream, gateway http.HandlerFunc) *Session {
	t.Helper()
	server := httptest.NewServer(gateway)
	p.BaseURL = server.URL
	s := NewSession(Prepared{Profile: p.WithDefaults(), Upstream: mock}, Host{})
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		server.Close()
	})
	return s
}

type fakeUpstream struct{ err error }

func (f fakeUpstream) Seen(context.Context, string) (contract.Seen, error) {
	return contract.Seen{Attempts: []contract.Attempt{{Status: 500}}}, f.err
}

func TestObserveSaysWhenTheHarnessCannotDoItsPart(t *testing.T) {
	c, err := contract.ParseCase("http:5xx/gateway-error/chat")
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		change func(*profile.Profile)
		want   string
	}{
		{"an action that fails", func(p *profile.Profile) {
			p.Circumstances = map[string]profile.Recipe{"gateway-error": {Before: []profile.Action{{Run: "echo gone wrong >&2; exit 3"}}, After: []profile.Action{{Run: "true"}}}}
		}, `the case's "before" action failed: run "echo gone wrong >&2; exit 3": exit status 3: gone wrong`},
		{"an undoing that fails", func(p *profile.Profile) {
			p.Circumstances = map[string]profile.Recipe{"gateway-error": {After: []profile.Action{{Run: "exit 4"}}}}
		}, `the case's "after" action failed: run "exit 4": exit status 4: `},
		{"a store that nothing can open", func(p *profile.Profile) {
			p.Store.SQLite = "none.db"
			p.Circumstances = map[string]profile.Recipe{"gateway-error": {Before: []profile.Action{{SQL: "DROP TABLE x"}}}}
		}, `the case's "before" action failed: the profile does not specify a database that gatecert can open`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}}
			tt.change(&p)
			s := newTestSession(t, p, nil, func(http.ResponseWriter, *http.Request) {})
			_, err := s.Observe(t.Context(), c)
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), tt.want), err.Error())
		})
	}
	s := newTestSession(t, profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}}, fakeUpstream{errors.New("gone")}, func(http.ResponseWriter, *http.Request) {})
	missing, err := contract.ParseCase("http:401/missing-key/chat")
	require.NoError(t, err)
	_, err = s.Observe(t.Context(), missing)
	require.EqualError(t, err, "read the mock upstream's record: gone")
}

func with(p profile.Profile, change func(*profile.Profile)) profile.Profile {
	change(&p)
	return p
}
