package reference

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// list is the handler that lists the models a key can use, in OpenAI's form.
func (g *Gateway) list(ctx context.Context, c *Call) error {
	names, err := g.store.models(ctx, c.caller.group)
	if err != nil {
		return err
	}
	entries := dialect.List{}
	for _, name := range names {
		if c.caller.models == nil || slices.Contains(c.caller.models, name) {
			entries = append(entries, entryOf(name))
		}
	}
	return c.answerJSON(ctx, dialect.Object{"object": "list", "data": entries})
}

func entryOf(model string) dialect.Object {
	return dialect.Object{"id": model, "object": "model", "created": 0, "owned_by": "gateway"}
}

// nameModel is the handler that reads the model from the path, where there is no body that could name it.
func nameModel(_ context.Context, c *Call) error {
	c.asked = convert.Request{Surface: c.Surface, Model: c.pathModel}
	return nil
}

// show is the handler that describes one model, in OpenAI's form.
func show(ctx context.Context, c *Call) error { return c.answerJSON(ctx, entryOf(c.asked.Model)) }

// showBalance is the handler that returns what a key and its owner have left, in quota units; null for a key without a
// budget of its own.
func (g *Gateway) showBalance(ctx context.Context, c *Call) error {
	b, err := g.quota.balance(ctx, c.caller)
	if err != nil {
		return err
	}
	return c.answerJSON(ctx, b)
}

func (c *Call) answerJSON(ctx context.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return Refuse(MarshalJSON, err)
	}
	return c.Answer(ctx, http.StatusOK, body)
}
