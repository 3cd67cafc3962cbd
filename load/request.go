package load

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
)

// endpoint is the server of a connection.
type endpoint struct {
	secure  bool
	address string // host:port
}

// wireRequest is a kind of request in the form in which it is sent, except for its token.
type wireRequest struct {
	to endpoint
	wireBytes
	// variants are sent in turns in place of them; nil for none.
	variants []wireBytes
	bodySize int
	method   string
	surface  dialect.Surface
	// pieces find what the events of the surface's streams add to an answer, finish the event that ends them.
	pieces   dialect.PieceMarks
	finish   dialect.FinishMarks
	expect   contract.Case // the zero case when a success is expected
	sent     contract.Sent
	redactor *redact.Redactor
	// codes are those that the gateway publishes, nil for table 2 as it is.
	codes *contract.CodeClaim
}

// wireBytes is a request without its token.
type wireBytes struct {
	// wire is the request line, the header and the body.
	wire []byte
	// tokens are the offsets of [TokenPlaceholder] in wire.
	tokens []int
}

func newWireBytes(wire []byte) wireBytes {
	w := wireBytes{wire: wire}
	for from := 0; ; {
		i := bytes.Index(wire[from:], []byte(TokenPlaceholder))
		if i < 0 {
			return w
		}
		w.tokens = append(w.tokens, from+i)
		from += i + len(TokenPlaceholder)
	}
}

// expectsError reports whether every response has to be the error of one case.
func (r *wireRequest) expectsError() bool { return r.expect != contract.Case{} }

func newWireRequest(kind Request, secrets []redact.Secret, codes *contract.CodeClaim) (*wireRequest, error) {
	strong, _ := redact.Strong(append([]redact.Secret{{What: redact.CallerKey, Value: kind.Call.Key}}, secrets...))
	redactor := redact.New(strong...)
	built, err := exchange.Prepare(kind.Call, redactor)
	if err != nil {
		return nil, fmt.Errorf("%w: request %q: %w", ErrInvalid, kind.Name, err)
	}
	to, target, err := destination(built)
	if err != nil {
		return nil, fmt.Errorf("%w: request %q: %w", ErrInvalid, kind.Name, err)
	}
	r := &wireRequest{
		to: to, bodySize: len(built.Body), method: built.Method,
		surface: kind.Call.Surface, expect: kind.Expect, sent: built.Sent, redactor: redactor, codes: codes,
	}
	r.pieces, _ = r.surface.PieceMarks()
	r.finish, _ = r.surface.FinishMarks()
	r.wireBytes = newWireBytes(wireForm(built, target))
	for _, variant := range kind.Variants {
		built, err := exchange.Prepare(variant, redactor)
		if err != nil {
			return nil, fmt.Errorf("%w: request %q: %w", ErrInvalid, kind.Name, err)
		}
		at, target, err := destination(built)
		if err != nil || at != to || variant.Surface != kind.Call.Surface {
			return nil, fmt.Errorf("%w: request %q: all variants must be sent to the same host and endpoint", ErrInvalid, kind.Name)
		}
		r.variants = append(r.variants, newWireBytes(wireForm(built, target)))
	}
	return r, nil
}

// destination returns the endpoint and the request target of a URL.
func destination(built exchange.Request) (endpoint, string, error) {
	u, err := url.Parse(built.URL)
	if err != nil {
		return endpoint{}, "", exchange.ErrURL
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil || proxy != nil {
		return endpoint{}, "", fmt.Errorf("the environment sets a proxy for %s, so a load test would measure the proxy: add this host to NO_PROXY", u.Host)
	}
	to := endpoint{secure: u.Scheme == "https", address: u.Host}
	if u.Port() == "" {
		port := ":80"
		if to.secure {
			port = ":443"
		}
		to.address = u.Host + port
	}
	return to, u.RequestURI(), nil
}

// wireForm returns the bytes of a request. Nothing else is sent, so that the gateway gets the very request that it was
// certified with.
func wireForm(built exchange.Request, target string) []byte {
	header := built.Header.Clone()
	host := header.Get("Host")
	if host == "" {
		u, _ := url.Parse(built.URL) // destination has parsed it already
		host = u.Host
	}
	header.Del("Host")
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", built.Method, target, host)
	if len(built.Body) > 0 || built.Method == http.MethodPost {
		header.Set("Content-Length", strconv.Itoa(len(built.Body)))
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	b.WriteString("\r\n")
	b.Write(built.Body)
	return b.Bytes()
}

// of returns the bytes of a request by its number in the phase.
func (r *wireRequest) of(seq uint64) wireBytes {
	if len(r.variants) == 0 {
		return r.wireBytes
	}
	// Not in turns: a mix takes its kinds in turns too, and one kind would see a part of its variants only.
	const golden = 0x9e3779b97f4a7c15
	return r.variants[(seq*golden>>32)%uint64(len(r.variants))]
}

// withToken returns the request with its token. It writes to buffer, and returns that for the next call, when the request
// has a placeholder.
func (w wireBytes) withToken(buffer []byte, stamp uint32, seq uint64) (wire, kept []byte) {
	if len(w.tokens) == 0 {
		return w.wire, buffer
	}
	buffer = append(buffer[:0], w.wire...)
	for _, at := range w.tokens {
		putToken(buffer[at:at+len(TokenPlaceholder)], stamp, seq)
	}
	return buffer, buffer
}
