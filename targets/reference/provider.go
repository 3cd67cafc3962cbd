package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

const (
	// idleConnections keeps as many connections to a provider as calls are commonly under way.
	idleConnections = 128
	// maxProviderHeader bounds the head of a provider's answer in bytes.
	maxProviderHeader = 64 << 10
	// maxErrorBody bounds the body of a provider's error in bytes.
	maxErrorBody = 64 << 10
	// What is read of a provider's stream after its end, in bytes and time.
	partingBytes    = 4 << 10
	partingPatience = 100 * time.Millisecond
	// defaultRetryAfter is told to callers when a provider limits the rate without saying for how long.
	defaultRetryAfter = "1"
)

// errTooSlow is returned when a provider lets the time for its next byte pass.
var errTooSlow = errors.New("the provider is too slow")

// newProviderClient returns the client for calls of providers. It follows no redirect, which could take a credential
// elsewhere, and uses no proxy of the environment.
func newProviderClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			MaxIdleConns:           idleConnections,
			MaxIdleConnsPerHost:    idleConnections,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: maxProviderHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dialled is a provider's answer with a status of success, its body unread.
type dialled struct {
	route channelRoute
	body  io.ReadCloser
	// patience ends the provider's call when it is too slow.
	patience *patience
}

// close ends the provider's call, whether or not it is over.
func (d *dialled) close() {
	d.patience.end()
	_ = d.body.Close() // nothing is left to do about a provider that is hung up on
}

// finish reads what little may follow a whole answer, so that the connection can be used again and the provider does
// not take the end for a cancellation.
func (d *dialled) finish() {
	d.patience.renew(partingPatience)
	_, _ = io.CopyN(io.Discard, d.body, partingBytes)
}

// dial is the stage that calls the provider: one route after another, and around again, as far as retries are allowed.
func (g *Gateway) dial(ctx context.Context, c *call) error {
	var failed error
	for attempt := range g.bends.allowed(c, g.options.Retries+1) {
		c.dialled, failed = g.dialRoute(ctx, c, c.routes[attempt%len(c.routes)])
		untried := attempt+1 < len(c.routes)
		if failed == nil || ctx.Err() != nil || !worthRetrying(failed, untried) {
			break
		}
	}
	return failed
}

// worthRetrying tells failures that another attempt may not meet from those that every attempt would, or that have
// cost the caller's whole patience. Some lie in the route, so that only one not tried yet can help.
func worthRetrying(err error, untried bool) bool {
	switch failureOf(err).code {
	case doRequest, badResponseStatus:
		return true
	case invalidAPIType, modelMapped, convertRequest, invalidChannelKey, rateLimited:
		return untried
	default:
		return false
	}
}

// dialRoute makes one attempt.
func (g *Gateway) dialRoute(ctx context.Context, c *call, route channelRoute) (*dialled, error) {
	if !route.protocol.Valid() {
		return nil, refuse(invalidAPIType, nil)
	}
	name, err := route.providerName(c.asked.Model)
	if err != nil {
		return nil, refuse(modelMapped, err)
	}
	outbound, err := convert.Encode(route.protocol, c.asked, name)
	if errors.Is(err, convert.ErrUnconvertible) {
		return nil, refuse(convertRequest, err).with(http.StatusBadRequest, sentence(err))
	}
	if err != nil {
		return nil, refuse(marshalJSON, err)
	}
	return g.send(ctx, c, route, outbound)
}

// send makes the request and reads the head of the answer. Everything but success is a failure here.
func (g *Gateway) send(ctx context.Context, c *call, route channelRoute, outbound convert.Outbound) (_ *dialled, err error) {
	p := newPatience(ctx, g.bends.patient(c, g.options.Timeout))
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	address := strings.TrimSuffix(route.address, "/") + outbound.Path
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, address, bytes.NewReader(outbound.Body))
	if err != nil {
		return nil, refuse(doRequest, err)
	}
	maps.Copy(request.Header, outbound.Header)
	request.Header.Set("User-Agent", "gatecert-reference")
	presentKey(request.Header, route)

	response, err := g.client.Do(request)
	if err != nil {
		return nil, p.explain(refuse(doRequest, err))
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return &dialled{route: route, body: response.Body, patience: p}, nil
	}
	defer response.Body.Close()
	// An error whose body is late, broken or endless is still that error: it is judged by what was read of it.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	return nil, p.explain(providerFailure(route.protocol, response, body))
}

// presentKey puts the credential where the protocol wants it.
func presentKey(header http.Header, route channelRoute) {
	switch route.protocol {
	case convert.Anthropic:
		header.Set("X-Api-Key", route.secret)
	case convert.Gemini:
		header.Set("X-Goog-Api-Key", route.secret)
	default:
		header.Set("Authorization", "Bearer "+route.secret)
	}
}

// providerError is a provider's answer with a status that is no success.
type providerError struct {
	status  int
	refusal convert.Refusal
}

func (e *providerError) Error() string {
	return fmt.Sprintf("the provider answered %d %s", e.status, e.refusal.Code)
}

// providerFailure translates a provider's error. Its words are not passed on: they may name what must stay inside.
func providerFailure(protocol convert.Protocol, response *http.Response, body []byte) *failure {
	refusal, usable := convert.ProviderError(protocol, response.StatusCode, body)
	cause := &providerError{response.StatusCode, refusal}
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, refusal.Code == "API_KEY_INVALID":
		return refuse(invalidChannelKey, cause)
	case !usable:
		return refuse(badResponseStatus, cause)
	case refusal.Blocked:
		return refuse(promptBlocked, cause)
	case status == http.StatusTooManyRequests:
		return refuse(rateLimited, cause).with(status, "The provider limits the rate of requests.").
			saying("Retry-After", retryAfter(response.Header.Get("Retry-After"), time.Now()))
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge,
		status == http.StatusUnsupportedMediaType, status == http.StatusUnprocessableEntity:
		return refuse(invalidRequest, cause).with(http.StatusBadRequest, "The provider does not accept the request's parameters.")
	default:
		return refuse(badResponseStatus, cause)
	}
}

// retryAfter keeps what a provider said (RFC 9110 10.2.3) in whole seconds.
func retryAfter(value string, now time.Time) string {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return strconv.FormatUint(seconds, 10)
	}
	if at, err := http.ParseTime(value); err == nil {
		return wholeSeconds(at.Sub(now))
	}
	return defaultRetryAfter
}

// sentence makes a sentence of an error that was written to be shown.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
