package exchange

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

// userAgent names gatecert to the gateways that it calls.
const userAgent = "gatecert"

// keyMark stands for the key in a request until it is sent or shown. Neither a header field nor a URL can contain a NUL.
const keyMark = "\x00"

// request is a call that is ready to be sent, except for the key.
type request struct {
	surface dialect.Surface
	fault   Fault
	method  string
	// target is the URL, with keyMark in place of the key.
	target string
	// header has all fields except those of the framing, with keyMark in place of the key.
	header  http.Header
	key     string
	keyRole string
	body    payload
	// shown is the request as reports show it: itself, or one without the secrets of the call.
	shown *request
}

// build returns the request of a call.
func build(call Call) (*request, error) {
	req, err := buildPlain(call)
	if err != nil {
		return nil, err
	}
	req.shown = req
	if shown, differs := call.redacted(); differs {
		if req.shown, err = buildPlain(shown); err != nil {
			req.shown = notShown(call)
		}
	}
	return req, nil
}

// notShown stands in reports for the request of a call in which the name of a secret has no place, as in the name of a field.
func notShown(call Call) *request {
	r := &request{surface: call.Surface, method: call.Method, target: "[not shown: contains a secret]", header: http.Header{}}
	r.shown = r
	return r
}

// redacted is the call that reports show, and whether it differs.
func (c Call) redacted() (shown Call, differs bool) {
	shown = c
	shown.Path, shown.Prompt = cmp.Or(c.Shown.Path, c.Path), cmp.Or(c.Shown.Prompt, c.Prompt)
	shown.BaseURL = cmp.Or(c.Shown.BaseURL, c.BaseURL)
	differs = len(c.Shown.Header) > 0 || shown.Path != c.Path || shown.Prompt != c.Prompt || shown.BaseURL != c.BaseURL
	shown.Header = maps.Clone(c.Header)
	for name, value := range c.Shown.Header {
		if _, sent := shown.Header[name]; sent {
			shown.Header[name] = value
		}
	}
	shown.Edits = slices.Clone(c.Edits)
	for i, edit := range shown.Edits {
		if edit.Shown != nil {
			shown.Edits[i].Value, differs = edit.Shown, true
		}
	}
	return shown, differs
}

func buildPlain(call Call) (*request, error) {
	if !call.Surface.Valid() {
		return nil, fmt.Errorf("%w: %q", ErrSurface, call.Surface)
	}
	req := &request{surface: call.Surface, fault: call.Fault, method: call.Method, header: http.Header{}, key: call.Key, keyRole: call.KeyRole}
	if req.method == "" {
		req.method = call.Surface.Method()
	}
	if !isToken(req.method) || req.method == http.MethodConnect {
		return nil, fmt.Errorf("%w: %q", ErrMethod, req.method)
	}
	body, mediaType, err := buildPayload(call)
	if err != nil {
		return nil, err
	}
	if req.method != http.MethodGet && req.method != http.MethodHead {
		req.body = body
		req.header.Set("Content-Type", mediaType)
	} else if call.Fault != NoFault {
		return nil, fmt.Errorf("%w: %s needs a body, but a %s request has none", ErrFault, call.Fault, req.method)
	}
	if req.target, err = buildTarget(call); err != nil {
		return nil, err
	}
	if err := req.setHeader(call); err != nil {
		return nil, err
	}
	return req, nil
}

// buildTarget joins base URL and path, and adds the key where it is sent in the query.
func buildTarget(call Call) (string, error) {
	base, err := url.Parse(call.BaseURL)
	switch {
	case err != nil:
		// The error of the parser quotes the URL, which may contain a password.
		return "", fmt.Errorf("%w: the base URL cannot be parsed", ErrURL)
	case base.Scheme != "http" && base.Scheme != "https", base.Hostname() == "":
		return "", fmt.Errorf("%w: the base URL must begin with http:// or https://, followed by a host", ErrURL)
	case base.User != nil, base.RawQuery != "", base.ForceQuery, base.Fragment != "":
		return "", fmt.Errorf("%w: the base URL must not contain a user name, a query or a fragment", ErrURL)
	}
	path := call.Path
	if path == "" {
		path = call.Surface.Path(call.Model)
	}
	joined := strings.TrimRight(base.String(), "/") + "/" + strings.TrimLeft(path, "/")
	whole, err := url.Parse(joined)
	if err != nil || whole.Fragment != "" || whole.Host != base.Host {
		return "", fmt.Errorf("%w: the path must be a valid URL path without a fragment (#)", ErrURL)
	}
	target := whole.String()
	if call.Key == "" || !call.KeyInQuery {
		return target, nil
	}
	if whole.RawQuery != "" {
		return target + "&key=" + keyMark, nil
	}
	return strings.TrimSuffix(target, "?") + "?key=" + keyMark, nil
}

