// Package recorded replays the responses of a real deployment, for the tests of targets/newapi and of the command. Cassettes contain no secrets:
// keys, passwords, sessions and the run's tag are replaced when a cassette is recorded.
//
// To record them again, run the tests where the deployment and this machine can reach each other, with the access token of its root user:
//
//	GATECERT_RECORD=http://127.0.0.1:3000 GATECERT_RECORD_TOKEN=… go test ./targets/newapi -run TestDriver/name
package recorded

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

// recordedURL is the deployment's URL in a cassette, whatever it was in fact.
const recordedURL = "http://gateway.test"

// scrubbedTag stands for the run's tag in a cassette.
const scrubbedTag = "gc-000000"

var runTag = regexp.MustCompile(`gc-[0-9a-f]{6}\b`)

// scrubs replace secrets in what is recorded, and in the requests that are looked up.
var scrubs = []struct {
	secret      *regexp.Regexp
	replacement string
}{
	{runTag, scrubbedTag},
	{regexp.MustCompile(`("(?:password|access_token|cookie)":")[^"]+`), `${1}scrubbed`},
	{regexp.MustCompile(`("sid":")[^"]+`), `${1}scrubbed`},
	{regexp.MustCompile(`(/api/user/sessions/)[^/?]+`), `${1}scrubbed`},
	// Keys keep their length, 48, and differ from each other.
	{regexp.MustCompile(`("\d+":")[0-9A-Za-z]{40}[0-9A-Za-z]*?([0-9A-Za-z]{8})"`), `${1}scrubbedscrubbedscrubbedscrubbedscrubbed$2"`},
	{regexp.MustCompile(`("key":")[0-9A-Za-z]{40}([0-9A-Za-z]{8})"`), `${1}scrubbedscrubbedscrubbedscrubbedscrubbed$2"`},
	{regexp.MustCompile(`sk-gatecert-[0-9a-z]+`), `sk-gatecert-scrubbed`},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d{4,5}\b`), `http://127.0.0.1:0`},
	{regexp.MustCompile(`token=[0-9a-f]{12}\b`), `token=000000000000`},
	{regexp.MustCompile(`no-such-model-[0-9a-f]{12}\b`), `no-such-model-000000000000`},
}

func scrub(text string) string {
	for _, s := range scrubs {
		text = s.secret.ReplaceAllString(text, s.replacement)
	}
	return text
}

// Deployment responds as a real deployment did when it was recorded.
type Deployment struct {
	URL string
	// Token is an access token that the deployment accepts.
	Token string

	recorder *recorder.Recorder
	live     *url.URL // nil when replaying
	tag      atomic.Value
	// settled holds the answers to model calls, by key and body, that a deployment always gives: a run that makes a call more
	// often than the recorded one, such as a healthy call, gets the same again. An error of the deployment is not one of them.
	settled sync.Map // string -> settledAnswer
	// Refuse, if not nil, is called first. It simulates refusals that no available deployment would produce, with status 200 as in a deployment. Set
	// it before the first request.
	Refuse func(r *http.Request, body string) (answer string, refused bool)
}

type settledAnswer struct {
	response http.Response
	body     []byte
}

func (s settledAnswer) repeated() *http.Response {
	s.response.Body = io.NopCloser(bytes.NewReader(s.body))
	return &s.response
}

// Serve serves a cassette until the test ends. name is the path of its YAML file without the extension. If GATECERT_RECORD is set in the environment,
// Serve records the cassette.
func Serve(t *testing.T, name string) *Deployment {
	t.Helper()
	d := &Deployment{Token: "scrubbed"}
	mode := recorder.ModeReplayOnly
	if live := os.Getenv("GATECERT_RECORD"); live != "" {
		var err error
		d.live, err = url.Parse(live)
		require.NoError(t, err)
		d.Token, mode = os.Getenv("GATECERT_RECORD_TOKEN"), recorder.ModeRecordOnly
	}
	var err error
	d.recorder, err = recorder.New(name,
		recorder.WithMode(mode), recorder.WithMatcher(matches), recorder.WithSkipRequestLatency(true),
		recorder.WithHook(clean, recorder.BeforeSaveHook), recorder.WithRealTransport(liveTransport{d}))
	require.NoError(t, err)
	server := httptest.NewServer(d)
	d.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, d.recorder.Stop())
	})
	return d
}

// Recording reports whether the responses come from a real deployment and are being recorded.
func (d *Deployment) Recording() bool { return d.live != nil }

