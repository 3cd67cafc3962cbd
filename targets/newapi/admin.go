package newapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// status is what the gateway publishes about itself.
type status struct {
	Version string `json:"version"`
	Setup   *bool  `json:"setup"`
}

func (c *client) status(ctx context.Context) (s status, err error) {
	_, err = c.send(ctx, http.MethodGet, "/api/status", c.credential(), nil, &s)
	return s, about("GET /api/status", err)
}

// options returns the gateway's settings by name, without the secret ones.
func (c *client) options(ctx context.Context) (map[string]string, error) {
	var list []struct{ Key, Value string }
	if err := c.call(ctx, http.MethodGet, "/api/option/", nil, &list); err != nil {
		return nil, err
	}
	options := make(map[string]string, len(list))
	for _, o := range list {
		options[o.Key] = o.Value
	}
	return options, nil
}

func (c *client) setOption(ctx context.Context, key, value string) error {
	return about("option "+key, c.call(ctx, http.MethodPut, "/api/option/", map[string]string{"key": key, "value": value}, nil))
}

func (c *client) createChannel(ctx context.Context, ch channel) error {
	return about("channel "+ch.name, c.call(ctx, http.MethodPost, "/api/channel/", c.product.channelBody(ch), nil))
}

func about(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// channels returns the ids by name of the channels whose name begins with the prefix.
func (c *client) channels(ctx context.Context, prefix string) (map[string]int, error) {
	return c.search(ctx, "/api/channel/search", prefix, func(n namedObject) string { return n.Name })
}

// users returns the ids by name of the users whose name begins with the prefix.
func (c *client) users(ctx context.Context, prefix string) (map[string]int, error) {
	return c.search(ctx, "/api/user/search", prefix, func(n namedObject) string { return n.Username })
}

type namedObject struct {
	ID             int
	Name, Username string
}

// search returns the ids by name of what a search finds. The gateway searches in other fields too, so names are compared.
func (c *client) search(ctx context.Context, path, prefix string, name func(namedObject) string) (map[string]int, error) {
	query := url.Values{"keyword": {prefix}, "p": {"1"}, "page_size": {"100"}}
	var found items[namedObject]
	if err := c.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &found); err != nil {
		return nil, err
	}
	ids := map[string]int{}
	for _, n := range found {
		if strings.HasPrefix(name(n), prefix) {
			ids[name(n)] = n.ID
		}
	}
	return ids, nil
}

// The statuses of a channel.
const (
	channelEnabled  = 1
	channelDisabled = 2
)

func (c *client) setChannelStatus(ctx context.Context, id, status int) error {
	method, path, body := c.product.statusCall(id, status)
	return c.call(ctx, method, path, body, nil)
}

