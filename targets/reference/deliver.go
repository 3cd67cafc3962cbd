package reference

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
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
	if c.Surface.Binary() {
		return g.deliverMedia(ctx, c, body)
	}
	answer, err := convert.DecodeAnswer(from.protocol, c.asked, body)
	if err != nil {
		return err
	}
	answer.ID, answer.Model, answer.Created = c.AnswerID(), c.asked.Model, time.Now().Unix()
	answer.End = g.usage(c, answer.End, answer.Text)
	encoded, err := convert.EncodeAnswer(c.Surface, answer, from.annotation)
	if err != nil {
		return Refuse(MarshalJSON, err)
	}
	if err := g.settle(ctx, c, answer.PromptTokens, answer.CompletionTokens); err != nil {
		return err
	}
	return c.Answer(ctx, http.StatusOK, encoded)
}

// deliverMedia passes an answer on that is not JSON, when it is whole.
func (g *Gateway) deliverMedia(ctx context.Context, c *Call, body []byte) error {
	answer, err := convert.DecodeMedia(c.Surface, c.upstream.mediaType, body)
	if err != nil {
		return err
	}
	if err := g.settle(ctx, c, int(c.tokens), 0); err != nil {
		return err
	}
	return c.AnswerMedia(ctx, answer.Media.Type, answer.Media.Content)
}

// usage is what a call is charged for, in tokens: the upstream's count, or the gateway's own where the upstream has none.
func (g *Gateway) usage(c *Call, end dialect.End, text string) dialect.End {
	end.PromptTokens = cmp.Or(end.PromptTokens, int(c.tokens))
	if end.CompletionTokens == 0 {
		end.CompletionTokens = g.tokenizer.count(text)
	}
	return end
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
	end, err := convert.DecodeStream(ctx, from.route.protocol, source, func(text string) error {
		chunk, err := c.Stream.Piece(text)
		if err != nil {
			return Refuse(MarshalJSON, err)
		}
		sent.WriteString(text)
		return c.sendEvents(chunk)
	})
	if err == nil {
		err = g.finishStream(ctx, c, g.usage(c, end, sent.String()))
	}
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

func (g *Gateway) finishStream(ctx context.Context, c *Call, end dialect.End) error {
	last, err := c.Stream.Finish(end)
	if err != nil {
		return Refuse(MarshalJSON, err)
	}
	if err := g.settle(ctx, c, end.PromptTokens, end.CompletionTokens); err != nil {
		return err
	}
	return c.sendEvents(last)
}

// clientGone reports whether a call failed because the client has disconnected.
func clientGone(c *Call, err error) bool {
	return err != nil && (errors.Is(err, ErrClientGone) || c.Request.Context().Err() != nil)
}
