package workload

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/internal/distribution"
)

// Conversation is one entry of a data set: the turns up to the last question, and the reply to it.
type Conversation struct {
	Turns []Turn
	// Reply is the reply, or "" if it is not known.
	Reply string
}

// ErrDataset is returned for a data set that cannot be read. Its text names the line and describes the mistake.
var ErrDataset = errors.New("invalid data set")

// The limits for a data set, which may come from a stranger.
const (
	maxLine          = 1 << 20 // bytes
	maxConversations = 20_000
	maxDataset       = 64 << 20 // bytes that are read
	maxTurns         = 200
)

// ReadDataset reads JSON lines: {"messages":[{"role","content"}]}, ShareGPT's {"conversations":[{"from","value"}]}, or {"prompt"}, with
// an optional "response". It reads at most 20,000 lines and 64 MiB; what comes after them is left out. Conversations in which no user asks
// anything are left out too.
func ReadDataset(r io.Reader) ([]Conversation, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxDataset))
	lines.Buffer(make([]byte, 64<<10), maxLine)
	var list []Conversation
	number := 0
	for len(list) < maxConversations && lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		c, err := parseConversation(line)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrDataset, number, err)
		}
		if len(c.Turns) > 0 {
			list = append(list, c)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%w: line %d has more than %d bytes", ErrDataset, number+1, maxLine)
	case err != nil:
		return nil, fmt.Errorf("read the data set: %w", err)
	case len(list) == 0:
		return nil, fmt.Errorf("%w: no line contains a user message: each line must be {\"messages\": …}, {\"conversations\": …} or {\"prompt\": …}", ErrDataset)
	}
	return list, nil
}

// entry is a line in any of the forms.
type entry struct {
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Conversations []struct {
		From  string `json:"from"`
		Value string `json:"value"`
	} `json:"conversations"`
	Prompt   string `json:"prompt"`
	Response string `json:"response"`
}

func parseConversation(line string) (Conversation, error) {
	var e entry
	if !utf8.ValidString(line) {
		return Conversation{}, errors.New("the text is not valid UTF-8")
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return Conversation{}, fmt.Errorf("must be a JSON object with the field messages, conversations or prompt: %w", err)
	}
	var turns []Turn
	for _, m := range e.Messages {
		turns = append(turns, Turn{m.Role, contentText(m.Content)})
	}
	for _, m := range e.Conversations {
		turns = append(turns, Turn{m.From, m.Value})
	}
	if e.Prompt != "" && len(turns) == 0 {
		turns = []Turn{{"user", e.Prompt}, {"assistant", e.Response}}
	}
	if len(turns) > maxTurns {
		return Conversation{}, fmt.Errorf("the conversation has more than %d turns", maxTurns)
	}
	return untilLastQuestion(turns), nil
}

// untilLastQuestion leaves out what comes after the last thing that the user asks, and turns without text.
func untilLastQuestion(turns []Turn) Conversation {
	var c Conversation
	var kept []Turn
	for _, t := range turns {
		role, known := roleOf(t.Role)
		if !known || t.Text == "" {
			continue
		}
		kept = append(kept, Turn{role, t.Text})
		switch role {
		case "user":
			c = Conversation{Turns: slices.Clip(kept)}
		case "assistant":
			if len(c.Turns) == len(kept)-1 {
				c.Reply = t.Text
			}
		}
	}
	return c
}

// roleOf reads a role in the words of either format. Tools and functions are left out.
func roleOf(role string) (string, bool) {
	switch strings.ToLower(role) {
	case "user", "human":
		return "user", true
	case "assistant", "gpt", "chatgpt", "model", "bard", "bing":
		return "assistant", true
	case "system", "developer":
		return "system", true
	default:
		return "", false
	}
}

// contentText is a content: a string, or the texts of a list of parts.
func contentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	for _, p := range parts {
		text += p.Text
	}
	return text
}

// synthetic is how many conversations a synthetic data set has.
const synthetic = 200

// Synthetic generates a data set from a name: 200 conversations of one to four questions. Their lengths resemble those of real conversations: most
// are short, and a few are long. The same name always results in the same data set.
func Synthetic(name string) []Conversation {
	random := rand.New(rand.NewPCG(SeedOf(name), 1))
	length := func(text string) int {
		d, _ := distribution.ParseCount(text, MaxTokens) // a constant
		return d.Count(random)
	}
	list := make([]Conversation, synthetic)
	for i := range list {
		turns := []Turn{}
		if random.IntN(3) == 0 {
			turns = append(turns, Turn{"system", Text(random, length("lognormal:40:0.5"))})
		}
		for question := range 1 + random.IntN(4) {
			if question > 0 {
				turns = append(turns, Turn{"assistant", Text(random, length("lognormal:120:0.7"))})
			}
			turns = append(turns, Turn{"user", Text(random, length("lognormal:50:0.9"))})
		}
		list[i] = Conversation{Turns: turns, Reply: Text(random, length("lognormal:150:0.7"))}
	}
	return list
}
