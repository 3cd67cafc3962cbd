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

// defaultOutput is how many tokens of answer are paid for in advance when the caller names no limit.
const defaultOutput = 1024

// model is what the gateway knows of a model. Prices are in quota units per 1000 tokens.
type model struct {
	name          string
	input, output sql.NullInt64
}

// priced reports whether both prices can be used.
func (m model) priced() bool {
	return m.input.Valid && m.output.Valid && m.input.Int64 >= 0 && m.output.Int64 >= 0
}

// model finds a model. It returns errAbsent when there is none of that name.
func (s *store) model(ctx context.Context, name string) (model, error) {
	m := model{name: name}
	err := s.row(ctx, `SELECT input_price, output_price FROM models WHERE name = ?`, []any{name}, &m.input, &m.output)
	return m, err
}

// models returns the names of all models that a group of users can reach, in order.
func (s *store) models(ctx context.Context, group string) ([]string, error) {
	var names []string
	err := s.rows(ctx, `SELECT DISTINCT m.model FROM channel_models m JOIN channels c ON c.id = m.channel_id
		WHERE c.enabled = 1 AND c.user_group = ? ORDER BY m.model`, []any{group},
		func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		})
	return names, err
}

// reserved reports whether a model is kept for other groups of users: it has channels, and none is for this one.
func (s *store) reserved(ctx context.Context, name, group string) (bool, error) {
	var all, ours int
	err := s.row(ctx, `SELECT count(*), coalesce(sum(c.user_group = ?), 0) FROM channel_models m JOIN channels c ON c.id = m.channel_id
		WHERE m.model = ?`, []any{group, name}, &all, &ours)
	return all > 0 && ours == 0, err
}

// authorise is the stage that finds the model and turns away who may not use it.
func (g *Gateway) authorise(ctx context.Context, c *call) error {
	m, err := g.store.model(ctx, c.asked.Model)
	if errors.Is(err, errAbsent) {
		return refuse(modelNotFound, nil)
	}
	if err != nil {
		return err
	}
	if allowed := c.account.models; allowed != nil && !slices.Contains(allowed, m.name) {
		return refuse(accessDenied, nil).with(http.StatusForbidden, "The key does not permit this model.")
	}
	reserved, err := g.store.reserved(ctx, m.name, c.account.group)
	if err != nil {
		return err
	}
	if reserved {
		return refuse(accessDenied, nil).with(http.StatusForbidden, "The account's group does not permit this model.")
	}
	c.model = m
	return nil
}

// price is the stage that finds what the call can cost at most.
func (g *Gateway) price(_ context.Context, c *call) error {
	if !c.model.priced() {
		return refuse(modelPrice, nil)
	}
	output := int64(defaultOutput)
	if c.asked.MaxTokens != nil {
		output = int64(*c.asked.MaxTokens)
	}
	if c.surface == dialect.Embeddings {
		output = 0
	}
	c.cost = c.model.cost(c.tokens, output)
	return nil
}

// cost is what tokens cost, each side rounded up to a whole unit, or the greatest number when that is exceeded.
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
