package reference

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

// deliver is the handler that reads the upstream's answer, charges for it and passes it on.
func (g *Gateway) deliver(ctx context.Context, c *Call) error {
	if c.asked.Stream {
		return g.deliverStream(ctx, c)
	}
	return g.deliverWhole(ctx, c)
}

func (g *Gateway) deliverWhole(ctx context.Context, c *Call) error {
	from := c.upstream.route
	body, err := readBounded(c.upstream.body, convert.MaxAnswer)
	if errors.Is(err, ErrTooLarge) {
		return Refuse(BadResponse, err)
	}
	if err != nil {
		return c.upstream.deadline.explain(Refuse(ReadResponseBody, err))
	}
	answer, err := convert.DecodeAnswer(from.protocol, c.asked, body)
	if err != nil {
		return err
	}
	answer.ID, answer.Model, answer.Created = c.AnswerID(), c.asked.Model, time.Now().Unix()
	answer.PromptTokens, answer.CompletionTokens = g.usage(c, answer.PromptTokens, answer.CompletionTokens, answer.Text)
	encoded, err := convert.EncodeAnswer(c.surface, answer, from.annotation)
	if err != nil {
		return Refuse(MarshalJSON, err)
	}
	if err := g.settle(ctx, c, answer.PromptTokens, answer.CompletionTokens); err != nil {
		return err
	}
	return c.Answer(ctx, http.StatusOK, encoded)
}

// usage is what a call is charged for, in tokens: the upstream's count, or the gateway's own where the upstream has none.
func (g *Gateway) usage(c *Call, prompt, completion int, text string) (input, output int) {
	if prompt == 0 {
		prompt = int(c.tokens)
	}
	if completion == 0 {
		completion = g.tokenizer.count(text)
	}
	return prompt, completion
}

// deliverStream passes the upstream's content on as it comes. Nothing is sent before the first content is decoded, so
// that every earlier failure is an ordinary answer with its own status.
func (g *Gateway) deliverStream(ctx context.Context, c *Call) error {
	from := c.upstream
	if err := c.newStream(from.route.annotation); err != nil {
		return err
	}
	source := &idleReader{source: from.body, deadline: from.deadline, idle: apply(c, c.hooks.Timeout, g.options.IdleTimeout)}
	var sent strings.Builder
	err := convert.DecodeStream(ctx, from.route.protocol, source, func(d convert.Delta) error {
		if d.Finish == "" {
			chunk, err := c.stream.Delta(d)
			if err != nil {
				return Refuse(MarshalJSON, err)
			}
			sent.WriteString(d.Text)
			return c.sendEvents(chunk)
		}
		d.PromptTokens, d.CompletionTokens = g.usage(c, d.PromptTokens, d.CompletionTokens, sent.String())
		last, err := c.stream.Finish(d)
		if err != nil {
			return Refuse(MarshalJSON, err)
		}
		if err := g.settle(ctx, c, d.PromptTokens, d.CompletionTokens); err != nil {
			return err
		}
		return c.sendEvents(last)
	})
	if clientGone(c, err) && sent.Len() > 0 && c.reserved != nil {
		// A client that disconnects pays for what was sent, or disconnecting before the end would be free.
		return errors.Join(err, g.settle(ctx, c, int(c.tokens), g.tokenizer.count(sent.String())))
	}
	if err != nil {
		return from.deadline.explain(err)
	}
	from.finish()
	return nil
}

// clientGone reports whether a call failed because the client has disconnected.
func clientGone(c *Call, err error) bool {
	return err != nil && (errors.Is(err, ErrClientGone) || c.request.Context().Err() != nil)
}