// ServeHTTP responds from the cassette, or forwards the request and records the response.
func (d *Deployment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if tag := runTag.FindString(r.RequestURI + string(body)); tag != "" {
		d.tag.Store(tag)
	}
	if d.Refuse != nil {
		if answer, refused := d.Refuse(r, string(body)); refused {
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, recordedURL+r.RequestURI, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out.Header = r.Header.Clone()
	out.Header.Del("Accept-Encoding") // a compressed body cannot be scrubbed
	resp, err := d.respond(out, string(body))
	if err != nil {
		http.Error(w, r.Method+" "+r.RequestURI+" is not in the cassette: "+string(body), http.StatusNotImplemented)
		return
	}
	defer resp.Body.Close()
	d.answer(w, resp)
}

// respond makes a call, or repeats its settled answer.
func (d *Deployment) respond(out *http.Request, body string) (*http.Response, error) {
	if d.Recording() || !strings.HasPrefix(out.URL.Path, "/v1/") {
		return d.recorder.RoundTrip(out)
	}
	call := out.Header.Get("Authorization") + " " + out.URL.Path + " " + scrub(body)
	if known, ok := d.settled.Load(call); ok {
		known, _ := known.(settledAnswer)
		return known.repeated(), nil
	}
	resp, err := d.recorder.RoundTrip(out)
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, err
	}
	settled := settledAnswer{*resp, raw}
	d.settled.Store(call, settled)
	return settled.repeated(), nil
}

func (d *Deployment) answer(w http.ResponseWriter, resp *http.Response) {
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if tag, ok := d.tag.Load().(string); ok {
		raw = bytes.ReplaceAll(raw, []byte(scrubbedTag), []byte(tag))
	}
	for name, values := range resp.Header {
		if name != "Content-Length" && name != "Date" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(raw)
}

// liveTransport sends to the real deployment in place of recordedURL.
type liveTransport struct{ d *Deployment }

func (l liveTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = l.d.live.Scheme, l.d.live.Host, ""
	return http.DefaultTransport.RoundTrip(out)
}

// matches compares method, URL and body, without secrets.
func matches(r *http.Request, recorded cassette.Request) bool {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body) // a bytes.Reader
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r.Method == recorded.Method && scrub(r.URL.String()) == recorded.URL && scrub(string(body)) == recorded.Body
}

// clean removes secrets and whatever is not needed from an interaction.
func clean(i *cassette.Interaction) error {
	i.Request.URL, i.Request.Body = scrub(i.Request.URL), scrub(i.Request.Body)
	i.Request.Headers, i.Request.RemoteAddr, i.Request.Host = nil, "", ""
	i.Request.ContentLength = int64(len(i.Request.Body))
	kept := http.Header{}
	for _, name := range []string{"Content-Type", "Retry-After", "X-Oneapi-Request-Id", "X-New-Api-Version"} {
		if values := i.Response.Headers[name]; values != nil {
			kept[name] = values
		}
	}
	if strings.Contains(strings.Join(i.Response.Headers["Set-Cookie"], ""), "session=") {
		kept["Set-Cookie"] = []string{"session=scrubbed; Path=/"}
	}
	i.Response.Headers = kept
	i.Response.Body = scrub(relevant(i.Request.URL, i.Response.Body))
	i.Response.ContentLength = int64(len(i.Response.Body))
	return nil
}

// options are the settings that a cassette keeps, out of the two hundred of a deployment.
var options = regexp.MustCompile(`^(QuotaPerUnit|RetryTimes|PasswordLoginEnabled|TurnstileCheckEnabled|ModelPrice|SelfUseModeEnabled|` +
	`ModelRequestRateLimit.*|SensitiveWords|CheckSensitive.*|LogConsumeEnabled|AutomaticDisableChannelEnabled|performance_setting\.monitor_enabled)$`)

// facts are the fields that a cassette keeps of GET /api/status.
var facts = regexp.MustCompile(`"(?:version|setup)":(?:"[^"]*"|true|false)`)

// relevant shortens the status and the list of options. Everything else stays as it is.
func relevant(address, body string) string {
	if strings.HasSuffix(address, "/api/status") {
		return `{"data":{` + strings.Join(facts.FindAllString(body, -1), ",") + `},"message":"","success":true}`
	}
	var list struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
		Data    []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"data"`
	}
	if !strings.HasSuffix(address, "/api/option/") || json.Unmarshal([]byte(body), &list) != nil || len(list.Data) == 0 {
		return body
	}
	kept := []map[string]any{}
	for _, o := range list.Data {
		if options.MatchString(o.Key) {
			kept = append(kept, map[string]any{"key": o.Key, "value": o.Value})
		}
	}
	short, err := json.Marshal(map[string]any{"success": list.Success, "message": list.Message, "data": kept})
	if err != nil {
		return body
	}
	return string(short)
}
