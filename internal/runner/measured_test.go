package runner

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/distribution"
	"github.com/gatecert/gatecert/internal/workload"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

func measuredProfile(mock bool) profile.Profile {
	p := profile.Profile{BaseURL: "http://gateway.example", Keys: profile.Keys{Valid: "sk-valid-12345678"}, Models: profile.Models{Default: "m"}}
	if mock {
		p.Upstream.Listen = "127.0.0.1:9901"
	}
	return p
}

// body is what a call sends.
func body(t *testing.T, call exchange.Call) dialect.Object {
	t.Helper()
	built, err := exchange.Prepare(call, redact.New())
	require.NoError(t, err)
	var object dialect.Object
	require.NoError(t, json.Unmarshal(built.Body, &object))
	details, _ := call.Surface.Details()
	require.Nil(t, details.Check(object), "every API accepts it")
	return object
}

// A conversation is asked in the words of every format, its last question with the token of the request.
func TestConversationsInEveryFormat(t *testing.T) {
	m := Measured{Count: func(string) int { return 40 }, Workload: workload.Shape{Conversations: []workload.Conversation{{
		Turns: []workload.Turn{{Role: "system", Text: "be brief"}, {Role: "user", Text: "a"}, {Role: "assistant", Text: "b"}, {Role: "user", Text: "c"}}, Reply: "d",
	}}}}
	for _, s := range []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Completions, dialect.Responses, dialect.ResponsesStream, dialect.Messages, dialect.MessagesStream, dialect.GenerateContent, dialect.GenerateStream} {
		t.Run(string(s), func(t *testing.T) {
			mix, err := m.Mix(measuredProfile(false), []Weighted{{string(s), 1}})
			require.NoError(t, err)
			require.NotEmpty(t, mix[0].Variants)
			object := body(t, mix[0].Variants[0])
			raw, err := json.Marshal(object)
			require.NoError(t, err)
			for _, text := range []string{"be brief", "b", load.TokenPlaceholder + ": c", "40"} {
				assert.Contains(t, string(raw), text)
			}
			details, _ := s.Details()
			assert.Contains(t, details.Texts(object)[0], load.TokenPlaceholder, "in the last question")
		})
	}
}

func TestMix(t *testing.T) {
	count := func(string) int { return 1 }
	mix, err := Measured{Models: []Weighted{{"big", 3}, {"small", 1}}, Count: count}.Mix(measuredProfile(false), []Weighted{{"chat", 2}, {"embeddings", 1}})
	require.NoError(t, err)
	var names []string
	var weights []int
	for _, r := range mix {
		names, weights = append(names, r.Name), append(weights, r.Weight)
	}
	assert.Equal(t, []string{"chat big", "chat small", "embeddings big", "embeddings small"}, names)
	assert.Equal(t, []int{6, 2, 3, 1}, weights)
	assert.Equal(t, "small", mix[1].Call.Model)

	many := make([]Weighted, 9)
	_, err = Measured{Models: many, Count: count}.Mix(measuredProfile(false), []Weighted{{"chat", 1}, {"messages", 1}})
	require.ErrorIs(t, err, ErrMix)
	tokens, err := distribution.ParseCount("100", 1000)
	require.NoError(t, err)
	_, err = Measured{Workload: workload.Shape{Prompt: tokens}, Count: count}.Mix(measuredProfile(false), []Weighted{{"embeddings", 1}})
	require.ErrorIs(t, err, ErrMix, "it takes no prompts")
}

// Without a workload each request is unique all the same, and what prompts share stands before what is unique.
func TestPromptsAreUnique(t *testing.T) {
	request := func(m Measured, mock bool) string {
		mix, err := m.Mix(measuredProfile(mock), []Weighted{{"chat", 1}})
		require.NoError(t, err)
		return mix[0].Call.Prompt
	}
	assert.Equal(t, load.TokenPlaceholder+": say hello.", request(Measured{}, false))
	assert.Equal(t, "[[gatecert token="+load.TokenPlaceholder+"]] Say hello.", request(Measured{}, true))
	shared := request(Measured{Prefix: 3}, false)
	assert.Regexp(t, `^\w+ \w+ \w+ `+load.TokenPlaceholder+": say hello.$", shared)
	assert.Equal(t, shared, request(Measured{Prefix: 3}, false), "the same text every time")
	model, err := upstream.ParseModel("ttft=1s")
	require.NoError(t, err)
	answers, err := distribution.ParseCount("33", 1000)
	require.NoError(t, err)
	m := Measured{Model: model, Workload: workload.Shape{Output: answers}, Count: func(string) int { return 1 }}
	assert.Contains(t, request(m, true), "ttft=1s tokens=33]]", "the mock model answers with what is asked for")
}
