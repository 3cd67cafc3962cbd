package profile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestAPrefixIsThatOfTheSurfaceOrItsFormat(t *testing.T) {
	for _, tt := range []struct {
		name, prefix string
		want         map[dialect.Surface]string
	}{
		{"none", "", map[dialect.Surface]string{dialect.Chat: "http://a/x/", dialect.GenerateStream: "http://a/x/"}},
		{"one for all", "prefix: /proxy/\n", map[dialect.Surface]string{dialect.Chat: "http://a/x/proxy", dialect.GenerateStream: "http://a/x/proxy"}},
		{"by name", "prefix: {gemini: /proxy/g, anthropic: /anthropic, openai: /o, responses: /r}\n", map[dialect.Surface]string{
			dialect.GenerateContent: "http://a/x/proxy/g", dialect.GenerateStream: "http://a/x/proxy/g", dialect.MessagesStream: "http://a/x/anthropic",
			dialect.ChatStream: "http://a/x/o", dialect.ResponsesStream: "http://a/x/r",
		}},
		{"of one format", "prefix: {anthropic: /anthropic}\n", map[dialect.Surface]string{dialect.Chat: "http://a/x/", dialect.Messages: "http://a/x/anthropic"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("p.yaml", []byte("base_url: http://a/x/\n"+tt.prefix), environment(nil))
			require.NoError(t, err)
			logged, err := ParseRedacted(p.Redacted())
			require.NoError(t, err)
			for s, want := range tt.want {
				assert.Equal(t, want, p.Root(s), s)
				assert.Equal(t, want, logged.Root(s), s)
			}
		})
	}
}

func TestProtocolsOfTheUpstream(t *testing.T) {
	surfaces := []dialect.Surface{dialect.Chat, dialect.MessagesStream, dialect.GenerateContent}
	for protocol, want := range map[string]map[dialect.Surface]string{
		"openai":                                {dialect.Chat: "openai", dialect.MessagesStream: "openai", dialect.GenerateContent: "openai"},
		"{messages: anthropic, gemini: gemini}": {dialect.MessagesStream: "anthropic", dialect.GenerateContent: "gemini"},
	} {
		p, err := Parse("p.yaml", []byte("base_url: http://a\nupstream: {listen: 127.0.0.1:1, protocol: "+protocol+"}\n"), environment(nil))
		require.NoError(t, err)
		assert.Equal(t, want, p.UpstreamProtocols(surfaces), protocol)
		logged, err := ParseRedacted(p.Redacted())
		require.NoError(t, err)
		assert.Equal(t, want, logged.UpstreamProtocols(surfaces), protocol)
	}
	assert.Nil(t, Profile{}.UpstreamProtocols(surfaces))

	for protocol, problem := range map[string]string{
		"http":            "upstream.protocol must be one of openai, anthropic, gemini",
		"{chat: azure}":   "upstream.protocol must be one of openai, anthropic, gemini",
		"{chats: openai}": `"chats" is neither an endpoint nor an API format: did you mean "chat"?`,
		"7":               "upstream.protocol must be one of openai, anthropic, gemini, or a map from endpoints and API formats to these names",
	} {
		_, err := Parse("p.yaml", []byte("base_url: http://a\nupstream: {listen: 127.0.0.1:1, protocol: "+protocol+"}\n"), environment(nil))
		require.ErrorContains(t, err, problem, protocol)
	}
}

func TestModelsOfTheCommandLine(t *testing.T) {
	with := func(words ...string) (Profile, error) { return FromURL("http://a", "k", "").WithModels(words...) }
	p, err := with("responses=o3", "gpt", "anthropic=claude", "openai=gpt-mini")
	require.NoError(t, err)
	for s, want := range map[dialect.Surface]string{
		dialect.Chat: "gpt-mini", dialect.ResponsesStream: "o3", dialect.MessagesStream: "claude", dialect.GenerateContent: "gpt", dialect.Embeddings: "gpt-mini",
	} {
		assert.Equal(t, want, p.Models.On(s), s)
	}
	assert.Equal(t, dialect.Surfaces(), p.Surfaces)
	assert.True(t, p.Discover)

	p, err = with("messages=claude")
	require.NoError(t, err)
	assert.Equal(t, []dialect.Surface{dialect.Messages, dialect.MessagesStream, dialect.CountTokens}, p.Surfaces, "the others have no model")
	assert.True(t, p.Discover)

	p, err = with("gpt", "claude", "gemini=g", "gemini=h", "gpt")
	require.NoError(t, err)
	assert.Equal(t, "gpt", p.Models.On(dialect.Messages), "the first")
	assert.Equal(t, []string{"claude", "h", "g"}, p.Models.Others(dialect.Messages))
	assert.Equal(t, []string{"claude", "h", "gpt"}, p.Models.Others("gemini-stream"))
	assert.Equal(t, "claude", p.Models.With(dialect.MessagesStream, "claude").On(dialect.Messages))
	assert.Equal(t, "gpt", p.Models.On(dialect.Messages), "the profile itself is as it was")

	for _, words := range [][]string{{""}, {"messages="}, {"mesages=claude"}} {
		_, err = with(words...)
		require.ErrorIs(t, err, errModel, words)
	}
}
