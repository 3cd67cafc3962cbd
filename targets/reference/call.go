package reference

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/bounded"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// Handler performs one step of a call. An error from it ends the call; [FailureOf] determines what the client receives.
type Handler func(context.Context, *Call) error

// HandlerName names a handler. Logs and failures contain the name of the handler that failed.
type HandlerName string

// The handlers of a call to a model, in order.
const (
	Authenticate HandlerName = "authenticate" // finds the key and its owner
	Admit        HandlerName = "admit"        // refuses keys that are revoked or are used from a forbidden address
	Limit        HandlerName = "limit"        // enforces the key's rate limit
	Read         HandlerName = "read"         // reads the body to its end
	Decode       HandlerName = "decode"       // decodes the body in the client's API format
	Authorize    HandlerName = "authorize"    // finds the model and checks that the key may use it
	Screen       HandlerName = "screen"       // refuses sensitive words
	Count        HandlerName = "count"        // counts the input's tokens
	Price        HandlerName = "price"        // computes the maximum cost of the call
	Reserve      HandlerName = "reserve"      // reserves that much quota
	Pick         HandlerName = "pick"         // finds the routes to the model
	Dial         HandlerName = "dial"         // calls the upstream
	Deliver      HandlerName = "deliver"      // passes the upstream's response on and charges for it
)

// Route is the handler that refuses unknown paths and methods.
const Route HandlerName = "route"

type namedHandler struct {
	name HandlerName
	run  Handler
}

// entrance are the handlers that every path under the API roots begins with.
func (g *Gateway) entrance() []namedHandler {
	return []namedHandler{{Authenticate, g.authenticate}, {Admit, g.admit}}
}

func (g *Gateway) modelHandlers() []namedHandler {
	return append(g.entrance(), []namedHandler{
		{Limit, g.limit}, {Read, g.read}, {Decode, g.decode}, {Authorize, g.authorize}, {Screen, g.screen}, {Count, g.count},
		{Price, g.price}, {Reserve, g.reserve}, {Pick, g.pick}, {Dial, g.dial}, {Deliver, g.deliver},
	}...)
}

const requestIDPrefix = "req_"

// Call is one request on its way through the handlers. Each handler sets fields that later handlers need.
type Call struct {
	// Request is the client's request. Its body may have been read.
	Request *http.Request
	// Reply is the response that is sent.
	Reply *Reply
	// Surface is determined from the path, and later refined from the body, which states whether to stream.
	Surface dialect.Surface
	// Failure is the reason why the call failed. It is nil as long as the call has not failed.
	Failure *Failure
	// Stream encodes the events for the client. It is nil as long as there is no stream.
	Stream *convert.StreamEncoder

	id string
	// pathModel is the model that the path names, "" for none.
	pathModel string
	hooks     *Hooks

	caller   caller          // authenticate
	body     []byte          // read
	held     *bounded.Held   // read; the bytes of body, nil before
	asked    convert.Request // decode
	model    model           // authorize
	tokens   int64           // count: of the input
	cost     int64           // price: the most that the call can cost
	reserved *reservation    // reserve: quota to be settled or refunded
	routes   []channelRoute  // pick: in the order to try them
	upstream *upstreamAnswer // dial: the upstream's answer, its body unread
}

// ID returns the request id that is in the header of every response.
func (c *Call) ID() string { return c.id }

// AnswerID returns the id of the response in the client's API format. The gateway does not pass on the upstream's own id.
func (c *Call) AnswerID() string { return strings.TrimPrefix(c.id, requestIDPrefix) }

// Key returns the key in the client's request, or "" if there is none.
func (c *Call) Key() string { return credential(c.Request) }

// Revoked reports whether the key was revoked. It is false before [Authenticate] has run.
func (c *Call) Revoked() bool { return c.caller.revoked }

// Limited reports whether the key has a rate limit. It is false before [Authenticate] has run.
func (c *Call) Limited() bool { return c.caller.rate.Requests > 0 }

// Model returns the model that the client requested, or "" before [Decode] has run.
func (c *Call) Model() string { return c.asked.Model }

// SetModel changes the requested model. It has an effect only before [Authorize].
func (c *Call) SetModel(name string) { c.asked.Model = name }

// InputTokens returns the number of tokens that [Count] has counted.
func (c *Call) InputTokens() int { return int(c.tokens) }

// Upstream returns the base URL and the secret key of the first route that [Pick] has found. Before that, it returns "".
func (c *Call) Upstream() (baseURL, key string) {
	if len(c.routes) == 0 {
		return "", ""
	}
	return c.routes[0].address, c.routes[0].secret
}

// BeginStream sends the first events of a stream before the upstream has responded. From then on, the gateway can report a failure only as an event.
func (c *Call) BeginStream(events []byte) error {
	if err := c.newStream(nil); err != nil {
		return err
	}
	return c.sendEvents(events)
}

func (c *Call) newStream(annotation []byte) (err error) {
	head := convert.Head{
		ID: c.AnswerID(), Model: c.asked.Model, Created: time.Now().Unix(), PromptTokens: int(c.tokens), IncludeUsage: c.asked.IncludeUsage,
	}
	if c.Stream, err = convert.NewStreamEncoder(c.Surface, head, annotation); err != nil {
		return Refuse(MarshalJSON, err)
	}
	return nil
}

// decode is the handler that reads the body in the client's API format.
func (g *Gateway) decode(_ context.Context, c *Call) error {
	var asked convert.Request
	var err error
	if c.Surface.TakesForm() {
		asked, err = convert.DecodeForm(c.Surface, c.Request.Header.Get("Content-Type"), c.body)
	} else {
		asked, err = convert.Decode(c.Surface, c.pathModel, c.body)
	}
	if err != nil {
		return err
	}
	c.asked, c.Surface, c.body = asked, asked.Surface, nil
	return nil
}
