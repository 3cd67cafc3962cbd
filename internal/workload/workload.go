// Package workload generates the prompts of a load test, with given lengths or from a data set. The same seed always results in the same prompts.
package workload

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"github.com/gatecert/gatecert/internal/distribution"
)

// Prompt is the prompt of one request.
type Prompt struct {
	// Turns is the conversation, which ends with a turn of the user. A prompt that was generated from lengths has one turn.
	Turns []Turn
	// MaxTokens limits the length of the response. 0 means the default.
	MaxTokens int
}

// Turn is one message of a conversation.
type Turn struct {
	// Role is "system", "user" or "assistant".
	Role, Text string
}

// Last returns the text of the user's last turn.
func (p Prompt) Last() string { return p.Turns[len(p.Turns)-1].Text }

// Shape describes the prompts to generate.
type Shape struct {
	// Prompt is the number of tokens in a prompt, and Output is the maximum number of tokens in a response. The zero value means the lengths in the
	// data set, or the default.
	Prompt, Output distribution.Distribution
	// Conversations are used instead of generated text, unless Prompt is set.
	Conversations []Conversation
	// Seed determines every random choice.
	Seed uint64
}

// The limits for generated prompts.
const (
	// maxPrompts is how many prompts a load alternates between: each of its requests is made unique besides.
	maxPrompts = 512
	// maxBytes bounds all of them together, so that long prompts are fewer.
	maxBytes = 32 << 20
	minimum  = 4 // prompts, however long they are
)

// MaxTokens is the maximum number of tokens in a prompt or a response.
const MaxTokens = 200_000

// Prompts generates the prompts of a load, no more than most. It returns nil if the shape requests nothing. count counts the tokens in a text.
func (s Shape) Prompts(most int, count func(string) int) []Prompt {
	if s.Prompt.IsZero() && s.Output.IsZero() && len(s.Conversations) == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(s.Seed, 0x6761746563657274))
	var prompts []Prompt
	for size := 0; len(prompts) < min(most, maxPrompts) && (size < maxBytes || len(prompts) < minimum); {
		p := s.prompt(random, count)
		for _, t := range p.Turns {
			size += len(t.Text)
		}
		prompts = append(prompts, p)
	}
	return prompts
}

func (s Shape) prompt(random *rand.Rand, count func(string) int) Prompt {
	p := Prompt{Turns: []Turn{{"user", "Say hello."}}}
	switch {
	case !s.Prompt.IsZero():
		p.Turns[0].Text = Text(random, min(s.Prompt.Count(random), MaxTokens))
	case len(s.Conversations) > 0:
		c := s.Conversations[random.IntN(len(s.Conversations))]
		p.Turns = c.Turns
		if c.Reply != "" {
			p.MaxTokens = min(max(count(c.Reply), 1), MaxTokens)
		}
	}
	if !s.Output.IsZero() {
		p.MaxTokens = min(s.Output.Count(random), MaxTokens)
	}
	return p
}

// words are one token each in OpenAI's vocabularies, when a space stands before them.
const words = `time people water house little place world school story paper music river night morning family friend letter garden table
window summer winter country city market street bridge forest mountain island ocean ship train engine machine computer number question
answer reason method system problem result change order power light sound color shape line point area field model class group member
level state center example report study course book page word language picture movie game player team score season history future past`

// Text returns a text with the given number of tokens, made of unrelated words.
func Text(random *rand.Rand, tokens int) string {
	list := strings.Fields(words)
	var text strings.Builder
	for i := range tokens {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(list[random.IntN(len(list))])
	}
	return text.String()
}

// SeedOf returns the seed for a name, so that a workload can have a name.
func SeedOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return h.Sum64()
}
