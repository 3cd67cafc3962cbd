package clients

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/clientlog"
)

// probe is an answer that the recorder gives by itself, to every attempt.
type probe struct {
	name string
	// sentence says what the client meets.
	sentence string
	// on are the surfaces that have it; nil is every one that does not stream.
	on func(dialect.Surface) bool
	// slow says that clients which obey wait for longer than any call may take otherwise.
	slow bool
	// whole says that it is an ordinary answer in the end: other probes may only look like one.
	whole bool
	serve func(ctx context.Context, w http.ResponseWriter, s dialect.Surface)
}

// probeCode is the code in the errors of the probes that are not about codes. No client knows the word.
const probeCode = "do_request_failed"

// Probe describes a probe, for listings.
type Probe struct{ Name, Sentence string }

// Probes returns all probes in order.
func Probes() []Probe {
	var all []Probe
	for _, p := range probes() {
		all = append(all, Probe{p.name, p.sentence})
	}
	return all
}

func notStreaming(s dialect.Surface) bool { return !s.Streaming() }

func streamed(s dialect.Surface) bool { return s.Streaming() }

func onDialect(d dialect.Dialect) func(dialect.Surface) bool {
	return func(s dialect.Surface) bool { return !s.Streaming() && s.Dialect() == d }
}

func onSurface(want dialect.Surface) func(dialect.Surface) bool {
	return func(s dialect.Surface) bool { return s == want }
}

func probes() []probe {
	var all []probe
	for _, status := range clientlog.ProbedStatuses() {
		all = append(all, failure(clientlog.StatusProbe(status), fmt.Sprintf("%d with a valid error envelope and a code that no client knows", status), status, probeCode, nil))
	}
	all = append(all,
		failure("retry-after-1", "429 with Retry-After: 1", 429, probeCode, map[string]string{"Retry-After": "1"}),
		slow(failure("retry-after-70", "429 with Retry-After: 70", 429, probeCode, map[string]string{"Retry-After": "70"})),
		slow(failure("retry-after-200", "429 with Retry-After: 200", 429, probeCode, map[string]string{"Retry-After": "200"})),
		probe{name: "retry-after-date", sentence: "429 with a Retry-After date two seconds in the future", serve: func(_ context.Context, w http.ResponseWriter, s dialect.Surface) {
			w.Header().Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
			writeError(w, s, 429, probeCode)
		}},
		failure("retry-after-0", "429 with Retry-After: 0", 429, probeCode, map[string]string{"Retry-After": "0"}),
		failure("retry-after-negative", "429 with Retry-After: -1, which is not valid", 429, probeCode, map[string]string{"Retry-After": "-1"}),
		failure("retry-after-past", "429 with a Retry-After date in the past", 429, probeCode, map[string]string{"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"}),
		failure("retry-after-ms", "429 with Retry-After-Ms: 1500 and Retry-After: 4", 429, probeCode, map[string]string{"Retry-After-Ms": "1500", "Retry-After": "4"}),
		failure(clientlog.NoRetryProbe, "500 with x-should-retry: false", 500, probeCode, map[string]string{"X-Should-Retry": "false"}),
		failure("should-retry-true", "400 with x-should-retry: true", 400, probeCode, map[string]string{"X-Should-Retry": "true"}),
		failure("quota-402", "402 with insufficient_user_quota", 402, "insufficient_user_quota", nil),
		failure("quota-403", "403 with insufficient_user_quota", 403, "insufficient_user_quota", nil),
		failure("quota-429", "429 with insufficient_user_quota", 429, "insufficient_user_quota", nil),
		failure("openai-quota-429", "429 with OpenAI's own code, insufficient_quota", 429, "insufficient_quota", nil),
		failure("quota-429-retry-after", "429 with insufficient_user_quota and Retry-After: 1", 429, "insufficient_user_quota", map[string]string{"Retry-After": "1"}),
		failure("openai-quota-429-retry-after", "429 with insufficient_quota and Retry-After: 1", 429, "insufficient_quota", map[string]string{"Retry-After": "1"}),
		probe{name: "code-in-details", sentence: "400 with the code in error.details.error_code, as in Anthropic's API since version 2026-10-21", on: onDialect(dialect.Anthropic),
			serve: func(_ context.Context, w http.ResponseWriter, _ dialect.Surface) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(400)
				_, _ = w.Write([]byte(`{"type":"error","error":{"type":"invalid_request_error","message":"gatecert probe","details":{"error_code":"do_request_failed"}}}`))
			}},
		failure("error-in-200", "200 with an error object", 200, probeCode, nil),
		probe{name: "empty-200", sentence: "200 with an empty body", serve: func(_ context.Context, w http.ResponseWriter, _ dialect.Surface) {
			w.Header().Set("Content-Type", "application/json")
		}},
		probe{name: "html-502", sentence: "502 with an HTML page", serve: func(_ context.Context, w http.ResponseWriter, _ dialect.Surface) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(502)
			_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
		}},
		probe{name: "no-answer", sentence: "the connection is closed without a response", serve: func(context.Context, http.ResponseWriter, dialect.Surface) {
			hangUp()
		}},
	)
	return append(append(all, lateProbes()...), streamProbes()...)
}

func slow(p probe) probe {
	p.slow = true
	return p
}

// failure is a probe that answers with an error object.
func failure(name, sentence string, status int, code string, fields map[string]string) probe {
	return probe{name: name, sentence: sentence, serve: func(_ context.Context, w http.ResponseWriter, s dialect.Surface) {
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			w.Header().Set(field, fields[field])
		}
		writeError(w, s, status, code)
	}}
}

// errorObject is an error in the envelope of a format, with the code in its place.
func errorObject(d dialect.Dialect, status int, code string) dialect.Object {
	const message = "gatecert probe"
	switch d {
	case dialect.Anthropic:
		return dialect.Object{"type": "error", "error": dialect.Object{"type": "api_error", "message": message, "code": code}}
	case dialect.Gemini:
		return dialect.Object{"error": dialect.Object{"code": status, "message": message, "status": "UNKNOWN", "details": dialect.List{
			dialect.Object{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code, "domain": "gatecert"},
		}}}
	default:
		return dialect.Object{"error": dialect.Object{"message": message, "type": "server_error", "param": nil, "code": code}}
	}
}

func writeError(w http.ResponseWriter, s dialect.Surface, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(dialect.Encode(errorObject(s.Dialect(), status, code)))
}
