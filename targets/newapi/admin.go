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

func itoa(n int) string { return strconv.Itoa(n) }

// status is what the gateway tells everybody about itself.
type status struct {
	Version string `json:"version"`
	Setup   *bool  `json:"setup"`
}

func (c *client) status(ctx context.Context) (s status, err error) {
	if _, err = c.send(ctx, http.MethodGet, "/api/status", nil, &s); err != nil {
		return s, fmt.Errorf("GET /api/status: %w", err)
	}
	return s, nil
}

// options are the gateway's settings by name; secrets are not among them.
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
	if err := c.call(ctx, http.MethodPut, "/api/option/", map[string]string{"key": key, "value": value}, nil); err != nil {
		return fmt.Errorf("option %s: %w", key, err)
	}
	return nil
}

func (c *client) makeChannel(ctx context.Context, ch channel) error {
	if err := c.call(ctx, http.MethodPost, "/api/channel/", c.product.channelBody(ch), nil); err != nil {
		return fmt.Errorf("channel %s: %w", ch.name, err)
	}
	return nil
}

// channels returns the ids by name of the channels whose name begins with the prefix.
func (c *client) channels(ctx context.Context, prefix string) (map[string]int, error) {
	return c.named(ctx, "/api/channel/search", prefix, func(n named) string { return n.Name })
}

// users returns the ids by name of the users whose name begins with the prefix.
func (c *client) users(ctx context.Context, prefix string) (map[string]int, error) {
	return c.named(ctx, "/api/user/search", prefix, func(n named) string { return n.Username })
}

// named is an object with a name, as a search finds it.
type named struct {
	ID             int
	Name, Username string
}

// named searches. The gateway finds the word anywhere, in other fields too, so that the name has to be looked at.
func (c *client) named(ctx context.Context, path, prefix string, name func(named) string) (map[string]int, error) {
	query := url.Values{"keyword": {prefix}, "p": {"1"}, "page_size": {"100"}}
	var found page[named]
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
	channelOn  = 1
	channelOff = 2
)

func (c *client) switchChannel(ctx context.Context, id, status int) error {
	method, path, body := c.product.switchCall(id, status)
	return c.call(ctx, method, path, body, nil)
}

// disableKeys takes the keys of a multi-key channel away one by one: the action for all at once disables the channel.
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
	return c.call(ctx, http.MethodDelete, "/api/channel/"+itoa(id), nil, nil)
}

// user is a user to be made.
type user struct {
	name, password, group string
	quota                 int
}

// makeUser makes a user, puts it into its group and gives it its quota.
func (c *client) makeUser(ctx context.Context, u user) error {
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
		return fmt.Errorf("%w: user %s was made and is not there", targets.ErrUnfit, u.name)
	}
	edit := map[string]any{"id": id, "username": u.name, "display_name": u.name, "group": u.group, "quota": u.quota}
	if err := c.call(ctx, http.MethodPut, "/api/user/", edit, nil); err != nil {
		return fmt.Errorf("user %s: %w", u.name, err)
	}
	if c.product == oneAPI {
		return nil
	}
	quota := map[string]any{"id": id, "action": "add_quota", "mode": "override", "value": u.quota}
	if err := c.call(ctx, http.MethodPost, "/api/user/manage", quota, nil); err != nil {
		return fmt.Errorf("user %s: %w", u.name, err)
	}
	return nil
}

// deleteUser removes a user with its tokens and sessions. one-api keeps the row, renamed and shut out, and would keep the
// tokens too.
func (c *client) deleteUser(ctx context.Context, name string, id int) error {
	if c.product == oneAPI {
		if err := c.deleteTokens(ctx, name, id); err != nil {
			return err
		}
	}
	return c.call(ctx, http.MethodDelete, "/api/user/"+itoa(id), nil, nil)
}

// deleteTokens removes the tokens of a user who is ours: only its owner can, so it gets a new password first.
func (c *client) deleteTokens(ctx context.Context, name string, id int) error {
	password := newPassword()
	edit := map[string]any{"id": id, "username": name, "display_name": name, "password": password}
	if err := c.call(ctx, http.MethodPut, "/api/user/", edit, nil); err != nil {
		return err
	}
	owner := c.as(profile.Admin{User: name, Password: password})
	made, err := owner.tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range made {
		if err := owner.call(ctx, http.MethodDelete, "/api/token/"+itoa(t.ID), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// newPassword is a password of 20 characters, the most that both products take.
func newPassword() string { return rand.Text()[:20] }

// madeToken is a token as its owner's list shows it; new-api masks the key.
type madeToken struct {
	ID        int
	Name, Key string
}

// makeTokens makes tokens for the user of this client and returns their keys by name, as callers send them.
func (c *client) makeTokens(ctx context.Context, tokens []token) (map[string]string, error) {
	for _, t := range tokens {
		if err := c.call(ctx, http.MethodPost, "/api/token/", c.product.tokenBody(t), nil); err != nil {
			return nil, fmt.Errorf("token %s: %w", t.name, err)
		}
	}
	made, err := c.tokens(ctx)
	if err != nil {
		return nil, err
	}
	if c.product == newAPI {
		if err := c.reveal(ctx, made); err != nil {
			return nil, err
		}
	}
	keys := map[string]string{}
	for _, t := range made {
		keys[t.Name] = "sk-" + strings.TrimPrefix(t.Key, "sk-")
	}
	for _, t := range tokens {
		if len(keys[t.name]) < len("sk-")+16 || strings.Contains(keys[t.name], "*") {
			return nil, fmt.Errorf("%w: the key of token %s was not revealed", targets.ErrUnfit, t.name)
		}
	}
	return keys, nil
}

// tokens are those of the user of this client.
func (c *client) tokens(ctx context.Context) (page[madeToken], error) {
	first := "1"
	if c.product == oneAPI {
		first = "0"
	}
	var made page[madeToken]
	err := c.call(ctx, http.MethodGet, "/api/token/?p="+first+"&page_size=100", nil, &made)
	return made, err
}

// reveal fills in the keys, all with one call: calls that reveal keys are limited to 20 in 20 minutes, logins included.
func (c *client) reveal(ctx context.Context, made page[madeToken]) error {
	ids := make([]int, len(made))
	for i, t := range made {
		ids[i] = t.ID
	}
	var data struct {
		Keys map[string]string `json:"keys"`
	}
	err := c.call(ctx, http.MethodPost, "/api/token/batch/keys", map[string]any{"ids": ids}, &data)
	if errors.Is(err, targets.ErrUnfit) {
		return nil // a release before masked keys: the list has shown them
	}
	if err != nil {
		return err
	}
	for i, t := range made {
		made[i].Key = data.Keys[itoa(t.ID)]
	}
	return nil
}

// disableToken withdraws a token of the user of this client.
func (c *client) disableToken(ctx context.Context, name string) error {
	made, err := c.tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range made {
		if t.Name == name {
			return c.call(ctx, http.MethodPut, "/api/token/?status_only=1", map[string]any{"id": t.ID, "status": 2}, nil)
		}
	}
	return fmt.Errorf("%w: there is no token %s", targets.ErrUnfit, name)
}
