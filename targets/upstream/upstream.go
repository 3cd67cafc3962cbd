package upstream

import (
	"cmp"
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
	"github.com/gatecert/gatecert/internal/bounded"
	"github.com/gatecert/gatecert/internal/wait"
)

// Options configure an [Upstream]. The zero value is ready to use.
type Options struct {
	// Keys are the accepted upstream keys. If the list is empty, any key is accepted, but requests must contain a key.
	Keys []string
	// Tokens is how many tokens are recorded before the oldest is dropped. 0 means 100,000.
	Tokens int
	// BodyLimit is the maximum size of a request's body in bytes, before and after decompression. 0 means 32 MiB.
	BodyLimit int64
	// ControlToken is the bearer token that requests to /_gatecert/ must contain. If it is "", no token is needed, but a server that other machines
	// can reach refuses all of these requests.
	ControlToken string
	// Model is the model that every healthy response imitates unless a directive changes the response. The zero value responds at once.
	Model Model
	// OnArrival, if not nil, is called for every attempt before the upstream responds to it. It must be safe for concurrent use. The gateway waits
	// until it returns.
	OnArrival func(a contract.Attempt)
}

// Upstream is the mock upstream. It is an [http.Handler] and safe for concurrent use.
type Upstream struct {
	keys      []string
	bodyLimit int64
	onArrival func(contract.Attempt)
	model     Model
	played    playedLog
	started   time.Time
	attempts  *attemptLog
	answers   atomic.Int64
	open      atomic.Int64
	control   http.Handler
	// controlToken is that of the options; exposed is set where others than this machine reach the server.
	controlToken string
	exposed      atomic.Bool
	// bodies bounds the bodies of all requests together, bodyTimeout the time in which one must arrive.
	bodies      bounded.Bytes
	bodyTimeout time.Duration
}

const (
	// bodyTimeout is generous: a gateway sends what it has received already.
	bodyTimeout = 30 * time.Second
	// maxBodies bounds the bodies that are held at once, in bytes.
	maxBodies = 256 << 20
)

// errClosing is the cause of a request's context that ends because the server closes, not because the client left.
var errClosing = errors.New("the mock upstream is closing")

// missingModel is the prefix of models that do not exist. All others do.
const missingModel = "no-such-"

// maxRecorded bounds the path and the model of a recorded attempt in bytes.
const maxRecorded = 256

// New returns an upstream that has no attempts yet.
func New(o Options) *Upstream {
	if o.Tokens <= 0 {
		o.Tokens = 100_000
	}
	if o.BodyLimit <= 0 {
		o.BodyLimit = 32 << 20
	}
	u := &Upstream{
		keys: slices.Clone(o.Keys), bodyLimit: o.BodyLimit, onArrival: o.OnArrival, started: time.Now(), attempts: newAttemptLog(o.Tokens),
		controlToken: o.ControlToken, bodyTimeout: bodyTimeout, model: o.Model,
	}
	u.bodies.Max = max(maxBodies, 2*o.BodyLimit)
	u.control = u.newControl()
	return u
}

// Seen returns the attempts with a token in order of arrival. For an unknown token, it returns an empty list. Seen waits until every attempt has
// ended or ctx is done; attempts that have not ended by then are marked Open. The error is always nil. It exists so that Upstream and [Remote], which
// does the same from another process, implement the same interface.
func (u *Upstream) Seen(ctx context.Context, token string) (contract.Seen, error) {
	return u.attempts.await(ctx, token), nil
}

// OpenAttempts returns the number of attempts that have not ended, with and without a token. As with [Upstream.Seen], the error is always nil.
func (u *Upstream) OpenAttempts(context.Context) (int, error) {
	_, _, open := u.attempts.counts()
	return open, nil
}

// Connections returns the number of open connections, if the server calls [Upstream.ConnState].
func (u *Upstream) Connections() int { return int(u.open.Load()) }

// ConnState counts connections. Set it as [http.Server.ConnState]; [Listen] does so.
func (u *Upstream) ConnState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		u.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		u.open.Add(-1)
	case http.StateActive, http.StateIdle: // still open
	}
}

// Fingerprint returns the form of a key that [contract.Attempt] contains: the first 8 hexadecimal digits of its SHA-256, or "" if there is no key.
func Fingerprint(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:4])
}

