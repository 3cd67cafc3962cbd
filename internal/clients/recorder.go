package clients

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
)

const (
	// MaxAttempts is the maximum number of attempts that the recorder forwards in one call. Further attempts receive no response.
	MaxAttempts = 32
	// maxRequest bounds the body of an attempt, and maxAnswer what is kept of its answer, in bytes.
	maxRequest = 8 << 20
	maxAnswer  = 256 << 10
)

// recorder stands between one call of a client and the gateway. Every call has one of its own, on a port of its own, so that every
// attempt belongs to it, whatever the client does to URLs and header fields.
type recorder struct {
	server   *http.Server
	stop     context.CancelFunc
	listener net.Listener
	started  time.Time
	surface  dialect.Surface
	redactor *redact.Redactor
	// answer passes an attempt on, or answers it.
	answer http.Handler

	mu       sync.Mutex
	attempts []clientlog.Attempt
	lastEnd  time.Time
	// last is the last answer as the exchange package reads it.
	last contract.Observation
	// open counts the attempts that have not ended.
	open sync.WaitGroup
}

// record starts a recorder on loopback.
func record(ctx context.Context, s dialect.Surface, redactor *redact.Redactor, answer http.Handler) (*recorder, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	r := &recorder{listener: listener, stop: stop, started: time.Now(), surface: s, redactor: redactor, answer: answer}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *recorder) url() string { return "http://" + r.listener.Addr().String() }

// close drops what is open and returns the attempts and the last answer.
func (r *recorder) close() ([]clientlog.Attempt, contract.Observation) {
	r.stop()
	_ = r.server.Close()
	r.open.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts, r.last
}

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.open.Add(1)
	defer r.open.Done()
	begun := time.Now()
	r.mu.Lock()
	index := len(r.attempts)
	a := clientlog.Attempt{At: begun.Sub(r.started).Milliseconds()}
	if index > 0 {
		a.Gap = max(0, begun.Sub(r.lastEnd).Milliseconds())
	}
	if index <= MaxAttempts { // one more shows that there were more
		r.attempts = append(r.attempts, a)
	}
	r.mu.Unlock()
	if index >= MaxAttempts {
		hangUp()
	}
	// Read to its end, so that the server notices when the client goes away.
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRequest))
	if err != nil {
		hangUp()
	}
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.TransferEncoding = nil
	seen := &watched{ResponseWriter: w}
	defer func() {
		broken := recover()
		r.end(index, req, int64(len(body)), seen, broken != nil)
		if broken != nil {
			hangUp()
		}
	}()
	r.answer.ServeHTTP(seen, req)
}

// hangUp closes the connection of a handler without an answer, or in the middle of one.
func hangUp() {
	panic(http.ErrAbortHandler) //nolint:forbidigo // what net/http offers for it
}

// end completes the record of an attempt.
func (r *recorder) end(index int, req *http.Request, sent int64, seen *watched, broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seen.status == 0 && !broken {
		seen.status = http.StatusOK // a handler that writes nothing
	}
	a := &r.attempts[index]
	a.Status, a.Sent, a.Received = seen.status, sent, seen.bytes
	a.RetryAfter = r.redactor.Text(clip(seen.Header().Get("Retry-After"), maxField))
	a.APIVersion = r.redactor.Text(clip(req.Header.Get("Anthropic-Version"), maxField))
	a.Cancelled = seen.refused || broken && req.Context().Err() != nil
	a.Broken = broken && !a.Cancelled
	r.lastEnd = time.Now()
	if seen.status == 0 {
		r.last = contract.Observation{Failure: &contract.Failure{Detail: "no response"}}
		return
	}
	var body io.Reader = bytes.NewReader(seen.kept)
	if broken {
		body = io.MultiReader(body, failing{})
	}
	r.last = exchange.Observe(&http.Response{
		StatusCode: seen.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: seen.Header().Clone(), Body: io.NopCloser(body), ContentLength: -1,
	}, contract.Sent{Surface: r.surface}, exchange.Limits{}, r.redactor)
	a.Success, _ = contract.IsSuccess(r.surface, r.last)
}

// failing is the end of a body that broke off.
type failing struct{}

// Read implements io.Reader.
func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// watched keeps what is written to a client.
type watched struct {
	http.ResponseWriter
	status  int
	bytes   int64
	kept    []byte
	refused bool // the client did not take it
}

// Unwrap implements the interface that [http.ResponseController] uses.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	if status >= http.StatusOK && w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *watched) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.kept = append(w.kept, p[:min(len(p), maxAnswer-len(w.kept))]...)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	w.refused = w.refused || err != nil
	return n, err
}

// gatewayHandler passes attempts on to the gateway: the client's own request with the key of the case, or, where edited is set, the
// request of the case in its place.
func gatewayHandler(call exchange.Call, edited bool, transport http.RoundTripper) (http.Handler, error) {
	root, err := url.Parse(call.BaseURL)
	if err != nil {
		return nil, exchange.ErrURL
	}
	made, err := exchange.Prepare(call, redact.New())
	if err != nil {
		return nil, err
	}
	field, value := call.Surface.Dialect().Credential(call.Key)
	rewrite := func(p *httputil.ProxyRequest) {
		p.SetURL(root)
		p.Out.Host = ""
		if edited {
			replace(p.Out, made)
			return
		}
		query := p.Out.URL.Query()
		if query.Has("key") { // where Gemini's clients may send it
			query.Del("key")
			p.Out.URL.RawQuery = query.Encode()
		}
		for name, v := range call.Header {
			if http.CanonicalHeaderKey(name) != "Accept" { // clients have their own
				p.Out.Header.Set(name, v)
			}
		}
		for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
			p.Out.Header.Del(name)
		}
		if call.Key != "" {
			p.Out.Header.Set(field, value)
		}
	}
	return &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: transport, FlushInterval: -1,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { hangUp() }, // the client meets what gatecert met
		ErrorLog:     silent(),
	}, nil
}

// replace puts the request of a case in the place of a client's.
func replace(out *http.Request, made exchange.Request) {
	target, err := url.Parse(made.URL)
	if err != nil {
		return // Prepare has made it
	}
	out.URL, out.Method, out.Header = target, made.Method, made.Header.Clone()
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(made.Body)), int64(len(made.Body))
	if len(made.Body) == 0 {
		out.Body = http.NoBody
	}
}

// newTransport has no proxy, follows nothing and decodes nothing.
func newTransport(roots *x509.CertPool) *http.Transport {
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Transport{DisableCompression: true, TLSClientConfig: config, MaxIdleConnsPerHost: maxParallel}
}
