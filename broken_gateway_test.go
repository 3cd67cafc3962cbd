//go:build !race

// With the race detector these nine runs take five times as long. TestTheReferenceGatewayKeepsTheWholeContract runs all cases with it.

package gatecert_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference"
)

// answered is a complete answer of the gateway, before the client gets it.
type answered struct {
	status int
	header http.Header
	body   []byte
	stream bool
	// upstreamKey is what the gateway presents to its upstream.
	upstreamKey string
}

// code is the business code of an OpenAI error, "" for none.
func (a *answered) code() string {
	var body struct {
		Error struct {
			Code any `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(a.body, &body)
	code, _ := body.Error.Code.(string)
	return code
}

// rewriteAnswers returns a middleware that changes every answer of a gateway.
func rewriteAnswers(rewrite func(*answered)) func(http.Handler) http.Handler {
	return func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			record := httptest.NewRecorder()
			g.ServeHTTP(record, r)
			a := &answered{status: record.Code, header: record.Header(), body: record.Body.Bytes()}
			a.stream = strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream")
			a.upstreamKey = g.(*reference.Gateway).Fixtures().UpstreamKey
			rewrite(a)
			a.header.Del("Content-Length")
			maps.Copy(w.Header(), a.header)
			w.WriteHeader(a.status)
			_, _ = w.Write(a.body)
		})
	}
}

// Each common mistake is made by rewriting the answers of a conformant gateway, and exactly the rows that it concerns
// must fail or warn.
func TestABrokenGatewayFailsExactlyItsRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		surfaces []string
		rewrite  func(*answered)
		// fail and warn are patterns of the rows with these verdicts; all others must pass.
		fail, warn []string
	}{
		{"bad parameters answered 500", []string{"chat", "embeddings"}, func(a *answered) {
			if a.status == 400 && a.code() == "invalid_request" {
				a.status = 500
			}
		}, []string{"http:400", "code:invalid_request"}, nil},
		{"an empty code", []string{"chat"}, func(a *answered) {
			if code := a.code(); code != "" {
				a.body = bytes.Replace(a.body, []byte(`"code":"`+code+`"`), []byte(`"code":""`), 1)
			}
		}, []string{"code:*"}, []string{"http:400", "http:401", "http:403", "http:404", "http:5xx"}},
		{"200 with an error body", []string{"chat"}, func(a *answered) {
			if a.code() == "model_not_found" {
				a.status = 200
			}
		}, []string{"http:404", "code:model_not_found"}, nil},
		{"an HTML page for an unknown path", []string{"chat"}, func(a *answered) {
			if a.status == 404 && a.code() == "invalid_request" {
				a.header.Set("Content-Type", "text/html")
				a.body = []byte("<html>not found</html>")
			}
		}, []string{"http:404"}, nil},
		{"JSON errors under text/event-stream", []string{"chat-stream"}, func(a *answered) {
			if a.status == 403 {
				a.header.Set("Content-Type", "text/event-stream")
			}
		}, []string{"http:403", "code:access_denied", "code:insufficient_user_quota", "code:pre_consume_token_quota_failed"}, nil},
		{"a truncated stream closed with [DONE]", []string{"chat-stream"}, func(a *answered) {
			if event := bytes.Index(a.body, []byte(`data: {"error"`)); a.stream && event >= 0 {
				a.body = append(a.body[:event:event], "data: [DONE]\n\n"...)
			}
		}, []string{"http:5xx", "code:channel:response_time_exceeded", "code:read_response_body_failed"}, nil},
		{"the upstream's key in the message", []string{"chat"}, func(a *answered) {
			if a.code() == "bad_response" {
				a.body = bytes.Replace(a.body, []byte(`"message":"`), []byte(`"message":"key `+a.upstreamKey+` got: `), 1)
			}
		}, []string{"http:5xx", "code:bad_response"}, nil},
		{"401 for a channel's bad key", []string{"chat"}, func(a *answered) {
			if a.code() == "channel:invalid_key" {
				a.status = 401
			}
		}, []string{"http:5xx", "code:channel:invalid_key"}, nil},
		{"503 for an unknown model", []string{"chat"}, func(a *answered) {
			if a.code() == "model_not_found" {
				a.status = 503
			}
		}, []string{"http:404", "code:model_not_found"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of a run is waiting for upstreams that do not answer
			profile := served(t, rewriteAnswers(tt.rewrite))
			r := run(t, gatecert.Config{Target: profile, Surfaces: tt.surfaces})
			got := map[contract.RowID]contract.Verdict{}
			for _, c := range r.Cases {
				got[c.Row], _ = contract.Worst(append([]contract.Verdict{c.Verdict}, slices.Collect(values(got, c.Row))...)...)
			}
			want := map[contract.RowID]contract.Verdict{}
			for row := range got {
				want[row] = contract.Pass
				if matches(tt.warn, row) {
					want[row] = contract.Warn
				}
				if matches(tt.fail, row) {
					want[row] = contract.Fail
				}
			}
			assert.Equal(t, want, got, failures(r))
		})
	}
}

func values(m map[contract.RowID]contract.Verdict, row contract.RowID) func(func(contract.Verdict) bool) {
	return func(yield func(contract.Verdict) bool) {
		if v, ok := m[row]; ok {
			yield(v)
		}
	}
}

func matches(patterns []string, row contract.RowID) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, wild := strings.CutSuffix(p, "*")
		return p == string(row) || wild && strings.HasPrefix(string(row), prefix)
	})
}
