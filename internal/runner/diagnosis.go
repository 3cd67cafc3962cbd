package runner

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrInconclusive is returned before any case runs if nothing can be judged. Its text is one sentence: what happened, where, and what to do.
var ErrInconclusive = errors.New("INCONCLUSIVE")

// diagnosis is [ErrInconclusive] with its sentence. It is [ErrUnreachable] too where there was no connection.
type diagnosis struct {
	sentence    string
	unreachable bool
}

func (d diagnosis) Error() string { return ErrInconclusive.Error() + ": " + d.sentence }

// Is implements the interface that [errors.Is] uses.
func (d diagnosis) Is(target error) bool {
	return target == ErrInconclusive || d.unreachable && target == ErrUnreachable
}

// facts are what is known when no healthy call succeeds.
type facts struct {
	// url is the root of the gateway as it may be shown.
	url string
	// failed are the control calls that did not do what they must, at least one.
	failed []runlog.Control
	// model is the one that a surface was asked for.
	model func(dialect.Surface) string
	// offered are the names in the gateway's list of models, nil where it has none.
	offered []string
	// root is another URL at which the healthy call succeeds, "" for none; overTLS says that it would over https.
	root    string
	overTLS bool
	// sameAnswer says that the answer for a model that does not exist was that of the healthy call.
	sameAnswer bool
	// mock is what is known of the mock upstream, nil where there is none.
	mock *mockFacts
}

// mockFacts are what the mock upstream saw of a healthy call.
type mockFacts struct {
	// field is the profile's: upstream.listen or upstream.attach; address is what stands there, url where a gateway calls it.
	field, address, url string
	model               string
	attempts            []contract.Attempt
}

// symptom is what a failed control call has in common with others.
type symptom int

// The symptoms. If two are equally frequent, the first is reported.
const (
	unreachable  symptom = iota // no connection
	silent                      // a connection, and no answer
	wantsTLS                    // plain HTTP where TLS is spoken
	webPage                     // HTML
	redirected                  // 3xx
	keyRefused                  // 401, 403
	limited                     // 429
	modelUnknown                // the answer is about the model
	down                        // 5xx
	servesAll                   // a model that does not exist is served
	dropsUnknown                // a call for a model that does not exist gets no answer
	odd                         // anything else
	absent                      // 404, 405, 501: there may be no such endpoint
)

// symptomOf classifies a failed control call. model is the one that it asked for.
func symptomOf(c runlog.Control, model string) symptom {
	o := c.Observation
	switch {
	case c.Kind != runlog.ControlHealthy && o.Failure != nil:
		return dropsUnknown
	case c.Kind != runlog.ControlHealthy:
		return servesAll
	case o.Failure != nil && o.Failure.Kind == contract.Unreachable:
		return unreachable
	case o.Failure != nil && isTLS(o.Failure.Detail), o.Status == http.StatusBadRequest && plainOnTLS.Match(o.Body):
		return wantsTLS
	case o.Failure != nil:
		return silent
	case o.Status/100 == 3:
		return redirected
	case isPage(*o) && o.Status < 500:
		return webPage
	case isAboutModel(*o, model):
		return modelUnknown
	case o.Status == http.StatusUnauthorized, o.Status == http.StatusForbidden:
		return keyRefused
	case o.Status == http.StatusTooManyRequests:
		return limited
	case o.Status == http.StatusNotFound, o.Status == http.StatusMethodNotAllowed, o.Status == http.StatusNotImplemented:
		return absent
	case o.Status >= 500:
		return down
	default:
		return odd
	}
}

// plainOnTLS matches what servers of https answer in plain text to a request in plain HTTP: Go's, nginx, Apache, HAProxy.
var plainOnTLS = regexp.MustCompile(`(?i)HTTP request (was sent )?to (an )?HTTPS|plain HTTP (request )?(was sent )?to (an )?(HTTPS|SSL-enabled)`)

// isTLS reports whether the beginning of an answer, as net/http quotes it, is a record of TLS: an alert, or a handshake.
func isTLS(detail string) bool {
	return strings.Contains(detail, `malformed HTTP response "\x15\x03`) || strings.Contains(detail, `malformed HTTP response "\x16\x03`)
}

func isPage(o contract.Observation) bool {
	media, _, _ := mime.ParseMediaType(http.Header(o.Header).Get("Content-Type"))
	return media == "text/html" || bytes.HasPrefix(bytes.TrimSpace(o.Body), []byte("<"))
}

