package reference

import (
	"context"
	"strings"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

func (s *store) words(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT word FROM words`)
}

// screen is the handler that refuses input with a word of the list, in any case and any part of the request.
func (g *Gateway) screen(ctx context.Context, c *Call) error {
	words, err := g.store.words(ctx)
	if err != nil {
		return err
	}
	for _, text := range append(textsOf(c.asked), g.tokenizer.texts(c.asked.Inputs)...) {
		text = strings.ToLower(text)
		for _, word := range words {
			if word != "" && strings.Contains(text, strings.ToLower(word)) {
				return Refuse(SensitiveWords, nil)
			}
		}
	}
	return nil
}

// textsOf returns every text of a request that a model would read.
func textsOf(asked convert.Request) []string {
	texts := []string{asked.System}
	for _, turn := range asked.Turns {
		for _, part := range turn.Parts {
			texts = append(texts, part.Text)
		}
	}
	for _, input := range asked.Inputs {
		texts = append(texts, input.Text)
	}
	for _, need := range asked.Needs {
		texts = append(texts, string(need.Value))
	}
	return texts
}
