package runner

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// failed is a control call that got an answer.
func failed(s dialect.Surface, status int, body string, header ...string) runlog.Control {
	o := &contract.Observation{Status: status, Body: contract.Bytes(body), Header: map[string][]string{"Content-Type": {"application/json"}}}
	for i := 0; i+1 < len(header); i += 2 {
		o.Header[header[i]] = []string{header[i+1]}
	}
	return runlog.Control{Surface: s, Kind: runlog.ControlHealthy, Observation: o}
}

// unanswered is a control call that got none.
func unanswered(kind contract.FailureKind, detail string) runlog.Control {
	return runlog.Control{Surface: dialect.Chat, Kind: runlog.ControlHealthy, Observation: &contract.Observation{Failure: &contract.Failure{Kind: kind, Detail: detail}}}
}

func TestDiagnosis(t *testing.T) {
	const noPath, noKey = `{"error":{"message":"no such path"}}`, `{"error":{"message":"bad key","code":"access_denied"}}`
	nonsense := failed(dialect.Chat, 200, `{"choices":[{}]}`)
	nonsense.Kind = "nonsense"
	mock := func(attempts ...contract.Attempt) func(*facts) {
		return func(f *facts) {
			f.mock = &mockFacts{field: "upstream.listen", address: "127.0.0.1:9901", url: "http://127.0.0.1:9901", model: "some-model", attempts: attempts}
		}
	}
	offers := func(names ...string) func(*facts) { return func(f *facts) { f.offered = names } }
	for _, tt := range []struct {
		name   string
		failed []runlog.Control
		change func(*facts)
		want   string
	}{
		{"a refused connection", []runlog.Control{unanswered(contract.Unreachable, "dial tcp 10.0.0.1:1: connect: connection refused")}, nil, "nothing is listening at http://gw"},
		{"no address", []runlog.Control{unanswered(contract.Unreachable, "dial tcp: lookup gw: no such host")}, nil, "the host name in http://gw does not resolve"},
		{"no route", []runlog.Control{unanswered(contract.Unreachable, "no connection: no response header within 45s")}, nil, "whether a firewall drops packets"},
		{"a dead proxy", []runlog.Control{unanswered(contract.Unreachable, "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused")}, nil, "the proxy that the environment sets"},
		{"a certificate that has expired", []runlog.Control{unanswered(contract.Unreachable, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time …")}, nil, "has expired or is not valid yet"},
		{"an alert of TLS", []runlog.Control{unanswered(contract.Protocol, `malformed HTTP response "\x15\x03\x01\x00\x02\x02"`)}, nil, "use https://gw"},
		{"nginx at a port for https", []runlog.Control{failed(dialect.Chat, 400, "<center>The plain HTTP request was sent to HTTPS port</center>", "Content-Type", "text/html")}, nil, "use https://gw"},
		{"a closed connection over which TLS is spoken", []runlog.Control{unanswered(contract.Closed, "the connection ended")}, func(f *facts) { f.overTLS = true }, "use https://gw"},
		{"a closed connection", []runlog.Control{unanswered(contract.Closed, "the connection ended")}, nil, "accepts connections but sends no response (the connection ended)"},
		{"a redirect", []runlog.Control{failed(dialect.Chat, 301, "", "Location", "https://gw/v1/chat/completions")}, nil, `redirects requests to "https://gw/v1/chat/completions" (301)`},
		{"a sign-in page", []runlog.Control{failed(dialect.Chat, 403, "<html>", "Content-Type", "text/html")}, nil, `returns a web page, not an API response (403 "text/html", on chat)`},
		{"a page of a proxy whose gateway is down", []runlog.Control{failed(dialect.Chat, 502, "<html>", "Content-Type", "text/html")}, nil, `answers valid calls with 502 "text/html": the upstream`},
		{"a key refused where there is an endpoint", []runlog.Control{failed(dialect.Chat, 401, noKey), failed(dialect.Messages, 404, noPath), failed(dialect.Rerank, 404, noPath)}, nil,
			`rejects the key (401 "bad key", on 1 of 3 endpoints)`},
		{"the most frequent symptom", []runlog.Control{failed(dialect.Chat, 401, noKey), failed(dialect.Messages, 502, "{}"), failed(dialect.Rerank, 502, "{}")}, nil, `answers valid calls with 502 "{}"`},
		{"a key that may not use the model", []runlog.Control{failed(dialect.Chat, 403, `{"error":{"message":"key may not call some-model"}}`)}, offers("some-model"), "GET /v1/models lists this model, so grant the key access"},
		{"a model without a channel", []runlog.Control{failed(dialect.Chat, 503, `{"error":{"message":"no channel","code":"model_not_found"}}`)}, offers("a"), "lists (a), with --model"},
		{"a near name comes first", []runlog.Control{failed(dialect.Chat, 404, `{"error":{"code":"model_not_found"}}`)}, offers("a", "b", "c", "d", "e", "f", "some-models"), "lists (some-models, a, b, c, d and 2 more)"},
		{"404 and a list without the model", []runlog.Control{failed(dialect.Chat, 404, noPath)}, offers("a", "b"), `does not serve the model "some-model"`},
		{"404 and no list", []runlog.Control{failed(dialect.Chat, 404, noPath)}, nil, "there is no API at http://gw"},
		{"404 and a list with the model", []runlog.Control{failed(dialect.Chat, 404, noPath)}, offers("some-model"), "no valid call succeeds at http://gw"},
		{"another root", []runlog.Control{failed(dialect.Chat, 404, noPath)}, func(f *facts) { f.root = "http://gw2" }, "healthy calls succeed at http://gw2, so use that URL"},
		{"the mock upstream was not called", []runlog.Control{failed(dialect.Chat, 502, "{}")}, mock(), "has not called the mock upstream at 127.0.0.1:9901 (upstream.listen)"},
		{"the mock upstream refused the key", []runlog.Control{failed(dialect.Chat, 502, "{}")}, mock(contract.Attempt{Path: "/v1/chat/completions", Status: 401}), "give the gateway's channel one of the keys in upstream.keys"},
		{"the mock upstream has no such path", []runlog.Control{failed(dialect.Chat, 404, noPath)}, mock(contract.Attempt{Path: "/v1/v1/chat/completions", Status: 404}), "the gateway's call to /v1/v1/chat/completions with 404: correct the path"},
		{"an empty answer", []runlog.Control{failed(dialect.Chat, 500, "")}, nil, "answers valid calls with 500 and an empty body: the upstream"},
		{"an unknown model is served", []runlog.Control{nonsense}, nil, "accepts requests for a model that does not exist, so its errors"},
		{"hostile text", []runlog.Control{failed(dialect.Chat, 401, `{"error":{"message":"a\u001b[31mb\nc"}}`)}, nil, `(401 "a\\x1b[31mb\\nc", on chat)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts{url: "http://gw", failed: tt.failed, model: func(dialect.Surface) string { return "some-model" }}
			if tt.change != nil {
				tt.change(&f)
			}
			d := diagnose(f)
			assert.Contains(t, d.sentence, tt.want)
			assert.NotContains(t, d.sentence, "\n")
			assert.NotContains(t, d.sentence, "\x1b")
			assert.ErrorIs(t, d, ErrInconclusive)
			failure := tt.failed[0].Observation.Failure
			assert.Equal(t, failure != nil && failure.Kind == contract.Unreachable, errors.Is(d, ErrUnreachable))
		})
	}
}

// An error that only happens to have the letters of a model's name is about something else.
func TestWhatIsAboutTheModel(t *testing.T) {
	for _, tt := range []struct {
		model, body string
		status      int
		want        bool
	}{
		{"gpt-4o", `{"error":{"message":"The model 'gpt-4o' does not exist"}}`, 404, true},
		{"gpt-4o", `{"error":{"message":"models/gpt-4o is not found for API version v1beta."}}`, 404, true},
		{"gpt-4o", `{"error":{"message":"gpt-4o."}}`, 400, true},
		{"gpt-4o", `{"error":{"message":"gpt-4o-mini is fine"}}`, 400, false},
		{"m", `{"error":{"message":"I'm sorry: m"}}`, 400, false},
		{"gpt-4o", `{"error":{"message":"too many calls of gpt-4o"}}`, 429, false},
		{"gpt-4o", `{"model":"gpt-4o"}`, 200, false},
		{"m", `{"error":{"code":"model_not_found"}}`, 503, true},
	} {
		assert.Equal(t, tt.want, isAboutModel(contract.Observation{Status: tt.status, Body: contract.Bytes(tt.body)}, tt.model), "%s %s", tt.model, tt.body)
	}
}

func TestListenFaults(t *testing.T) {
	assert.Contains(t, cannotListen("10.9.8.7:1", errors.New("cannot assign requested address")), "use one of this machine's addresses and a free port")
}
