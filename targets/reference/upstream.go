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

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

const (
	// idleConnections is how many connections to an upstream are kept: as many as calls are commonly open.
	idleConnections = 128
	// maxUpstreamHeader bounds the head of an upstream's answer in bytes.
	maxUpstreamHeader = 64 << 10
	// maxErrorBody bounds the body of an upstream's error in bytes.
	maxErrorBody = 64 << 10
	// drainBytes and drainTimeout bound what is read of an upstream's stream after its end.
	drainBytes   = 4 << 10
	drainTimeout = 100 * time.Millisecond
	// defaultRetryAfter, in seconds, is for an upstream's 429 without a usable Retry-After.
	defaultRetryAfter = "1"
)

// ErrTooSlow is returned if the upstream's next byte does not arrive in time.
var ErrTooSlow = errors.New("the upstream is too slow")

// newUpstreamClient returns the client for upstream calls. It follows no redirect, which could take a credential
// elsewhere, and uses no proxy of the environment.
func newUpstreamClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			MaxIdleConns:           idleConnections,
			MaxIdleConnsPerHost:    idleConnections,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: maxUpstreamHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// upstreamAnswer is an upstream's answer with status 2xx, its body unread.
type upstreamAnswer struct {
	route     channelRoute
	mediaType string
	body      io.ReadCloser
	// deadline cancels the upstream call when it is too slow.
	deadline *deadline
}

// close ends the upstream call, whether or not it is over.
func (d *upstreamAnswer) close() {
	d.deadline.end()
	_ = d.body.Close() // the call is over either way
}

// finish reads the few bytes that may follow a complete answer, so that the connection can be used again and the upstream
// does not see a cancellation.
func (d *upstreamAnswer) finish() {
	d.deadline.timer.Reset(drainTimeout)
	_, _ = io.CopyN(io.Discard, d.body, drainBytes)
}

// dial is the handler that calls the upstream: one route after another, and around again, as often as retries allow.
func (g *Gateway) dial(ctx context.Context, c *Call) error {
	var failed error
	for attempt := range apply(c, c.hooks.Attempts, g.options.Retries+1) {
		c.upstream, failed = g.dialRoute(ctx, c, c.routes[attempt%len(c.routes)])
		untried := attempt+1 < len(c.routes)
		if failed == nil || ctx.Err() != nil || !worthRetrying(failed, untried) {
			break
		}
	}
	return failed
}

// worthRetrying reports whether another attempt may succeed. It does not after a timeout, which has used up the client's
// time. Some failures lie in the route, so that only an untried one can help.
func worthRetrying(err error, untried bool) bool {
	switch FailureOf(err).Code {
	case DoRequest, BadResponseStatus:
		return true
	case InvalidAPIType, ModelMapped, ConvertRequest, InvalidChannelKey, RateLimited:
		return untried
	default:
		return false
	}
}

func (g *Gateway) dialRoute(ctx context.Context, c *Call, route channelRoute) (*upstreamAnswer, error) {
	if !route.protocol.Valid() {
		return nil, Refuse(InvalidAPIType, nil)
	}
	name, err := route.upstreamName(c.asked.Model)
	if err != nil {
		return nil, Refuse(ModelMapped, err)
	}
	outbound, err := convert.Encode(route.protocol, c.asked, name)
	if errors.Is(err, convert.ErrUnconvertible) && c.Surface == dialect.CountTokens {
		// Clients take a 404 as "not supported here", and count by themselves.
		return nil, Refuse(InvalidRequest, err).with(http.StatusNotFound, "Tokens cannot be counted for this model.")
	}
	if errors.Is(err, convert.ErrUnconvertible) {
		return nil, Refuse(ConvertRequest, err).with(http.StatusBadRequest, sentence(err))
	}
	if err != nil {
		return nil, Refuse(MarshalJSON, err)
	}
	return g.send(ctx, c, route, outbound)
}

// send makes the request and reads the head of the answer. It fails for every status but 2xx.
func (g *Gateway) send(ctx context.Context, c *Call, route channelRoute, outbound convert.Outbound) (_ *upstreamAnswer, err error) {
	p := newDeadline(ctx, apply(c, c.hooks.Timeout, g.options.Timeout))
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	address := strings.TrimSuffix(route.address, "/") + outbound.Path
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, address, bytes.NewReader(outbound.Body))
	if err != nil {
		return nil, Refuse(DoRequest, err)
	}
	maps.Copy(request.Header, outbound.Header)
	request.Header.Set("User-Agent", "gatecert-reference")
	for _, name := range []string{"Traceparent", "Tracestate"} {
		if value := c.Request.Header.Get(name); value != "" {
			request.Header.Set(name, value) // it has no spans of its own
		}
	}
	request.Header.Set(route.protocol.Credential(route.secret))

	response, err := g.client.Do(request)
	if err != nil {
		return nil, p.explain(Refuse(DoRequest, err))
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return &upstreamAnswer{route: route, mediaType: response.Header.Get("Content-Type"), body: response.Body, deadline: p}, nil
	}
	defer response.Body.Close()
	// An error whose body is late, broken or endless is still that error: what was read of it counts.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	return nil, p.explain(upstreamFailure(route.protocol, response, body))
}

// UpstreamError is the cause of a failure if the upstream responded with a status other than 2xx.
type UpstreamError struct {
	Status  int
	Refusal convert.Refusal
	// Compressed means that the upstream's error was compressed.
	Compressed bool
}

func (e *UpstreamError) Error() string {
	return fmt.Sprintf("the upstream answered %d %s", e.Status, e.Refusal.Code)
}

// upstreamFailure translates an upstream's error. Its message is not passed on: it may hold what must stay inside.
func upstreamFailure(protocol dialect.Dialect, response *http.Response, body []byte) *Failure {
	refusal, usable := convert.DecodeRefusal(protocol, response.StatusCode, body)
	cause := &UpstreamError{Status: response.StatusCode, Refusal: refusal, Compressed: response.Uncompressed}
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, refusal.Code == "API_KEY_INVALID":
		return Refuse(InvalidChannelKey, cause)
	case !usable:
		return Refuse(BadResponseStatus, cause)
	case refusal.Blocked:
		return Refuse(PromptBlocked, cause)
	case status == http.StatusTooManyRequests:
		return Refuse(RateLimited, cause).with(status, "The upstream's rate limit was exceeded.").
			WithHeader("Retry-After", retryAfter(response.Header.Get("Retry-After"), time.Now()))
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge,
		status == http.StatusUnsupportedMediaType, status == http.StatusUnprocessableEntity,
		status == http.StatusNotFound && !aboutModel(refusal):
		return Refuse(InvalidRequest, cause).with(http.StatusBadRequest, "The upstream does not accept the request's parameters.")
	default:
		return Refuse(BadResponseStatus, cause)
	}
}

// aboutModel reports whether an upstream's 404 is about the model. That is a mistake of the channel's mapping, and no
// client's: this gateway knows the models that it offers.
func aboutModel(r convert.Refusal) bool {
	return strings.Contains(strings.ToLower(r.Code), "model") || strings.Contains(strings.ToLower(r.Message), "model")
}

// retryAfter returns an upstream's Retry-After (RFC 9110 10.2.3) in whole seconds.
func retryAfter(value string, now time.Time) string {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return strconv.FormatUint(seconds, 10)
	}
	if at, err := http.ParseTime(value); err == nil {
		return wholeSeconds(at.Sub(now))
	}
	return defaultRetryAfter
}

// sentence makes a sentence of an error whose text may be shown to clients.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
