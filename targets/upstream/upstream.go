package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Options shape an [Upstream]. The zero value is ready to use.
type Options struct {
	// Keys are the upstream keys that are accepted. Empty means any, but a key there must be.
	Keys []string
	// Tokens is how many tokens are remembered before the oldest is forgotten. 0 means 100,000.
	Tokens int
	// BodyLimit bounds a request's body in bytes, before and after decompression. 0 means 32 MiB.
	BodyLimit int64
	// Arrived, when not nil, is told of every attempt before it is answered, from many goroutines at once: while it takes
	// its time, the gateway waits.
	Arrived func(a contract.Attempt)
}

// Upstream plays the provider behind a gateway. It is an [http.Handler] and safe for concurrent use.
type Upstream struct {
	keys      []string
	bodyLimit int64
	arrived   func(contract.Attempt)
	started   time.Time
	ledger    *ledger
	answers   atomic.Int64
	open      atomic.Int64
	control   http.Handler
}

// errClosing is the cause of a request's context that ends because the server closes, not because the client left.
var errClosing = errors.New("the upstream closes")

// missingModel begins the names of the models that do not exist. All others do.
const missingModel = "no-such-"

// maxRecorded bounds the path and the model of a recorded attempt in bytes.
const maxRecorded = 256

// New returns an upstream that has seen nothing yet.
func New(o Options) *Upstream {
	if o.Tokens <= 0 {
		o.Tokens = 100_000
	}
	if o.BodyLimit <= 0 {
		o.BodyLimit = 32 << 20
	}
	u := &Upstream{keys: slices.Clone(o.Keys), bodyLimit: o.BodyLimit, arrived: o.Arrived, started: time.Now(), ledger: newLedger(o.Tokens)}
	u.control = u.newControl()
	return u
}

// Seen returns what arrived under the token, in order of arrival: an empty list for an unknown one. It waits until
// every attempt has ended, at most until ctx is done; what goes on then is marked Open. The error is always nil; it
// is there for the sake of [Remote], which does the same from another process.
func (u *Upstream) Seen(ctx context.Context, token string) (contract.Seen, error) {
	return u.ledger.seen(ctx, token), nil
}

// UnderWay returns the number of attempts that have not ended, with and without a token. The error is always nil, as that
// of [Upstream.Seen].
func (u *Upstream) UnderWay(context.Context) (int, error) {
	return u.ledger.going(), nil
}

// Connections returns the number of open connections, provided that the server calls [Upstream.ConnState].
func (u *Upstream) Connections() int { return int(u.open.Load()) }

// ConnState counts connections. It is meant for [http.Server.ConnState]; [Listen] sets it.
func (u *Upstream) ConnState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		u.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		u.open.Add(-1)
	case http.StateActive, http.StateIdle: // it is still open
	}
}

// Fingerprint is how [contract.Attempt] shows a key: the first 8 hex digits of its SHA-256, "" for no key.
func Fingerprint(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:4])
}

// ServeHTTP plays the provider, and answers under /_gatecert/ what was seen.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		u.control.ServeHTTP(w, r)
		return
	}
	arrived := time.Now()
	to := dialect.FindRoute(r.Method, r.URL.Path, presented(r))
	q := readRequest(w, r, u.bodyLimit)
	d, refusedDirective := q.directive(to.Operation)
	attempt := u.newAttempt(r, to, q, arrived)
	a := u.ledger.begin(d.Token, attempt, arrived)
	how := abandoned
	defer func() {
		// A server that closes is not a gateway that left.
		a.end(how == abandoned && !errors.Is(context.Cause(r.Context()), errClosing))
	}()
	if u.arrived != nil {
		u.arrived(attempt)
	}
	if !q.cut {
		how = u.answer(player{w, a.answered}, r, to, q, d, refusedDirective)
	}
	if how != finished {
		panic(http.ErrAbortHandler) //nolint:forbidigo // the documented way to break off an answer without the server logging a word
	}
}

func (u *Upstream) newAttempt(r *http.Request, to dialect.Route, q request, arrived time.Time) contract.Attempt {
	return contract.Attempt{
		At:         arrived.Sub(u.started),
		Protocol:   string(to.Dialect()),
		Path:       bounded(r.URL.Path),
		Model:      bounded(to.ModelOf(q.doc)),
		Stream:     to.Streams(q.doc),
		Credential: Fingerprint(to.Credential(presented(r))),
	}
}

// Body decides what the request gets and sends it. The request is judged before the directive is obeyed: what a
// real provider refuses is refused.
func (u *Upstream) answer(p player, r *http.Request, to dialect.Route, q request, d Directive, refused error) exit {
	ctx := r.Context()
	if objection := u.judge(r, to, q); objection != nil {
		return p.play(ctx, newScript(errorReply(to, *objection), Directive{}))
	}
	rep, err := reply{}, refused
	if err == nil {
		rep, err = answerTo(to.Operation, u.newCall(to, q), d)
	}
	if err != nil {
		objection := dialect.Problem{Status: statusRefused, Message: fmt.Sprintf("gatecert upstream: %v", err)}
		return p.play(ctx, newScript(errorReply(to, objection), Directive{}))
	}
	if !pause(ctx, d.Delay) {
		return abandoned
	}
	switch d.Ending {
	case Hang, Reset, Close:
		return p.unanswered(ctx, d.Ending)
	default:
		return p.play(ctx, newScript(rep, d))
	}
}

// judge finds what a real provider would object to.
func (u *Upstream) judge(r *http.Request, to dialect.Route, q request) *dialect.Problem {
	if to.Problem != nil {
		return to.Problem
	}
	if key := to.Credential(presented(r)); key == "" || len(u.keys) > 0 && !slices.Contains(u.keys, key) {
		bad := to.BadKey()
		return &bad
	}
	if q.problem != nil {
		return q.problem
	}
	if p := to.Operation.Check(q.doc); p != nil {
		return p
	}
	if strings.HasPrefix(to.ModelOf(q.doc), missingModel) {
		missing := to.NoModel(bounded(to.ModelOf(q.doc)))
		return &missing
	}
	return nil
}

func (u *Upstream) newCall(to dialect.Route, q request) dialect.Answer {
	return dialect.Answer{
		Request:      q.doc,
		Model:        to.ModelOf(q.doc),
		ID:           fmt.Sprintf("gc%016x", u.answers.Add(1)),
		Created:      time.Now().Unix(),
		PromptTokens: dialect.CountWords(to.Operation.Texts(q.doc)),
	}
}

func presented(r *http.Request) dialect.Presented {
	return dialect.Presented{Header: r.Header.Get, Query: r.URL.Query().Get}
}

func bounded(s string) string {
	if len(s) <= maxRecorded {
		return s
	}
	return strings.ToValidUTF8(s[:maxRecorded], "")
}
