package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/upstream"
)

func TestSoakOfAPlayedModel(t *testing.T) {
	code, stdout, stderr := invoke(t.Context(), "load", "soak", "--surface", "chat-stream", "--rate", "20", "--for", "300ms",
		"--upstream-profile", "ttft=30ms,itl=5ms,tokens=20", "--out", t.TempDir())
	require.Contains(t, []int{exitConformant, exitHarness}, code, stderr) // a busy machine is inconclusive
	assert.Regexp(t, `tokens +\S+/s in total, 20 per response \(p50\), counted from the usage field of the responses\n`, stdout)
	assert.Regexp(t, `(?m)^ TTFT +[3-9]\d\S*ms`, stdout)
	assert.Regexp(t, `(?m)^ ITL +`, stdout)
	assert.Regexp(t, `(?m)^ tokens/s +`, stdout)
}

// A gateway that refuses to be asked for the usage gets the request without that, and the tokenizer counts.
func TestSoakWithoutUsage(t *testing.T) {
	mock := upstream.New(upstream.Options{})
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("include_usage")) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"unknown parameter: stream_options","type":"invalid_request_error","param":null,"code":"invalid_request"}}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mock.ServeHTTP(w, r)
	}))
	defer gateway.Close()
	code, stdout, stderr := invoke(t.Context(), "load", "soak", gateway.URL, "--key", "sk-test-0123456789", "--model", "m", "--surface", "chat-stream",
		"--rate", "20", "--for", "200ms", "--out", t.TempDir())
	require.Contains(t, []int{exitConformant, exitHarness}, code, stderr)
	assert.Contains(t, stderr, "note: the gateway rejects stream_options.include_usage, so gatecert counts stream tokens with its own tokenizer")
	assert.Contains(t, stdout, "counted with the tokenizer cl100k_base")
	assert.Contains(t, stdout, "4 per response", `"All is well." has four`)
}

func TestStreamingUsage(t *testing.T) {
	for want, args := range map[string][]string{
		`--slo: invalid SLO: "ttft<1s": add a quantile, the mean or the maximum: ttft.p99`:                                                 {"load", "capacity", "--slo", "ttft<1s"},
		"--slo replaces the other SLO flags: omit --latency":                                                                               {"load", "capacity", "--slo", "ttft.p99<1s", "--latency", "2s"},
		`--upstream-profile: invalid model: unknown word: "speed"`:                                                                         {"load", "soak", "--upstream-profile", "speed=1"},
		"--upstream-profile changes the mock upstream, which this gateway does not call":                                                   {"load", "soak", "http://127.0.0.1:1", "--key", "sk-test-0123456789", "--model", "m", "--upstream-profile", "ttft=1s"},
		`--upstream-profile: invalid model: tokens: invalid distribution: "lots"`:                                                          {"upstream", "--upstream-profile", "tokens=lots"},
		`--upstream-profile: invalid model: unknown word: "status"`:                                                                        {"gateway", "--upstream-profile", "status=503"},
		`--upstream-profile: invalid model: ttft appears twice`:                                                                            {"gateway", "--upstream-profile", "ttft=1s,ttft=2s"},
		`--upstream-profile: invalid model: itl: invalid distribution: "beta:1s": must be a duration such as 200ms, or one of uniform:A-B`: {"load", "capacity", "--upstream-profile", "itl=beta:1s"},
	} {
		code, _, stderr := invoke(t.Context(), args...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, want)
	}
}

// What was played can be read next to what arrived.
func TestUpstreamSaysWhatItPlayed(t *testing.T) {
	model, err := upstream.ParseModel("ttft=1ms,tokens=3")
	require.NoError(t, err)
	server := httptest.NewServer(upstream.New(upstream.Options{Model: model}))
	defer server.Close()
	resp, err := http.Post(server.URL+"/v1/chat/completions?key=k", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer k")
	resp, err = http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Contains(t, string(body), `"content":"So"`)
	assert.Contains(t, string(body), "data: [DONE]")

	resp, err = http.Get(server.URL + "/_gatecert/model")
	require.NoError(t, err)
	defer resp.Body.Close()
	var played upstream.Played
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&played))
	assert.Equal(t, "ttft=1ms,tokens=3", played.Model)
	assert.Equal(t, []uint64{1, 1, 3, 2}, []uint64{played.Answers, played.Streams, played.Tokens, played.ITL.Count})
}
