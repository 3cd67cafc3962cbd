package reference

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"net/http"
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// defaultOutput is how many tokens of output are reserved when the client sets no limit.
const defaultOutput = 1024

// model is a model with its prices, in quota units per 1000 tokens.
type model struct {
	name          string
	input, output sql.NullInt64
}

// priced reports whether both prices can be used.
func (m model) priced() bool {
	return m.input.Valid && m.output.Valid && m.input.Int64 >= 0 && m.output.Int64 >= 0
}

// model finds a model. It returns [errNoRow] when there is none of that name.
func (s *store) model(ctx context.Context, name string) (model, error) {
	m := model{name: name}
	err := s.row(ctx, `SELECT input_price, output_price FROM models WHERE name = ?`, []any{name}, &m.input, &m.output)
	return m, err
}

// models returns the names of all models that a group of users can use, sorted.
func (s *store) models(ctx context.Context, group string) ([]string, error) {
	return s.texts(ctx, `SELECT DISTINCT m.model FROM channel_models m JOIN channels c ON c.id = m.channel_id
		WHERE c.enabled = 1 AND c.user_group = ? ORDER BY m.model`, group)
}

// restricted reports whether a model is for other groups of users: it has channels, and none is for this group.
func (s *store) restricted(ctx context.Context, name, group string) (bool, error) {
	var all, ours int
	err := s.row(ctx, `SELECT count(*), coalesce(sum(c.user_group = ?), 0) FROM channel_models m JOIN channels c ON c.id = m.channel_id
		WHERE m.model = ?`, []any{group, name}, &all, &ours)
	return all > 0 && ours == 0, err
}

// authorize is the handler that finds the model and refuses keys that may not use it.
func (g *Gateway) authorize(ctx context.Context, c *Call) error {
	m, err := g.store.model(ctx, c.asked.Model)
	if errors.Is(err, errNoRow) {
		return Refuse(ModelNotFound, nil)
	}
	if err != nil {
		return err
	}
	if allowed := c.caller.models; allowed != nil && !slices.Contains(allowed, m.name) {
		return Refuse(AccessDenied, nil).with(http.StatusForbidden, "The key is not allowed to use this model.")
	}
	restricted, err := g.store.restricted(ctx, m.name, c.caller.group)
	if err != nil {
		return err
	}
	if restricted {
		return Refuse(AccessDenied, nil).with(http.StatusForbidden, "The account's group is not allowed to use this model.")
	}
	c.model = m
	return nil
}

// price is the handler that finds the most that the call can cost.
func (g *Gateway) price(_ context.Context, c *Call) error {
	if c.Surface.Free() {
		return nil
	}
	if !c.model.priced() {
		return Refuse(ModelPrice, nil)
	}
	output := int64(defaultOutput)
	if c.asked.MaxTokens != nil {
		output = int64(*c.asked.MaxTokens)
	}
	if c.Surface == dialect.Embeddings || c.asked.Native != nil {
		output = 0
	}
	c.cost = c.model.cost(c.tokens, output)
	return nil
}

// cost is the price of tokens in quota units, input and output each rounded up. It saturates at math.MaxInt64.
func (m model) cost(input, output int64) int64 {
	return saturatingAdd(perThousand(input, m.input.Int64), perThousand(output, m.output.Int64))
}

// perThousand is tokens × price / 1000, rounded up. Neither may be negative.
func perThousand(tokens, price int64) int64 {
	if price != 0 && tokens > (math.MaxInt64-999)/price {
		return math.MaxInt64
	}
	return (tokens*price + 999) / 1000
}

func saturatingAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
