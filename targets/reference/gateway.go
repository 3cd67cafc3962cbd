package reference

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gatecert/gatecert/internal/bounded"
)

// Gateway is the reference gateway, an [http.Handler]. [New] creates it, and it must be closed.
//
// The gateway itself limits the size of bodies, waiting times and writing times. Timeouts for request headers and idle connections belong to the
// server.
type Gateway struct {
	options   Options
	fixtures  Fixtures
	store     *store
	quota     *quotaLedger
	limiter   *limiter
	tokens    []*tokenLog
	slots     slots
	tokenizer *tokenizer
	client    *http.Client
	// bodyTimeout bounds the time in which a request body must arrive; tests shorten it.
	bodyTimeout time.Duration
	// bodies bounds the request bodies of all open calls together.
	bodies bounded.Bytes

	// The handlers of each kind of path.
	model, listing, showing, balance, health []namedHandler

	// running ends when the gateway is closed.
	running context.Context //nolint:containedctx // the gateway's lifetime, not that of a call
	stop    context.CancelFunc
	// calls is locked for reading by every open call. Close locks it for writing, and so waits for them.
	calls  sync.RWMutex
	closed bool
}

var _ http.Handler = (*Gateway)(nil)

// errPanic is returned when a handler panicked.
var errPanic = errors.New("panic")

// New creates a gateway with a new, seeded store. The context applies only to the creation.
//
// New returns [ErrOptions], [ErrStoreExists], or another error of creating the store.
func New(ctx context.Context, options Options) (_ *Gateway, err error) {
	options, err = options.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		options: options, fixtures: newFixtures(), limiter: newLimiter(time.Now), tokens: newTokenLogs(time.Now, options), tokenizer: newTokenizer(),
		client: newUpstreamClient(), bodyTimeout: bodyTimeout, bodies: bounded.Bytes{Max: max(maxBodies, 2*options.BodyLimit)},
	}
	if g.model, err = options.Hooks.arrange(g.modelHandlers()); err != nil {
		return nil, err
	}
	g.listing = options.Hooks.wrap(append(g.entrance(), namedHandler{Limit, g.limit}, namedHandler{"list", g.list}))
	g.showing = options.Hooks.wrap(append(g.entrance(), []namedHandler{{Limit, g.limit}, {Decode, nameModel}, {Authorize, g.authorize}, {"show", show}}...))
	g.balance = append(g.entrance(), namedHandler{"balance", g.showBalance})
	g.health = []namedHandler{{"health", func(ctx context.Context, c *Call) error { return c.answerJSON(ctx, map[string]string{"status": "ok"}) }}}
	if g.store, err = openStore(ctx, options.StorePath); err != nil {
		return nil, err
	}
	if err := seed(ctx, g.store, g.fixtures, options); err != nil {
		return nil, errors.Join(err, g.store.close())
	}
	g.quota = &quotaLedger{store: g.store, logger: options.Logger}
	g.running, g.stop = context.WithCancel(context.Background())
	for _, hook := range options.Hooks.Transport {
		g.client.Transport = hook(g.running, g.client.Transport)
	}
	return g, nil
}

// Fixtures returns the seeded keys, models and words.
func (g *Gateway) Fixtures() Fixtures { return g.fixtures }

// StorePath returns the path of the SQLite file, which tests change to make the store fail. schema.sql describes its tables.
func (g *Gateway) StorePath() string { return g.store.path }

// Close ends the open calls, waits for them, and closes the store. A temporary store is removed. Later calls receive an error as their response.
// Calling Close again does nothing.
func (g *Gateway) Close() error {
	g.stop()
	g.calls.Lock()
	defer g.calls.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	g.client.CloseIdleConnections()
	return g.store.close()
}

// ServeHTTP implements [http.Handler].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.calls.RLock()
	defer g.calls.RUnlock()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.running, cancel)()

	found := g.route(r)
	c := &Call{
		id: newSecret(requestIDPrefix), Request: r, Reply: &Reply{writer: w, control: http.NewResponseController(w)}, Surface: found.surface, pathModel: found.model,
		hooks: &g.options.Hooks,
	}
	defer c.Reply.end()
	defer func() {
		if c.held != nil {
			c.held.Release()
		}
	}()
	w.Header().Set("X-Request-Id", c.id)
	if g.closed {
		found.handlers = []namedHandler{{"closed", func(context.Context, *Call) error { return Refuse(GetChannel, nil) }}}
	}
	failed, err := run(ctx, c, found.handlers)
	if c.upstream != nil {
		c.upstream.close()
	}
	if err != nil {
		c.Failure = FailureOf(err)
		c.Failure.Handler = failed
		for _, hook := range g.options.Hooks.Failure {
			hook(c, c.Failure)
		}
	}
	// The refund comes before the answer: a client that looks at its balance after a failure finds it refunded.
	g.refund(ctx, c)
	if err == nil {
		return
	}
	g.options.Logger.LogAttrs(ctx, slog.LevelInfo, "call failed", slog.String("request_id", c.id), slog.String("handler", string(failed)),
		slog.Int("status", c.Failure.Status), slog.String("code", string(c.Failure.Code)), slog.Any("cause", err))
	if errors.Is(err, ErrClientGone) {
		return
	}
	// A context that is done does not prove that nobody reads: a client that closed its sending side still does.
	if err := c.answerFailure(ctx); err != nil {
		g.options.Logger.LogAttrs(ctx, slog.LevelInfo, "failure not sent", slog.String("request_id", c.id), slog.Any("cause", err))
	}
}

// run takes a call through the handlers, and returns the name of the one that failed. A panic is an error of its
// handler.
func run(ctx context.Context, c *Call, handlers []namedHandler) (failed HandlerName, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
		}
	}()
	for _, h := range handlers {
		failed = h.name
		if err := h.run(ctx, c); err != nil {
			return failed, err
		}
	}
	return "", nil
}
