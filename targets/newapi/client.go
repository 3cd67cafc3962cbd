package newapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// errBusy is returned when the gateway's own rate limit asks for a longer wait than anybody would sit through.
var errBusy = errors.New("the gateway limits its admin API")

// errRefused is returned when the gateway understood a call of its admin API and said no.
var errRefused = errors.New("the gateway refused")

const (
	// callLimit bounds one call of the admin API. Creating a user hashes a password; a busy machine takes a second for it.
	callLimit = 30 * time.Second
	// maxReply bounds what is read of an answer: the options of a large deployment, prices included, take 300 KiB.
	maxReply = 16 << 20
	// maxWait is the longest wait that a 429 can ask for. The API's limit of 360 calls asks for its whole window of 180 s;
	// that of logins and revealed keys, 20 calls in 20 minutes, is not waited for.
	maxWait = 3*time.Minute + 10*time.Second
	// maxTries bounds how often a call is sent: a limit that is waited for and met again is somebody else's traffic.
	maxTries = 4
	// redial is the wait before a gateway that cannot be reached is tried once more, redials how often: a restart takes
	// new-api two seconds, with a migration ten.
	redial  = 500 * time.Millisecond
	redials = 30
)

// client speaks the admin API as one user.
type client struct {
	base     string
	product  product
	http     *http.Client
	redactor *redact.Redactor
	// admin is how the user signs in, for when a session expires.
	admin profile.Admin
	// token and cookie are what a sign-in gave, or the access token of the profile. session is to be revoked at the end.
	token, cookie, session string
	// reached says that the gateway has answered before: when it cannot be reached now, it is worth waiting for.
	reached bool
	// pause waits; a test's does not.
	pause func(ctx context.Context, d time.Duration) error
}

