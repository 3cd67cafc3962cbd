package reference

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
)

// list is the stage that tells a key which models it can use, in OpenAI's form.
func (g *Gateway) list(ctx context.Context, c *call) error {
	names, err := g.store.models(ctx, c.account.group)
	if err != nil {
		return err
	}
	type entry struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	entries := []entry{}
	for _, name := range names {
		if c.account.models == nil || slices.Contains(c.account.models, name) {
			entries = append(entries, entry{ID: name, Object: "model", OwnedBy: "gateway"})
		}
	}
	return c.show(ctx, map[string]any{"object": "list", "data": entries})
}

// showBalance is the stage that tells what a key and its owner have left, in quota units. A key without a budget of
// its own has null there.
func (g *Gateway) showBalance(ctx context.Context, c *call) error {
	b, err := g.ledger.balance(ctx, c.account)
	if err != nil {
		return err
	}
	return c.show(ctx, b)
}

// showHealth is the stage that says that the gateway runs.
func (g *Gateway) showHealth(ctx context.Context, c *call) error {
	return c.show(ctx, map[string]string{"status": "ok"})
}

// show answers with a value as JSON.
func (c *call) show(ctx context.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return refuse(marshalJSON, err)
	}
	return c.answer(ctx, http.StatusOK, body)
}