func (r *request) setHeader(call Call) error {
	spoken := call.Surface.Dialect()
	r.header.Set("User-Agent", userAgent)
	if field, version := spoken.Version(); field != "" {
		r.header.Set(field, version)
	}
	if call.Key != "" && !call.KeyInQuery {
		r.header.Set(spoken.Credential(keyMark))
	}
	r.setTrace(call)
	if call.Fault == BrokenGzip {
		r.header.Set("Content-Encoding", "gzip")
	}
	if !isFieldValue(call.Key) {
		return fmt.Errorf("%w: the key contains control characters", ErrHeader)
	}
	for _, name := range slices.Sorted(maps.Keys(call.Header)) {
		value, canonical := call.Header[name], http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name) || !isFieldValue(value):
			return fmt.Errorf("%w: %q contains characters that are not allowed in a header field", ErrHeader, name)
		case canonical == "Host" && strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '/' }):
			return fmt.Errorf("%w: Host must be a host name with an optional port", ErrHeader)
		case canonical == "Content-Length" || canonical == "Transfer-Encoding" || canonical == "Trailer":
			return fmt.Errorf("%w: %s is part of the message framing, which gatecert controls: remove this field", ErrHeader, canonical)
		case value == "":
			r.header.Del(name)
		default:
			r.header.Set(name, value)
		}
	}
	return nil
}

// needsRawTransport reports whether net/http cannot send the request. It refuses a body that is shorter than its declared
// length. When a gateway answers and closes the connection before the body is sent, it may report the failed write instead
// of the answer, and the answer is what an oversize body is sent for.
func (r *request) needsRawTransport() bool { return r.fault == ShortBody || r.fault == Oversize }

func (r *request) url() string {
	return strings.ReplaceAll(r.target, keyMark, url.QueryEscape(r.key))
}

// fields returns the header fields with the given key.
func (r *request) fields(key string) http.Header {
	out := make(http.Header, len(r.header))
	for name, values := range r.header {
		for _, value := range values {
			out.Add(name, strings.ReplaceAll(value, keyMark, key))
		}
	}
	return out
}

func (r *request) http(ctx context.Context) (*http.Request, error) {
	out, err := http.NewRequestWithContext(ctx, r.method, r.url(), r.body.reader())
	if err != nil {
		return nil, fmt.Errorf("%w: net/http rejects the URL", ErrURL)
	}
	out.Header = r.fields(r.key)
	out.Host = out.Header.Get("Host") // "" keeps that of the URL
	out.ContentLength = r.body.size()
	if out.Header.Get("User-Agent") == "" {
		out.Header["User-Agent"] = []string{""} // keeps net/http from writing its own
	}
	return out, nil
}

// sent returns the request for reports, redacted, with at most capture bytes of its body.
func (r *request) sent(redactor *redact.Redactor, capture int) contract.Sent {
	out := r.shown.described(redactor, capture)
	out.BodySize = r.body.size()
	if r.needsRawTransport() {
		out.Header["Content-Length"] = []string{strconv.FormatInt(r.body.size()+r.body.missing, 10)}
	}
	return out
}

// described returns the request for reports as it stands.
func (r *request) described(redactor *redact.Redactor, capture int) contract.Sent {
	body := r.body.excerpt(redactor, capture)
	header := http.Header{}
	for name, values := range r.fields("[" + redact.CallerKey + "]") {
		for _, value := range values {
			header.Add(name, redactor.Field(name, value))
		}
	}
	return contract.Sent{
		Surface: r.surface,
		Method:  r.method,
		URL:     redactor.Text(strings.ReplaceAll(r.target, keyMark, "["+redact.CallerKey+"]")),
		Header:  header,
		Body:    body,
		Fault:   string(r.fault),
		Curl:    r.curl(redactor, capture),
	}
}

// isToken reports whether s is a token of RFC 9110 5.6.2, as methods and field names are.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// isFieldValue reports whether s can be the value of a field (RFC 9110 5.5). Tabs are allowed.
func isFieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
