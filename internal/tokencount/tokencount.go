// Package tokencount counts the tokens in a text with OpenAI's vocabulary cl100k_base. The vocabulary takes a moment to load and adds megabytes to a
// program, so only the command links this package; the library and the reports receive numbers.
package tokencount

import (
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Name is the name of the vocabulary in reports.
const Name = "cl100k_base"

// Counter counts tokens. It loads its vocabulary on first use. It is safe for concurrent use.
type Counter struct {
	load func() *codec.Codec
}

// New returns a counter that has not loaded its vocabulary yet.
func New() *Counter {
	return &Counter{load: sync.OnceValue(codec.NewCl100kBase)}
}

// Count returns the number of tokens in a text, or 0 if the text cannot be tokenised.
func (c *Counter) Count(text string) int {
	n, err := c.load().Count(text)
	if err != nil {
		return 0
	}
	return n
}
