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

// endpoint is where connections lead.
type endpoint struct {
	secure  bool
	address string // host:port
}

// request is a part's request as it goes over the wire, but for its token.
type request struct {
	to endpoint
	// wire is the request line, the header and the body.
	wire []byte
	// tokens are the places of [TokenPlaceholder] in wire.
	tokens   []int
	bodySize int
	method   string
	surface  dialect.Surface
	due      contract.Case // the zero case when no error is due
	sent     contract.Sent
	redactor *redact.Redactor
}

func newRequest(part Request, secrets []redact.Secret) (*request, error) {
	redactor := redact.New(append([]redact.Secret{{What: "caller key", Value: part.Call.Key}}, secrets...)...)
	built, err := exchange.Prepare(part.Call, redactor)
	if err != nil {
		return nil, fmt.Errorf("%w: part %q: %w", ErrInvalid, part.Name, err)
	}
	to, target, err := destination(built)
	if err != nil {
		return nil, fmt.Errorf("%w: part %q: %w", ErrInvalid, part.Name, err)
	}
	r := &request{
		to: to, bodySize: len(built.Body), method: built.Method,
		surface: part.Call.Surface, due: part.Expect, sent: built.Sent, redactor: redactor,
	}
	r.wire = wireForm(built, target)
	for from := 0; ; {
		i := bytes.Index(r.wire[from:], []byte(TokenPlaceholder))
		if i < 0 {
			return r, nil
		}
		r.tokens = append(r.tokens, from+i)
		from += i + len(TokenPlaceholder)
	}
}

// destination finds the endpoint and the request target of a URL.
func destination(built exchange.Request) (endpoint, string, error) {
	u, err := url.Parse(built.URL)
	if err != nil {
		return endpoint{}, "", exchange.ErrURL
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil || proxy != nil {
		return endpoint{}, "", fmt.Errorf("the environment names a proxy for %s: a load through it would measure the proxy (see NO_PROXY)", u.Host)
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

// wireForm writes the request once; what is sent is this and nothing else, so that a gateway under load meets the very
// request that it was certified with.
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

// stamped returns the request with its token, and the buffer that it was written to when it has one.
func (r *request) stamped(buffer []byte, stamp uint32, seq uint64) (wire, kept []byte) {
	if len(r.tokens) == 0 {
		return r.wire, buffer
	}
	buffer = append(buffer[:0], r.wire...)
	for _, at := range r.tokens {
		putToken(buffer[at:at+len(TokenPlaceholder)], stamp, seq)
	}
	return buffer, buffer
}
