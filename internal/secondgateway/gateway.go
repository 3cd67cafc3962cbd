// Package secondgateway is a small LLM gateway that conforms to the error contract and differs in style from the reference gateway. It was written
// only from CONTRACT.md and shares no code with the reference gateway or with gatecert, so that it reveals mistakes that these two have in common.
// Only tests use it; they certify it.
//
//	gateway.go   the path of a call through the gateway, and the hooks with which a test breaks it
//	request.go   paths, and request bodies of the six endpoints
//	ask.go       a request whatever its API format, and its form at the upstream
//	store.go     the folder that holds keys, models and channels, and the ledger; the rate limit
//	upstream.go  the call to the upstream: request, attempts, time limit
//	reply.go     what the upstream answered: a reply, or a failure
//	failure.go   failures: code and status, and the error object of each API format
//	success.go   successful answers, whole and as events
//	answer.go    how an answer goes over the wire
//	fixtures.go  a folder with everything that the contract is about
package secondgateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Options configure a [Gateway]. Dir is required.
type Options struct {
	// Dir is the folder of the store: accounts.json and ledger.log.
	Dir string
	// Prefix is the path before all others: "/llm".
	Prefix string
	// Timeout is how long the gateway waits for the upstream to begin its response and to continue it. 0 means 30 s.
	Timeout time.Duration
	// BodyLimit is the largest request body in bytes. 0 means 1 MiB.
	BodyLimit int64
	// Attempts is how often a call is sent to an upstream that does not respond. 0 means 2.
	Attempts int
	// ErrorsInStream reports a failure after the first piece of a stream as an event of the stream. Without it, the gateway sends a stream only when
	// the stream is complete, so that a failure is an ordinary error.
	ErrorsInStream bool
	// BeginsEarly begins every stream with a comment as soon as the gateway has called the upstream. Every later failure is then reported in the
	// stream.
	BeginsEarly bool
	// Hooks change what the gateway does.
	Hooks Hooks
}

// Hooks are the points at which a test can break the gateway in one way. The zero value changes nothing.
type Hooks struct {
	// Failure may change a failure (its status, code, message) before it becomes an error of the caller's API format.
	Failure func(r *http.Request, f *Failure)
	// Answer may change any part of a response before it is sent.
	Answer func(r *http.Request, a *Answer)
	// Skip names the checks that are skipped: "key", "revoked", "network", "rate", "body", "parameters", "model", "access", "words", "channel",
	// "channel-type", "channel-key", "mapping", "price", "count", "convert", "quota", "budget", "empty", "unfinished".
	Skip map[string]bool
	// BillFailures does not refund the reserved quota of a failed call.
	BillFailures bool
	// KeepUpstreamCalls does not cancel the call to an upstream that is too slow or whose caller has disconnected.
	KeepUpstreamCalls bool
	// FollowRedirects follows the upstream's redirects and sends the key along.
	FollowRedirects bool
	// Transport may wrap the transport to the upstream.
	Transport func(next http.RoundTripper) http.RoundTripper
}

// Gateway is an [http.Handler]. It is safe for concurrent use.
type Gateway struct {
	Options
	store  *store
	client *http.Client
}

// New returns a gateway with the store in an existing folder. It returns an error if the ledger cannot be read.
func New(o Options) (*Gateway, error) {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.BodyLimit <= 0 {
		o.BodyLimit = 1 << 20
	}
	if o.Attempts <= 0 {
		o.Attempts = 2
	}
	s, err := openStore(o.Dir)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if !o.Hooks.FollowRedirects {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	if o.Hooks.Transport != nil {
		client.Transport = o.Hooks.Transport(client.Transport)
	}
	return &Gateway{Options: o, store: s, client: client}, nil
}

// skips reports whether a check is left out.
func (g *Gateway) skips(check string) bool { return g.Hooks.Skip[check] }

// ServeHTTP handles a call to any endpoint.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := routeOf(strings.TrimPrefix(r.URL.Path, g.Prefix))
	if r.Method == http.MethodGet && to.kind == balance {
		g.serveBalance(w, r)
		return
	}
	answer, failure := g.answer(r, to)
	if answer == nil {
		answer = g.changed(r, failure).answer(to.format)
	}
	if g.Hooks.Answer != nil {
		g.Hooks.Answer(r, answer)
	}
	// Closing a connection with unread bytes would reset it, and the caller would never see the answer.
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 4*g.BodyLimit))
	answer.send(w, to.format)
}

// changed lets the hook change a failure before it becomes an error of the caller's API format.
func (g *Gateway) changed(r *http.Request, f *Failure) *Failure {
	if g.Hooks.Failure != nil {
		g.Hooks.Failure(r, f)
	}
	return f
}

// answer takes a call through the gateway: first what the caller alone decides, then what the gateway's own data decides,
// then the upstream. It returns both an answer and a failure where the failure stands in a stream that has begun.
func (g *Gateway) answer(r *http.Request, to route) (*Answer, *Failure) {
	if failure := to.check(r.Method); failure != nil {
		return nil, failure
	}
	accounts, err := g.store.read()
	if err != nil {
		return nil, fail(503, "query_data_error", "The gateway cannot look up accounts at the moment.")
	}
	key, failure := g.authenticate(r, to, accounts)
	if failure != nil {
		return nil, failure
	}
	ask, failure := g.readAsk(r, to)
	if failure != nil {
		return nil, failure
	}
	channel, price, failure := g.choose(accounts, key, &ask)
	if failure != nil {
		return nil, failure
	}
	booked, failure := g.reserve(accounts, key, ask)
	if failure != nil {
		return nil, failure
	}
	reply, failure := g.ask(r.Context(), channel, ask)
	answer, failure := g.present(r, to, ask, price, reply, failure)
	if failure == nil || g.Hooks.BillFailures {
		g.store.settle(booked, reply.tokens+ask.promptTokens())
	} else {
		g.store.settle(booked, 0)
	}
	return answer, failure
}

