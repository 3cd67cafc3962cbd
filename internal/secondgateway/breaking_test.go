//go:build !race

// The tests of this package do without the race detector, see secondgateway_test.go.

package secondgateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Mutant is this gateway with one change.
type Mutant struct {
	Name string
	// Sentence is what CONTRACT.md says about it: what a mutant breaks, or what permits it.
	Sentence string
	// Change tells what is done.
	Change string
	// Where and On are a row or a pattern of rows, and a surface, with cases that the change concerns. No surface means all.
	Where, On string
	// Missed is why gatecert does not find a mutant out, "" where it does.
	Missed string
	// Options are those of the gateway that is changed, without hooks.
	Options Options
	// skip names checks that are left out, as in [Hooks].
	skip string
	// failure, answer and handler make the change; those that are nil leave everything as it is.
	failure func(c *call, f *Failure)
	answer  func(c *call, a *Answer)
	// handler answers a call itself, or changes its request. It reports whether it has answered.
	handler func(c *call, w http.ResponseWriter) bool
}

// call is what a mutant knows of a call that is under way.
type call struct {
	request *http.Request
	to      route
	key     string
	// read is what was read of the request's body.
	read *bytes.Buffer
	// failure is how it ended.
	failure *Failure

	mu sync.Mutex
	// err is why the upstream did not answer, status and raw are what it answered when that was no success. unpacked is whether
	// its answer was compressed.
	err      error
	status   int
	raw      []byte
	unpacked bool
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// streaming reports whether the caller asked for a stream.
func (c *call) streaming() bool {
	return c.to.stream || c.asked()["stream"] == true
}

// asked is the request's body, nil while it is not JSON.
func (c *call) asked() map[string]any {
	var body map[string]any
	_ = json.Unmarshal(c.read.Bytes(), &body)
	return body
}

// failed reports whether the call failed with a code.
func (c *call) failed(code string) bool { return c.failure != nil && c.failure.Code == code }

// told reports whether the failure stands as the last event of a stream.
func (c *call) told(a *Answer) bool { return c.failure != nil && len(a.Events) > 0 }

// upstreamCode is the code in the upstream's error object, nil for none.
func (c *call) upstreamCode() any {
	var body struct {
		Error struct {
			Code any `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(c.raw, &body)
	return body.Error.Code
}

// Handler starts the mutant on a store.
func (m Mutant) Handler(o Options) (http.Handler, error) {
	o.ErrorsInStream, o.BeginsEarly = m.Options.ErrorsInStream, m.Options.BeginsEarly
	o.Hooks = Hooks{
		Skip:      map[string]bool{m.skip: true},
		Transport: func(next http.RoundTripper) http.RoundTripper { return listening{next} },
		Failure: func(r *http.Request, f *Failure) {
			c := callOf(r.Context())
			if m.failure != nil {
				m.failure(c, f)
			}
			c.failure = f
		},
		Answer: func(r *http.Request, a *Answer) {
			if m.answer != nil {
				m.answer(callOf(r.Context()), a)
			}
		},
	}
	gateway, err := New(o)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{to: routeOf(strings.TrimPrefix(r.URL.Path, o.Prefix)), read: new(bytes.Buffer)}
		c.key = c.to.credential(r)
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		c.request = r
		r.Body = io.NopCloser(io.TeeReader(r.Body, c.read))
		if m.handler == nil || !m.handler(c, w) {
			gateway.ServeHTTP(w, r)
		}
	}), nil
}

// listening notes in a call what the upstream did.
type listening struct{ next http.RoundTripper }

func (l listening) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	c := callOf(r.Context())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	if err == nil && response.StatusCode != http.StatusOK {
		c.status, c.unpacked = response.StatusCode, response.Uncompressed
		raw, broken := io.ReadAll(response.Body)
		c.raw = raw
		if broken == nil {
			broken = io.EOF
		}
		response.Body = rest{io.MultiReader(bytes.NewReader(raw), failing{broken}), response.Body}
	}
	return response, err
}

// rest is a body of which some was read already.
type rest struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// page makes an answer a text.
func (a *Answer) page(status int, contentType, text string) {
	*a = Answer{Status: status, Body: []byte(text)}
	a.Add("content-type", contentType)
}

// banning is the gateway that switches a model off when the upstream has refused its key once.
func banning() Mutant {
	var mu sync.Mutex
	until := map[string]time.Time{}
	model := func(c *call) string {
		asked, _ := c.asked()["model"].(string)
		return c.to.model + asked
	}
	return Mutant{
		Name:  "model-off-after-401",
		Where: "http:5xx", On: "chat",
		Sentence: "SHOULD: one caller's failure must not take down others (no collateral)",
		Change:   "a model whose upstream answered 401 once is off for five minutes, longer than settle.recovery, on chat",
		answer: func(c *call, a *Answer) {
			mu.Lock()
			defer mu.Unlock()
			name := model(c)
			if c.to.kind == chat && a.Status == 200 && time.Now().Before(until[name]) {
				*a = *fail(503, "get_channel_failed", "No channel serves this model at the moment.").answer(openAI)
			}
			if c.status == 401 {
				until[name] = time.Now().Add(5 * time.Minute)
			}
		},
	}
}

// ignoreRest cuts what follows the first JSON value of a request's body.
func ignoreRest(c *call, _ http.ResponseWriter) bool {
	if c.request.Header.Get("Content-Encoding") != "" {
		return false
	}
	raw, err := io.ReadAll(c.request.Body)
	if err == nil {
		err = io.EOF
	}
	var first json.RawMessage
	if json.NewDecoder(bytes.NewReader(raw)).Decode(&first) == nil {
		raw = first
	}
	c.request.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), failing{err}))
	return false
}
