package newapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// client calls the admin API as one user.
type client struct {
	*api

	// admin is how the user signs in, also when a session has expired.
	admin   profile.Admin
	session session
}

// session is what identifies a user: the access token of the profile, or what a sign-in returned.
type session struct {
	token, cookie string
	// id is that of a session to sign out of.
	id string
}

func (s session) empty() bool { return s.token == "" && s.cookie == "" }

// as returns a client of the same gateway for another user.
func (c *client) as(user profile.Admin) *client {
	return &client{api: c.api, admin: user, session: session{token: user.Token}}
}

// call makes one call and decodes the data of its answer into out, which may be nil. It signs in again once when the session has
// expired, and waits for rate limits and restarts.
//
// It returns [targets.ErrCredential] when the gateway does not know the user or grants too little, [errRefused] when it
// refuses the call, [errRateLimited] when its limit asks for too long a wait, [targets.ErrCannotPrepare] when the answer is not
// that of an admin API, and the errors of the connection.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	err := c.callSignedIn(ctx, method, path, body, out)
	if errors.Is(err, targets.ErrCredential) && c.admin.Token == "" && !c.session.empty() {
		c.session.token, c.session.cookie = "", "" // a session of new-api lasts 15 minutes
		err = c.callSignedIn(ctx, method, path, body, out)
	}
	path, _, _ = strings.Cut(path, "?")
	return about(method+" "+path, err)
}

func (c *client) callSignedIn(ctx context.Context, method, path string, body, out any) error {
	if c.session.empty() {
		if err := c.signIn(ctx); err != nil {
			return err
		}
	}
	_, err := c.send(ctx, method, path, c.credential(), body, out)
	return err
}

// credential are the header fields that identify the user.
func (c *client) credential() http.Header {
	h := http.Header{}
	if c.session.token != "" {
		h.Set("Authorization", "Bearer "+c.session.token)
	}
	if c.session.cookie != "" {
		h.Set("Cookie", c.session.cookie)
	}
	if c.admin.ID != 0 {
		h.Set("New-Api-User", strconv.Itoa(c.admin.ID))
	}
	return h
}

// signIn opens a session with user and password.
func (c *client) signIn(ctx context.Context) error {
	if c.admin.User == "" {
		return fmt.Errorf("%w: the gateway does not accept the token in admin.token", targets.ErrCredential)
	}
	var data struct {
		Token   string `json:"access_token"`
		Session struct {
			ID string `json:"sid"`
		} `json:"session"`
		RequireTwoFactor bool `json:"require_2fa"`
	}
	header, err := c.send(ctx, http.MethodPost, "/api/user/login", c.credential(),
		map[string]string{"username": c.admin.User, "password": c.admin.Password}, &data)
	switch {
	case errors.Is(err, errRefused):
		return fmt.Errorf("%w: sign in as %s: %w", targets.ErrCredential, c.admin.User, err)
	case err != nil:
		return fmt.Errorf("sign in as %s: %w", c.admin.User, err)
	case data.RequireTwoFactor:
		return fmt.Errorf("%w: the user %s needs a second factor to sign in: set admin.token to an access token instead", targets.ErrCredential, c.admin.User)
	}
	c.session = session{token: data.Token, id: data.Session.ID}
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		if c.session.token == "" && cookie.Name == "session" {
			c.session.cookie = cookie.Name + "=" + cookie.Value
		}
	}
	if c.session.empty() {
		return fmt.Errorf("%w: sign in as %s: the gateway returned neither a token nor a session", targets.ErrCredential, c.admin.User)
	}
	return nil
}

// signOut revokes the session that signIn opened, if any.
func (c *client) signOut(ctx context.Context) error {
	if c.session.id == "" {
		return nil
	}
	_, err := c.send(ctx, http.MethodDelete, "/api/user/sessions/"+c.session.id, c.credential(), nil, nil)
	c.session = session{}
	return err
}