// authenticate finds the caller's key and checks whether it may be used at all, from here, and now.
func (g *Gateway) authenticate(r *http.Request, to route, accounts accounts) (*apiKey, *Failure) {
	presented := to.credential(r)
	key := accounts.Keys[presented]
	switch {
	case presented == "":
		return nil, fail(401, "access_denied", "The request contains no API key. Send one in "+to.credentialField()+".")
	case key == nil && !g.skips("key"):
		return nil, fail(401, "access_denied", "The API key "+masked(presented)+" was never issued. Compare it with the one on your keys page.")
	case key == nil:
		key = &apiKey{Owner: "alice", Models: []string{"*"}}
	}
	key.secret = presented
	if key.Revoked && !g.skips("revoked") {
		return nil, fail(403, "access_denied", "The API key "+masked(presented)+" was revoked on 2026-01-31. Create another one.")
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !key.mayComeFrom(host) && !g.skips("network") {
		return nil, fail(403, "access_denied", "This API key may not be used from "+host+". Its owner has restricted it to certain networks.")
	}
	if key.Rate != nil && !g.skips("rate") {
		if wait := g.store.admit(presented, *key.Rate); wait > 0 {
			failure := fail(429, "", "That was one request too many for this API key. Slow down.")
			failure.RetryAfter = seconds(wait)
			return nil, failure
		}
	}
	return key, nil
}

// masked shows the end of a key only.
func masked(key string) string { return "…" + key[max(len(key)-4, 0):] }

// choose finds the channel that serves the asked model, and the model's price. It changes the model to what the channel's
// upstream calls it.
func (g *Gateway) choose(accounts accounts, key *apiKey, a *ask) (channel channel, price float64, _ *Failure) {
	model, known := accounts.Models[a.model]
	if !known && !g.skips("model") {
		return channel, 0, fail(404, "model_not_found", "The model “"+a.model+"” does not exist. Choose one of the models in your plan.")
	}
	if !key.mayUse(a.model) && !g.skips("access") {
		return channel, 0, fail(403, "access_denied", "The model “"+a.model+"” is outside the plan of this API key.")
	}
	if word := accounts.wordIn(a.texts()); word && !g.skips("words") {
		return channel, 0, fail(400, "sensitive_words_detected", "The input contains a word that is not accepted here. Change the input and send it again.")
	}
	channel, found := accounts.Channels[model.Channel]
	if !found && !g.skips("channel") {
		failure := fail(503, "get_channel_failed", "No channel serves this model at the moment. Try again later.")
		failure.RetryAfter = time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
		return channel, 0, failure
	}
	if channel.Type != openAI && channel.Type != anthropic && !g.skips("channel-type") {
		return channel, 0, fail(400, "invalid_api_type", "This model is served in an API format that the gateway does not speak.")
	}
	if channel.key() == "" && !g.skips("channel-key") {
		return channel, 0, fail(503, "channel:no_available_key", "Every key of the channel behind this model is switched off.")
	}
	upstreamName, failure := channel.mapped(a.model)
	if failure != nil && !g.skips("mapping") {
		return channel, 0, failure
	}
	if model.Price <= 0 && !g.skips("price") {
		return channel, 0, fail(500, "model_price_error", "Nobody has set a price for this model. Contact the gateway's operator.")
	}
	if failure := a.countable(); failure != nil && !g.skips("count") {
		return channel, 0, failure
	}
	if failure := a.expressible(channel.Type); failure != nil && !g.skips("convert") {
		return channel, 0, failure
	}
	a.model, a.askedFor = upstreamName, a.model
	return channel, model.Price, nil
}

// reserve books what the call may cost, so that many calls at once cannot spend more than there is.
func (g *Gateway) reserve(accounts accounts, key *apiKey, a ask) (reservation, *Failure) {
	r := reservation{owner: key.Owner, key: key.secret, tokens: a.promptTokens() + a.maxTokens}
	quota, budget := accounts.Owners[key.Owner].Quota, key.Budget
	if g.skips("quota") {
		quota = 1 << 40
	}
	if g.skips("budget") {
		budget = 0
	}
	switch err := g.store.reserve(r, quota, budget); {
	case errors.Is(err, errAccountSpent):
		return r, fail(403, "insufficient_user_quota", "The account has no quota left. Top up or check your plan.")
	case errors.Is(err, errKeySpent):
		return r, fail(403, "pre_consume_token_quota_failed", "The budget of this API key is too small for the request. Raise the budget and try again.")
	case err != nil:
		return r, fail(507, "update_data_error", "The gateway cannot record the request at the moment.")
	}
	return r, nil
}

// serveBalance tells the owner of a key what is left.
func (g *Gateway) serveBalance(w http.ResponseWriter, r *http.Request) {
	accounts, err := g.store.read()
	key := accounts.Keys[route{format: openAI}.credential(r)]
	if err != nil || key == nil {
		http.Error(w, "no such account", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"account":{"left":`+itoa(accounts.Owners[key.Owner].Quota-g.store.spentBy(key.Owner))+`}}`)
}