// shortModel is the length up to which the name of a model may stand in an error about something else.
const shortModel = 2

// isAboutModel reports whether an error is about the model: it has the code, or quotes the name.
func isAboutModel(o contract.Observation, model string) bool {
	if o.Status < 400 || o.Status == http.StatusTooManyRequests {
		return false
	}
	if bytes.Contains(o.Body, []byte(`"model_not_found"`)) {
		return true
	}
	if len(model) <= shortModel {
		return false
	}
	name := regexp.MustCompile(`(^|[^\w.-])` + regexp.QuoteMeta(model) + `([^\w-]|$)`)
	return name.Match(o.Body)
}

// prevailing is the most frequent symptom, and the calls that have it. Endpoints that may not exist count where there are
// no others.
func (f facts) prevailing() (symptom, []runlog.Control) {
	by := make(map[symptom][]runlog.Control)
	for _, c := range f.failed {
		s := symptomOf(c, f.model(c.Surface))
		by[s] = append(by[s], c)
	}
	best := absent
	for s := range absent {
		if len(by[s]) > 0 && (best == absent || len(by[s]) > len(by[best])) {
			best = s
		}
	}
	return best, by[best]
}

// diagnose says in one sentence why no control call did what it must.
func diagnose(f facts) diagnosis {
	s, calls := f.prevailing()
	if f.overTLS {
		s = wantsTLS
	}
	first := calls[0]
	answer := answerOf(first)
	say := func(format string, values ...any) diagnosis {
		return diagnosis{sentence: fmt.Sprintf(format, values...), unreachable: s == unreachable}
	}
	if f.root != "" {
		return say("%s is not the root of the API: healthy calls succeed at %s, so use that URL (gatecert appends /v1/… itself)", f.url, f.root)
	}
	switch s {
	case unreachable:
		return say("%s", noConnection(f.url, first.Observation.Failure.Detail))
	case silent:
		return say("%s accepts connections but sends no response (%s): check that this is the gateway's port", f.url, plain.Text(first.Observation.Failure.Detail, maxQuote))
	case wantsTLS:
		return say("%s expects TLS, but the URL says http: use https://%s", f.url, strings.TrimPrefix(f.url, "http://"))
	case webPage:
		return say("%s returns a web page, not an API response (%s, %s): use the URL of the API, not of the dashboard",
			f.url, answer, ofCalls(calls, f.failed))
	case redirected:
		return say("%s redirects requests to %q (%d): use the URL of the API itself",
			f.url, plain.Text(http.Header(first.Observation.Header).Get("Location"), maxQuote), first.Observation.Status)
	case keyRefused:
		return say("the gateway at %s rejects the key (%s, %s): set a valid key with --key, $GATEWAY_KEY or keys.valid in the profile",
			f.url, answer, ofCalls(calls, f.failed))
	case limited:
		return say("the gateway at %s refuses healthy calls with 429, even one at a time (%s%s): wait, use a key with a higher limit, or declare the limit in the profile (limits.valid)",
			f.url, answer, retryWords(*first.Observation))
	case servesAll:
		return say("%s", f.servesAll(first))
	case dropsUnknown:
		return say("the gateway at %s sends no response when the model does not exist (%s, %s): fix the gateway first, because gatecert cannot judge errors without a response",
			f.url, answer, ofCalls(calls, f.failed))
	case modelUnknown:
		return say("%s", f.noModel(first, answer))
	default: // down, odd, absent
		return say("%s", f.unclear(s, calls))
	}
}

// unclear is the sentence about answers that may have several reasons: whatever else is known decides.
func (f facts) unclear(s symptom, calls []runlog.Control) string {
	first := calls[0]
	answer := answerOf(first)
	switch model := f.model(first.Surface); {
	case f.mock != nil && (s == down || s == odd || len(f.mock.attempts) > 0):
		return f.mock.notServed(f.url, answer)
	case f.offered != nil && !slices.Contains(f.offered, model):
		return f.noModel(first, answer)
	case s == down:
		return fmt.Sprintf("the gateway at %s answers valid calls with %s: the upstream of model %q seems to be down; repair that upstream first",
			f.url, answer, plain.Text(model, maxName))
	case s == absent && f.offered == nil:
		return fmt.Sprintf("there is no API at %s (%s, %s): check the port, and whether the URL lacks a path prefix before /v1",
			f.url, answer, ofCalls(calls, f.failed))
	default:
		return fmt.Sprintf("no valid call succeeds at %s (%s on %s, with the model %q): correct the URL, the key or the model",
			f.url, answer, first.Surface, plain.Text(model, maxName))
	}
}

