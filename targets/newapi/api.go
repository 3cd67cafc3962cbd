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
	"regexp"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/targets"
)

// errRateLimited is returned when the gateway's own rate limit asks for a longer wait than [maxWait], or again and again.
var errRateLimited = errors.New("the gateway rate-limits its admin API")

// errRefused is returned when the gateway understood a call of its admin API and refused it.
var errRefused = errors.New("the gateway refused the admin API call")

const (
	// callTimeout bounds one call of the admin API. Creating a user hashes a password, which takes a busy machine a second.
	callTimeout = 30 * time.Second
	// maxResponse bounds an answer in bytes: the options of a large deployment, prices included, take 300 KiB.
	maxResponse = 16 << 20
	// maxWait is the longest wait that a 429 can ask for. The API's limit of 360 calls asks for its whole window of 180 s. That
	// of logins and revealed keys, 20 calls in 20 minutes, is not waited for.
	maxWait = 3*time.Minute + 10*time.Second
	// defaultWait is for a 429 without Retry-After, as older releases send it: the shortest of their windows is a minute.
	defaultWait = time.Minute
	// maxAttempts bounds how often a call is sent: a limit that is met again after the wait is used up by somebody else.
	maxAttempts = 4
	// A gateway that cannot be reached any more is tried again maxRedials times: a restart takes new-api two seconds, with a
	// migration ten.
	redialInterval = 500 * time.Millisecond
	maxRedials     = 30
	// busyInterval is the wait after a call that the gateway's database had no time for.
	busyInterval = 500 * time.Millisecond
)

// busyDatabase are the words of databases that were busy with something else: SQLite, PostgreSQL and MySQL. The gateway passes
// them on as a refusal, and has changed nothing.
var busyDatabase = regexp.MustCompile(`(?i)database is locked|SQLITE_BUSY|deadlock`)

// api sends calls to the admin API.
type api struct {
	base     string
	product  product
	http     *http.Client
	redactor *redact.Redactor
	// reached says that the gateway has answered before, so that it is worth waiting for when it cannot be reached.
	reached bool
	// wait is [wait.For], but in tests.
	wait func(ctx context.Context, d time.Duration) error
}

// envelope is what every call of the admin API answers, with 200 for most failures.
type envelope struct {
	Success *bool           `json:"success"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// newHTTPClient opens a connection for each call, so that a gateway that was restarted in between is noticed before anything
// is sent. It follows no redirects: no call of the API has one.
func newHTTPClient(dial func(context.Context, string, string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send sends a call, again after a rate limit, a restart or a busy database, and decodes the data of its answer into out, which may be nil.
// It returns the answer's header, and the errors of [client.call].
func (a *api) send(ctx context.Context, method, path string, credential http.Header, body, out any) (http.Header, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
	}
	redials := 0
	for attempt := 1; ; attempt++ {
		status, header, raw, err := a.sendOnce(ctx, method, path, credential, payload)
		if a.reached && notConnected(err) && redials < maxRedials {
			// Nothing was sent, so nothing can happen twice.
			redials, attempt = redials+1, attempt-1
			if err := a.wait(ctx, redialInterval); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, redacted{a.redactor.Text(err.Error()), err}
		}
		a.reached = true
		if status == http.StatusTooManyRequests && attempt < maxAttempts {
			if err := a.waitForLimit(ctx, header); err != nil {
				return nil, err
			}
			continue
		}
		err = a.decode(status, raw, out)
		if errors.Is(err, errRefused) && busyDatabase.MatchString(err.Error()) && attempt < maxAttempts {
			if err := a.wait(ctx, busyInterval); err != nil {
				return nil, err
			}
			continue
		}
		return header, err
	}
}

// notConnected reports whether a call failed before it had a connection.
func notConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// redacted is an error whose text has no secret.
type redacted struct {
	text string
	err  error
}

func (e redacted) Error() string { return e.text }

func (e redacted) Unwrap() error { return e.err }

// waitForLimit waits as long as a 429 asks for. It returns [errRateLimited] when that is longer than [maxWait].
func (a *api) waitForLimit(ctx context.Context, header http.Header) error {
	asked := header.Get("Retry-After")
	seconds, err := strconv.Atoi(asked)
	switch {
	// Compared in seconds: as a [time.Duration], more than 292 years are negative.
	case errors.Is(err, strconv.ErrRange), seconds > int(maxWait/time.Second):
		return fmt.Errorf("%w: Retry-After is %s seconds, but gatecert waits at most %d seconds", errRateLimited, asked, int(maxWait/time.Second))
	case err != nil, seconds < 1:
		return a.wait(ctx, defaultWait)
	}
	return a.wait(ctx, time.Duration(seconds)*time.Second)
}

func (a *api) sendOnce(ctx context.Context, method, path string, credential http.Header, payload []byte) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(payload))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header = credential.Clone()
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept-Language", "en") // its messages are shown to people
	resp, err := a.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	return resp.StatusCode, resp.Header, raw, err
}

// decode decodes an answer. The status alone does not tell a failure: a wrong password is a 200.
func (a *api) decode(status int, raw []byte, out any) error {
	var e envelope
	err := json.Unmarshal(raw, &e)
	message := a.redactor.Text(e.Message)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, a.product.unauthorized(e):
		return fmt.Errorf("%w: %d %s", targets.ErrCredential, status, message)
	case status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: it returned 429 for each of %d attempts", errRateLimited, maxAttempts)
	case a.product == oneAPI && status == http.StatusOK && len(raw) == 0:
		return nil // deleting a user is answered with an empty body
	case err != nil || e.Success == nil:
		return fmt.Errorf("%w: it returned %d with a body that is not an admin API response: %.80q", targets.ErrCannotPrepare, status, a.redactor.Text(string(raw)))
	case !*e.Success:
		return fmt.Errorf("%w: %d %s", errRefused, status, message)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(e.Data, out); err != nil {
		return fmt.Errorf("%w: the data in its response does not match the format of %s: %w", targets.ErrCannotPrepare, a.product, err)
	}
	return nil
}
