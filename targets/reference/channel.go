package reference

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/dialect"
)

// channelRoute is one way to an upstream: a channel and one of its keys.
type channelRoute struct {
	protocol dialect.Dialect
	address  string
	secret   string
	mapping  sql.NullString
	// annotation is added to every answer unchanged; nil for none.
	annotation json.RawMessage
}

var errCyclic = errors.New("cyclic model mapping")

// routes returns the routes to a model for a group of users, in the order to try them, and how many enabled channels there
// are: a channel without an enabled key is counted but gives no route.
func (s *store) routes(ctx context.Context, name, group string) (routes []channelRoute, channels int, err error) {
	err = s.rows(ctx, `SELECT c.protocol, c.base_url, c.mapping, c.annotation, k.secret
		FROM channel_models m
		JOIN channels c ON c.id = m.channel_id
		LEFT JOIN channel_keys k ON k.channel_id = c.id AND k.enabled = 1
		WHERE m.model = ? AND c.user_group = ? AND c.enabled = 1
		ORDER BY c.priority, c.id, k.id`, []any{name, group},
		func(rows *sql.Rows) error {
			var r channelRoute
			var annotation, secret sql.NullString
			if err := rows.Scan(&r.protocol, &r.address, &r.mapping, &annotation, &secret); err != nil {
				return err
			}
			channels++
			if annotation.Valid {
				r.annotation = json.RawMessage(annotation.String)
			}
			if r.secret = secret.String; secret.Valid {
				routes = append(routes, r)
			}
			return nil
		})
	return routes, channels, err
}

// pick is the handler that finds the routes to the model.
func (g *Gateway) pick(ctx context.Context, c *Call) error {
	routes, channels, err := g.store.routes(ctx, c.model.name, c.caller.group)
	switch {
	case err != nil:
		return err
	case channels == 0:
		return Refuse(GetChannel, nil)
	case len(routes) == 0:
		return Refuse(NoAvailableKey, nil)
	}
	c.routes = routes
	return nil
}

// upstreamName follows a channel's mapping from the asked model to the name that its upstream knows. A name that maps
// to itself, or to nothing, is the last. It returns [errCyclic] for a cycle.
func (r channelRoute) upstreamName(asked string) (string, error) {
	if !r.mapping.Valid {
		return asked, nil
	}
	var mapping map[string]string
	if err := json.Unmarshal([]byte(r.mapping.String), &mapping); err != nil {
		return "", fmt.Errorf("the model mapping is not valid JSON: %w", err)
	}
	name := asked
	// A chain of more steps than entries has passed one twice.
	for range len(mapping) + 1 {
		next, ok := mapping[name]
		if !ok || next == name {
			return name, nil
		}
		name = next
	}
	return "", errCyclic
}
