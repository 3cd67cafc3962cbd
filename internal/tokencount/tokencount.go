// Package tokencount counts the tokens of a text with OpenAI's vocabulary cl100k_base. It takes a moment to load and megabytes to link,
// so that only the command has it: the library and the reports get numbers.
package tokencount

import (
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Name is the vocabulary, as reports name it.
const Name = "cl100k_base"

// Counter counts tokens. Its vocabulary is loaded when it is first needed. It is safe for concurrent use.
type Counter struct {
	load func() *codec.Codec
}

// New returns a counter that has loaded nothing yet.
func New() *Counter {
	return &Counter{load: sync.OnceValue(codec.NewCl100kBase)}
}

// Count returns the number of tokens of a text, 0 for one that cannot be counted.
func (c *Counter) Count(text string) int {
	n, err := c.load().Count(text)
	if err != nil {
		return 0
	}
	return n
}