// ServeHTTP responds to requests to the API. Under /_gatecert/, it serves the record of attempts.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		u.serveControl(w, r)
		return
	}
	arrived := time.Now()
	held := u.bodies.Hold()
	defer held.Release()
	// httptest's writer has no deadlines.
	_ = http.NewResponseController(w).SetReadDeadline(arrived.Add(u.bodyTimeout))
	in := readIncoming(w, r, u.bodyLimit, held)
	if !in.body.incomplete {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	attempt := u.newAttempt(in, arrived)
	a := u.attempts.begin(cmp.Or(in.directive.Token, in.elsewhere), attempt, arrived)
	how := interrupted
	defer func() {
		// A server that closes is not a gateway that cancels.
		a.end(how == interrupted && !errors.Is(context.Cause(r.Context()), errClosing))
	}()
	if u.onArrival != nil {
		u.onArrival(attempt)
	}
	if !in.body.incomplete {
		how = u.answer(sender{w, a.answered}, in, arrived)
	}
	if how != complete {
		panic(http.ErrAbortHandler) //nolint:forbidigo // the documented way to close the connection without a log line
	}
}

func (u *Upstream) newAttempt(in incoming, arrived time.Time) contract.Attempt {
	return contract.Attempt{
		At:         arrived.Sub(u.started),
		Arrived:    arrived.Round(0).UTC(),
		Protocol:   string(in.route.Dialect()),
		Path:       truncated(in.http.URL.Path),
		Model:      truncated(in.route.ModelOf(in.body.doc)),
		Stream:     in.route.Streams(in.body.doc),
		Credential: Fingerprint(in.key),
		Redirected: in.redirected, TraceParent: traceParent(in.http.Header),
	}
}

// traceParent is the field of a request, "" for none and for an invalid one.
func traceParent(header http.Header) string {
	values := header.Values("Traceparent")
	if len(values) != 1 {
		return ""
	}
	if _, ok := contract.ParseTraceParent(values[0]); !ok {
		return ""
	}
	return values[0]
}

// answer decides how a request is answered, and sends that. The request is validated before its directive is followed: what a
// real API refuses is refused.
func (u *Upstream) answer(s sender, in incoming, arrived time.Time) outcome {
	ctx, d := in.http.Context(), in.directive
	if in.redirected {
		// The other host has no answer: with one, a gateway that follows without its key could not tell an error.
		return s.send(ctx, newResponse(errorReply(in.route, dialect.Problem{Status: http.StatusInternalServerError}), Directive{}))
	}
	if problem := u.validate(in); problem != nil {
		return s.send(ctx, newResponse(errorReply(in.route, *problem), Directive{}))
	}
	rep, err := reply{}, in.directiveErr
	d.Gzip = d.Gzip && !excludesGzip(in.http)
	var model Model
	if err == nil {
		model, err = u.modelFor(in.route.Operation, d)
	}
	switch {
	case err != nil:
	case !model.IsZero():
		return u.play(ctx, s, in.route.Operation, newPlaying(model, u.newAnswer(in), arrived))
	case d.Content == Redirect:
		rep = redirectReply(in.http, d.Token)
	default:
		rep, err = replyTo(in.route.Operation, u.newAnswer(in), d)
	}
	if err != nil {
		problem := dialect.Problem{Status: statusRefused, Message: fmt.Sprintf("gatecert mock upstream: %v", err)}
		return s.send(ctx, newResponse(errorReply(in.route, problem), Directive{}))
	}
	if wait.For(ctx, d.Delay) != nil {
		return interrupted
	}
	if d.Ending.noResponse() {
		return s.sendNothing(ctx, d.Ending)
	}
	return s.send(ctx, newResponse(rep, d))
}

// validate returns the problem that a real API would see in the request, nil for none.
func (u *Upstream) validate(in incoming) *dialect.Problem {
	to, doc := in.route, in.body.doc
	if to.Problem != nil {
		return to.Problem
	}
	if in.key == "" || len(u.keys) > 0 && !slices.Contains(u.keys, in.key) {
		bad := to.BadKey()
		return &bad
	}
	if in.body.problem != nil {
		return in.body.problem
	}
	if p := to.Operation.Check(doc); p != nil {
		return p
	}
	if strings.HasPrefix(to.ModelOf(doc), missingModel) {
		missing := to.NoModel(truncated(to.ModelOf(doc)))
		return &missing
	}
	return nil
}

func (u *Upstream) newAnswer(in incoming) dialect.Answer {
	return dialect.Answer{
		Request: in.body.doc,
		Model:   in.route.ModelOf(in.body.doc),
		ID:      fmt.Sprintf("gc%016x", u.answers.Add(1)),
		Created: time.Now().Unix(),
		End:     dialect.End{PromptTokens: dialect.CountWords(in.route.Operation.Texts(in.body.doc))},
	}
}

func truncated(s string) string {
	if len(s) <= maxRecorded {
		return s
	}
	return strings.ToValidUTF8(s[:maxRecorded], "")
}