// servesAll is the sentence about a gateway that serves a model that does not exist.
func (f facts) servesAll(c runlog.Control) string {
	if f.sameAnswer {
		return fmt.Sprintf("the gateway at %s returned the same response for the model %q and for a model that does not exist, because it answers from a cache or ignores the model: "+
			"turn off the gateway's response cache for the run, or the model that the gateway serves in place of unknown models", f.url, plain.Text(f.model(c.Surface), maxName))
	}
	return fmt.Sprintf("the gateway at %s accepts requests for a model that does not exist, so its errors for unknown models cannot be tested: "+
		"turn off the model that the gateway serves in place of unknown models (a default, a wildcard or a fallback)", f.url)
}

// maxListed is the maximum number of models that a sentence names, maxName is the maximum length of a model's name, and maxQuote is the maximum
// length of a quoted response.
const (
	maxListed = 5
	maxName   = 60
	maxQuote  = 120
)

// noModel is the sentence about a model that the gateway does not serve.
func (f facts) noModel(c runlog.Control, answer string) string {
	model := f.model(c.Surface)
	sentence := fmt.Sprintf("the gateway at %s does not serve the model %q with this key (%s): ", f.url, plain.Text(model, maxName), answer)
	const flags = "with --model or with models in the profile"
	if slices.Contains(f.offered, model) {
		return sentence + "GET /v1/models lists this model, so grant the key access to it, add a channel for it, or choose another model " + flags
	}
	if len(f.offered) == 0 {
		return sentence + "choose a model that the gateway serves, " + flags
	}
	names := slices.Clone(f.offered)
	if near := yamlfile.Nearest(model, names); near != "" {
		names = append([]string{near}, slices.DeleteFunc(names, func(n string) bool { return n == near })...)
	}
	var shown []string
	for _, name := range names[:min(len(names), maxListed)] {
		shown = append(shown, plain.Text(name, maxName))
	}
	list := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return sentence + "choose a model that GET /v1/models lists (" + list + "), " + flags
}

// fromContainers says how a gateway in a container reaches this machine.
const fromContainers = "if the gateway runs in a container, let the mock upstream listen on 0.0.0.0:PORT (upstream.listen, or --listen of gatecert upstream), " +
	"and set upstream.url to an address of this machine such as http://host.docker.internal:PORT"

// notServed is the sentence about healthy calls that fail at a gateway whose upstream is the mock upstream.
func (m mockFacts) notServed(url, answer string) string {
	if len(m.attempts) == 0 {
		return fmt.Sprintf("the gateway at %s answers valid calls with %s and has not called the mock upstream at %s (%s): point the gateway's channel for model %q to %s; %s",
			url, answer, m.address, m.field, plain.Text(m.model, maxName), m.url, fromContainers)
	}
	last := m.attempts[len(m.attempts)-1]
	called := fmt.Sprintf("the gateway at %s answers valid calls with %s, because the mock upstream answered the gateway's call to %s with %d: ",
		url, answer, plain.Text(last.Path, maxQuote), last.Status)
	switch last.Status {
	case http.StatusUnauthorized:
		return called + "give the gateway's channel one of the keys in upstream.keys"
	case http.StatusNotFound:
		return called + "correct the path in the URL of the gateway's channel: the mock upstream serves /v1/… and /v1beta/…"
	default:
		return called + "the gateway's request is not valid in the API format of that path, so check the type of the gateway's channel"
	}
}

// notAsked is the sentence about healthy calls that succeed without the mock upstream.
func (m mockFacts) notAsked() string {
	return fmt.Sprintf("model %q is served, but not by the mock upstream at %s (%s), which received no request: point the gateway's channel for this model to %s; %s; or use --level edge to run without the mock upstream",
		plain.Text(m.model, maxName), m.address, m.field, m.url, fromContainers)
}

// cachedAfterAsking is the sentence about a healthy call that succeeds without the mock upstream, although the one before it came there.
func (m mockFacts) cachedAfterAsking(url string) string {
	return fmt.Sprintf("the gateway at %s answers from a cache: a healthy call for model %q reached the mock upstream at %s (%s), but a second call, with another prompt, "+
		"succeeded without reaching it: turn off the gateway's response cache for the run", url, plain.Text(m.model, maxName), m.address, m.field)
}

