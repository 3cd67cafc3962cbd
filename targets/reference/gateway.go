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
)

// Gateway is the reference gateway, an [http.Handler]. It is made by [New] and must be closed.
//
// It bounds bodies, waiting and writing itself. Timeouts for request heads and idle connections are the server's.
type Gateway struct {
	options   Options
	fixtures  Fixtures
	store     *store
	ledger    *ledger
	limiter   *limiter
	tokenizer *tokenizer
	client    *http.Client
	bends     bends
	// bodyPatience bounds the time in which a request body must arrive; tests have less of it.
	bodyPatience time.Duration

	// The stages of each kind of route.
	relay, listing, balance, health []stage

	// running ends when the gateway is closed.
	running context.Context //nolint:containedctx // it is the gateway's life, that of no call
	stop    context.CancelFunc
	// calls is held for reading by every call under way; Close waits for them by taking it for writing.
	calls  sync.RWMutex
	closed bool
}

var _ http.Handler = (*Gateway)(nil)

// errPanic is returned when a stage panicked.
var errPanic = errors.New("panic")

// New creates a gateway with a fresh, seeded store. The context governs the creation alone.
//
// The error wraps [ErrOptions], [ErrStoreExists], or says what the store's file met with.
func New(ctx context.Context, options Options) (*Gateway, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	bends, err := bendsOf(options.Bends)
	if err != nil {
		return nil, err
	}
	options = bends.setUp(options)
	counter, err := newTokenizer()
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, options.StorePath)
	if err != nil {
		return nil, err
	}
	fixtures := newFixtures()
	if err := seed(ctx, s, fixtures, options); err != nil {
		return nil, errors.Join(err, s.close())
	}
	g := &Gateway{
		options:   options,
		fixtures:  fixtures,
		store:     s,
		ledger:    &ledger{store: s, logger: options.Logger},
		limiter:   newLimiter(time.Now),
		tokenizer: counter,
		client:    newProviderClient(),
		bends:     bends,

		bodyPatience: bodyPatience,
	}
	g.client.Transport = g.bends.reach(g, g.client.Transport)
	g.relay = g.bends.arrange(g, g.relayStages())
	g.listing = append(g.entrance(), stage{"list", g.list})
	g.balance = append(g.entrance(), stage{"balance", g.showBalance})
	g.health = []stage{{"health", g.showHealth}}
	g.running, g.stop = context.WithCancel(context.Background())
	return g, nil
}

// Fixtures tells the seeded keys, models and words.
func (g *Gateway) Fixtures() Fixtures { return g.fixtures }

// StorePath is the SQLite file, for those who want to make it fail. Its tables are described in schema.sql.
func (g *Gateway) StorePath() string { return g.store.path }

// Close ends the calls under way, waits for them, and closes the store, removing it when it is temporary. Later calls
// are answered with an error. Close may be called again; it does nothing then.
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
	c := &call{
		id: newSecret(requestIDPrefix), request: r, reply: newReply(w), surface: found.surface, pathModel: found.model, bends: &g.bends,
	}
	defer c.reply.end()
	w.Header().Set("X-Request-Id", c.id)
	if g.closed {
		found.stages = []stage{{"closed", func(context.Context, *call) error { return refuse(getChannel, nil) }}}
	}
	at, err := run(ctx, c, found.stages)
	if c.dialled != nil {
		c.dialled.close()
	}
	if err != nil {
		c.failed = failureOf(err)
		c.failed.stage = at
		g.bends.take(c, c.failed)
	}
	// The caller is told last: whoever was told of a failure and looks at the balance finds it refunded.
	g.refund(ctx, c)
	if err == nil {
		return
	}
	f := c.failed
	g.options.Logger.LogAttrs(ctx, slog.LevelInfo, "call failed", slog.String("request_id", c.id),
		slog.String("stage", at), slog.Int("status", f.status), slog.String("code", string(f.code)), slog.Any("cause", err))
	if errors.Is(err, errLeft) {
		return
	}
	// A context that is done does not prove that nobody listens: a caller who closed its sending side still does.
	if err := c.fail(ctx, f); err != nil {
		g.options.Logger.LogAttrs(ctx, slog.LevelInfo, "failure not told", slog.String("request_id", c.id), slog.Any("cause", err))
	}
}

// run takes a call through the stages, and returns the name of the one that failed. A panic is an error of its stage.
func run(ctx context.Context, c *call, stages []stage) (at string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
		}
	}()
	for _, s := range stages {
		at = s.name
		if err := s.run(ctx, c); err != nil {
			return at, err
		}
	}
	return "", nil
}
