package reference

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

// deliver is the stage that reads the provider's answer, charges for it and passes it on.
func (g *Gateway) deliver(ctx context.Context, c *call) error {
	if c.asked.Stream {
		return g.deliverStream(ctx, c)
	}
	return g.deliverWhole(ctx, c)
}

func (g *Gateway) deliverWhole(ctx context.Context, c *call) error {
	from := c.dialled.route
	body, err := readBounded(c.dialled.body, convert.MaxAnswer)
	if errors.Is(err, errTooLarge) {
		return refuse(badResponse, err)
	}
	if err != nil {
		return c.dialled.patience.explain(refuse(readResponseBody, err))
	}
	answer, err := convert.DecodeAnswer(from.protocol, c.asked, body)
	if err != nil {
		return err
	}
	answer.ID, answer.Model, answer.Created = c.answerID(), c.asked.Model, time.Now().Unix()
	answer.PromptTokens, answer.CompletionTokens = g.usage(c, answer.PromptTokens, answer.CompletionTokens, answer.Text)
	encoded, err := convert.EncodeAnswer(c.surface, answer, from.annotation)
	if err != nil {
		return refuse(marshalJSON, err)
	}
	if err := g.settle(ctx, c, answer.PromptTokens, answer.CompletionTokens); err != nil {
		return err
	}
	return c.answer(ctx, http.StatusOK, encoded)
}

// usage is what a call is charged for: the provider's count, or the gateway's own where the provider gives none.
func (g *Gateway) usage(c *call, prompt, completion int, text string) (input, output int) {
	if prompt == 0 {
		prompt = int(c.tokens)
	}
	if completion == 0 {
		completion = g.tokenizer.count(text)
	}
	return prompt, completion
}

// deliverStream passes the provider's content on as it comes. Nothing is sent before the first of it was understood,
// so that every earlier failure is an ordinary answer with its own status.
func (g *Gateway) deliverStream(ctx context.Context, c *call) error {
	from := c.dialled
	head := convert.Head{
		ID: c.answerID(), Model: c.asked.Model, Created: time.Now().Unix(), PromptTokens: int(c.tokens), IncludeUsage: c.asked.IncludeUsage,
	}
	events, err := convert.NewStreamEncoder(c.surface, head, from.route.annotation)
	if err != nil {
		return refuse(marshalJSON, err)
	}
	c.stream = events
	source := &attentive{source: from.body, patience: from.patience, idle: g.bends.patient(c, g.options.IdleTimeout)}
	var said strings.Builder
	err = convert.DecodeStream(ctx, from.route.protocol, source, func(d convert.Delta) error {
		if d.Finish == "" {
			chunk, err := events.Delta(d)
			if err != nil {
				return refuse(marshalJSON, err)
			}
			said.WriteString(d.Text)
			return c.say(chunk)
		}
		d.PromptTokens, d.CompletionTokens = g.usage(c, d.PromptTokens, d.CompletionTokens, said.String())
		last, err := events.Finish(d)
		if err != nil {
			return refuse(marshalJSON, err)
		}
		if err := g.settle(ctx, c, d.PromptTokens, d.CompletionTokens); err != nil {
			return err
		}
		return c.say(last)
	})
	if left(c, err) && said.Len() > 0 && c.held != nil {
		// Who leaves in the middle pays for what was sent, or leaving before the end would be free.
		return errors.Join(err, g.settle(ctx, c, int(c.tokens), g.tokenizer.count(said.String())))
	}
	if err != nil {
		return from.patience.explain(err)
	}
	from.finish()
	return nil
}

// left reports whether a call failed because the caller was gone.
func left(c *call, err error) bool {
	return err != nil && (errors.Is(err, errLeft) || c.request.Context().Err() != nil)
}