// cachedThroughout is the sentence about two healthy calls that got the same answer without the mock upstream.
func (m mockFacts) cachedThroughout(url string) string {
	return fmt.Sprintf("the gateway at %s answers from a cache: two healthy calls for model %q, with different prompts, received the same response, "+
		"and neither reached the mock upstream at %s (%s): turn off the gateway's response cache for the run", url, plain.Text(m.model, maxName), m.address, m.field)
}

// noConnection is the sentence about a connection that could not be made, from the error of net/http.
func noConnection(url, detail string) string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(detail, w) })
	}
	quoted := plain.Text(detail, maxQuote)
	switch {
	case has("proxyconnect"):
		return fmt.Sprintf("cannot connect to the proxy that the environment sets for %s (%s): correct $HTTP_PROXY (for an https URL, $HTTPS_PROXY), or add the host to $NO_PROXY", url, quoted)
	case has("connection refused", "actively refused"):
		return fmt.Sprintf("nothing is listening at %s (connection refused): start the gateway, or correct the host and port", url)
	case has("no such host"):
		return fmt.Sprintf("the host name in %s does not resolve (no such host): correct the host name", url)
	case has("signed by unknown authority"):
		return fmt.Sprintf("the certificate of %s is signed by a CA that this machine does not trust: set the CA's PEM file in a profile (tls: {ca: FILE})", url)
	case has("certificate is valid for", "doesn't contain any IP SANs", "certificate is not valid for any names"):
		return fmt.Sprintf("the certificate of %s is for another host (%s): use a host name that the certificate covers", url, quoted)
	case has("certificate has expired or is not yet valid"):
		return fmt.Sprintf("the certificate of %s has expired or is not valid yet: renew it, or correct the clock of this machine", url)
	case has("first record does not look like a TLS handshake", "server gave HTTP response to HTTPS client"):
		return fmt.Sprintf("%s answers in plain HTTP, but the URL says https: use http://%s", url, strings.TrimPrefix(url, "https://"))
	case has("i/o timeout", "no connection: "):
		return fmt.Sprintf("cannot connect to %s (%s): check the host and port, and whether a firewall drops packets", url, quoted)
	default:
		return fmt.Sprintf("cannot connect to %s (%s): check the URL", url, quoted)
	}
}

// cannotListen is the sentence about the address of upstream.listen that cannot be listened on.
func cannotListen(address string, err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Sprintf("%s (upstream.listen) is in use: stop the process that listens there or, if it is gatecert upstream, set upstream.attach to http://%s instead",
			address, address)
	}
	return fmt.Sprintf("the mock upstream cannot listen on %s (upstream.listen: %s): use one of this machine's addresses and a free port",
		address, plain.Text(err.Error(), maxQuote))
}

// answerOf says what came back: the status, and the message of the error or the beginning of the body.
func answerOf(c runlog.Control) string {
	o := c.Observation
	if o.Failure != nil {
		return plain.Text(o.Failure.Detail, maxQuote)
	}
	text := messageOf(o.Body)
	if isPage(*o) {
		text = cmp.Or(http.Header(o.Header).Get("Content-Type"), "text/html")
	}
	if text == "" {
		return fmt.Sprintf("%d and an empty body", o.Status)
	}
	return fmt.Sprintf("%d %q", o.Status, plain.Text(text, maxQuote))
}

// messageOf is the message in an error of any common shape, or else the body.
func messageOf(body []byte) string {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return strings.TrimSpace(string(body))
	}
	if inner, ok := object["error"].(map[string]any); ok {
		object = inner
	}
	for _, name := range []string{"message", "error", "detail", "msg"} {
		if text, ok := object[name].(string); ok && text != "" {
			return text
		}
	}
	return strings.TrimSpace(string(body))
}

func retryWords(o contract.Observation) string {
	if after := http.Header(o.Header).Get("Retry-After"); after != "" {
		return ", Retry-After: " + plain.Text(after, maxName)
	}
	return ""
}

// ofCalls says on how many endpoints an answer came.
func ofCalls(calls, failed []runlog.Control) string {
	switch n := len(failed); {
	case n == 1:
		return "on " + string(failed[0].Surface)
	case len(calls) == n:
		return fmt.Sprintf("on all %d endpoints", n)
	default:
		return fmt.Sprintf("on %d of %d endpoints", len(calls), n)
	}
}