// envelope is what every call of the admin API answers, with 200 for most failures.
type envelope struct {
	Success *bool           `json:"success"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// newHTTP is what an admin client sends with. Every call has a connection of its own, so that a gateway which was restarted
// in between is noticed before anything is sent. No redirect is followed, since none of the API's calls has one.
func newHTTP(dial func(context.Context, string, string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// as returns a client of the same gateway for another user.
func (c *client) as(admin profile.Admin) *client {
	other := *c
	other.admin, other.token, other.cookie, other.session = admin, admin.Token, "", ""
	return &other
}

// call makes one call and decodes the data of its answer into out, which may be nil. A session that has expired is
// renewed once; a rate limit is waited for.
//
// It returns [targets.ErrCredential] when the gateway does not know the user or grants too little, errRefused when it says
// no, errBusy when its limit asks for too long a wait, and otherwise what is wrong with the connection or the answer.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	err := c.signed(ctx, method, path, body, out)
	if errors.Is(err, targets.ErrCredential) && c.admin.Token == "" && c.token+c.cookie != "" {
		c.token, c.cookie = "", "" // a session of new-api lasts 15 minutes
		err = c.signed(ctx, method, path, body, out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, cutQuery(path), err)
	}
	return nil
}

func (c *client) signed(ctx context.Context, method, path string, body, out any) error {
	if c.token == "" && c.cookie == "" {
		if err := c.signIn(ctx); err != nil {
			return err
		}
	}
	_, err := c.send(ctx, method, path, body, out)
	return err
}

// signIn opens a session with user and password.
func (c *client) signIn(ctx context.Context) error {
	if c.admin.User == "" {
		return fmt.Errorf("%w: the token is not accepted", targets.ErrCredential)
	}
	var data struct {
		Token   string `json:"access_token"`
		Session struct {
			ID string `json:"sid"`
		} `json:"session"`
		RequireTwoFactor bool `json:"require_2fa"`
	}
	head, err := c.send(ctx, http.MethodPost, "/api/user/login",
		map[string]string{"username": c.admin.User, "password": c.admin.Password}, &data)
	switch {
	case errors.Is(err, errRefused):
		return fmt.Errorf("%w: sign in as %s: %w", targets.ErrCredential, c.admin.User, err)
	case err != nil:
		return fmt.Errorf("sign in as %s: %w", c.admin.User, err)
	case data.RequireTwoFactor:
		return fmt.Errorf("%w: %s signs in with a second factor: use an access token", targets.ErrCredential, c.admin.User)
	}
	c.token, c.session = data.Token, data.Session.ID
	for _, cookie := range (&http.Response{Header: head}).Cookies() {
		if c.token == "" && cookie.Name == "session" {
			c.cookie = cookie.Name + "=" + cookie.Value
		}
	}
	if c.token == "" && c.cookie == "" {
		return fmt.Errorf("%w: sign in as %s: the gateway gave neither a token nor a session", targets.ErrCredential, c.admin.User)
	}
	return nil
}

// leave revokes the session that signIn opened, if any: nobody needs it any more.
func (c *client) leave(ctx context.Context) error {
	if c.session == "" {
		return nil
	}
	_, err := c.send(ctx, http.MethodDelete, "/api/user/sessions/"+c.session, nil, nil)
	c.token, c.session = "", ""
	return err
}

// send makes a call as often as the gateway's limits and restarts want.
func (c *client) send(ctx context.Context, method, path string, body, out any) (http.Header, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
	}
	unreachable := 0
	for try := 1; ; try++ {
		status, head, raw, err := c.once(ctx, method, path, payload)
		if c.reached && notDialled(err) && unreachable < redials {
			// Nothing was sent, so nothing can happen twice.
			unreachable, try = unreachable+1, try-1
			if err := c.pause(ctx, redial); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, redacted{c.redactor.Text(err.Error()), err}
		}
		c.reached = true
		if status == http.StatusTooManyRequests && try < maxTries {
			if err := c.wait(ctx, head); err != nil {
				return nil, err
			}
			continue
		}
		return head, c.decode(status, raw, out)
	}
}

// notDialled reports whether no connection came about.
func notDialled(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// redacted is an error whose text shows no secret.
type redacted struct {
	text string
	err  error
}

func (e redacted) Error() string { return e.text }

func (e redacted) Unwrap() error { return e.err }

// wait does what a 429 asks for.
func (c *client) wait(ctx context.Context, head http.Header) error {
	seconds, err := strconv.Atoi(head.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 60 // older releases do not say; the shortest of their windows is a minute
	}
	asked := time.Duration(seconds) * time.Second
	if asked > maxWait {
		return fmt.Errorf("%w: it asks to come back in %s", errBusy, asked)
	}
	return c.pause(ctx, asked)
}

func (c *client) once(ctx context.Context, method, path string, payload []byte) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(payload))
	if err != nil {
		return 0, nil, nil, err
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	// Messages are shown to people; what the gateway can say in English it shall say in English.
	req.Header.Set("Accept-Language", "en")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.cookie != "" {
		req.Header.Set("Cookie", c.cookie)
	}
	if c.admin.ID != 0 {
		req.Header.Set("New-Api-User", strconv.Itoa(c.admin.ID))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	return resp.StatusCode, resp.Header, raw, err
}

// decode reads an answer. The status tells little: a wrong password is a 200.
func (c *client) decode(status int, raw []byte, out any) error {
	var e envelope
	err := json.Unmarshal(raw, &e)
	message := c.redactor.Text(e.Message)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, c.product.unauthorized(e):
		return fmt.Errorf("%w: %d %s", targets.ErrCredential, status, message)
	case status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: 429 again and again", errBusy)
	case c.product == oneAPI && status == http.StatusOK && len(raw) == 0:
		return nil // a deleted user gets no answer at all
	case err != nil || e.Success == nil:
		return fmt.Errorf("%w: %d with no answer of an admin API: %.80q", targets.ErrUnfit, status, c.redactor.Text(string(raw)))
	case !*e.Success:
		return fmt.Errorf("%w: %d %s", errRefused, status, message)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(e.Data, out); err != nil {
		return fmt.Errorf("%w: the answer is not what this kind of gateway gives: %w", targets.ErrUnfit, err)
	}
	return nil
}

func cutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// sleep is the pause of every client but a test's.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