// disableKeys disables the keys of a multi-key channel one by one: the action for all of them disables the channel.
func (c *client) disableKeys(ctx context.Context, id, keys int) error {
	for i := range keys {
		body := map[string]any{"channel_id": id, "action": "disable_key", "key_index": i}
		if err := c.call(ctx, http.MethodPost, "/api/channel/multi_key/manage", body, nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) deleteChannel(ctx context.Context, _ string, id int) error {
	return c.call(ctx, http.MethodDelete, "/api/channel/"+strconv.Itoa(id), nil, nil)
}

type user struct {
	name, password, group string
	quota                 int
}

func (c *client) createUser(ctx context.Context, u user) error {
	body := map[string]any{"username": u.name, "password": u.password, "display_name": u.name, "role": 1}
	if err := c.call(ctx, http.MethodPost, "/api/user/", body, nil); err != nil {
		return fmt.Errorf("user %s: %w", u.name, err)
	}
	ids, err := c.users(ctx, u.name)
	if err != nil {
		return err
	}
	id, ok := ids[u.name]
	if !ok {
		return fmt.Errorf("%w: user %s was created, but the gateway does not list it", targets.ErrCannotPrepare, u.name)
	}
	edit := map[string]any{"id": id, "username": u.name, "display_name": u.name, "group": u.group, "quota": u.quota}
	if err := c.call(ctx, http.MethodPut, "/api/user/", edit, nil); err != nil {
		return fmt.Errorf("user %s: %w", u.name, err)
	}
	if c.product == oneAPI {
		return nil
	}
	quota := map[string]any{"id": id, "action": "add_quota", "mode": "override", "value": u.quota}
	return about("user "+u.name, c.call(ctx, http.MethodPost, "/api/user/manage", quota, nil))
}

// deleteUser deletes a user with its tokens and sessions. one-api keeps the row, renamed and disabled, and would keep the
// tokens too.
func (c *client) deleteUser(ctx context.Context, name string, id int) error {
	if c.product == oneAPI {
		if err := c.deleteTokens(ctx, name, id); err != nil {
			return err
		}
	}
	return c.call(ctx, http.MethodDelete, "/api/user/"+strconv.Itoa(id), nil, nil)
}

// deleteTokens deletes the tokens of a user of the run. Only the user can do that, so it gets a new password first.
func (c *client) deleteTokens(ctx context.Context, name string, id int) error {
	password := newPassword()
	edit := map[string]any{"id": id, "username": name, "display_name": name, "password": password}
	if err := c.call(ctx, http.MethodPut, "/api/user/", edit, nil); err != nil {
		return err
	}
	owner := c.as(profile.Admin{User: name, Password: password})
	issued, err := owner.tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range issued {
		if err := owner.call(ctx, http.MethodDelete, "/api/token/"+strconv.Itoa(t.ID), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// newPassword returns a random password of 20 characters, the most that both products accept.
func newPassword() string { return rand.Text()[:20] }

// issuedToken is a token in its owner's list; new-api masks the key.
type issuedToken struct {
	ID        int
	Name, Key string
}

// createTokens creates tokens for the user of this client and returns their keys by name, as callers send them.
func (c *client) createTokens(ctx context.Context, tokens []token) (map[string]string, error) {
	for _, t := range tokens {
		if err := c.call(ctx, http.MethodPost, "/api/token/", c.product.tokenBody(t), nil); err != nil {
			return nil, fmt.Errorf("token %s: %w", t.name, err)
		}
	}
	issued, err := c.tokens(ctx)
	if err != nil {
		return nil, err
	}
	if c.product == newAPI {
		if err := c.revealKeys(ctx, issued); err != nil {
			return nil, err
		}
	}
	keys := map[string]string{}
	for _, t := range issued {
		keys[t.Name] = "sk-" + strings.TrimPrefix(t.Key, "sk-")
	}
	for _, t := range tokens {
		if len(keys[t.name]) < len("sk-")+16 || strings.Contains(keys[t.name], "*") {
			return nil, fmt.Errorf("%w: the gateway did not return the full key of token %s", targets.ErrCannotPrepare, t.name)
		}
	}
	return keys, nil
}

func (c *client) tokens(ctx context.Context) (items[issuedToken], error) {
	first := "1"
	if c.product == oneAPI {
		first = "0"
	}
	var issued items[issuedToken]
	err := c.call(ctx, http.MethodGet, "/api/token/?p="+first+"&page_size=100", nil, &issued)
	return issued, err
}

// revealKeys fills in the keys, all with one call: 20 calls in 20 minutes may reveal keys, and logins count too.
func (c *client) revealKeys(ctx context.Context, issued items[issuedToken]) error {
	ids := make([]int, len(issued))
	for i, t := range issued {
		ids[i] = t.ID
	}
	var data struct {
		Keys map[string]string `json:"keys"`
	}
	err := c.call(ctx, http.MethodPost, "/api/token/batch/keys", map[string]any{"ids": ids}, &data)
	if errors.Is(err, targets.ErrCannotPrepare) {
		return nil // an older release, whose list does not mask keys
	}
	if err != nil {
		return err
	}
	for i, t := range issued {
		issued[i].Key = data.Keys[strconv.Itoa(t.ID)]
	}
	return nil
}

func (c *client) disableToken(ctx context.Context, name string) error {
	issued, err := c.tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range issued {
		if t.Name == name {
			return c.call(ctx, http.MethodPut, "/api/token/?status_only=1", map[string]any{"id": t.ID, "status": 2}, nil)
		}
	}
	return fmt.Errorf("%w: the gateway does not list token %s", targets.ErrCannotPrepare, name)
}
