//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certifiedRun runs rows against the built-in gateway, certifies the run, and returns what verify needs.
func certifiedRun(t *testing.T, args ...string) []string {
	t.Helper()
	out, key := t.TempDir(), filepath.Join(t.TempDir(), "key")
	code, _, stderr := invoke(t.Context(), append([]string{"run", "--out", out}, args...)...)
	require.Equal(t, exitConformant, code, stderr)
	code, _, stderr = invoke(t.Context(), "keygen", key)
	require.Equal(t, exitConformant, code, stderr)
	code, _, stderr = invoke(t.Context(), "certify", out, "--key", key+".pem")
	require.Equal(t, exitConformant, code, stderr)
	return []string{"verify", out, "--key", key + ".pub.pem"}
}

func again(t *testing.T, verify []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return invoke(t.Context(), append(append([]string{}, verify...), args...)...)
}

func TestATenthOfACertificateIsPlayedAnew(t *testing.T) {
	t.Parallel()
	verify := certifiedRun(t, "--rows", "code:model_not_found,http:401", "--surfaces", "chat,messages,embeddings")
	gateway := serveGateway(t)
	url, key := baseURL(t, gateway)

	t.Run("an honest gateway agrees", func(t *testing.T) {
		for _, target := range [][]string{{"reference"}, {gateway}, {url, "--gateway-key", key}, {url, "--gateway-key", key, "--model", "gc-chat", "--model", "messages=gc-messages"}} {
			code, stdout, stderr := again(t, verify, append([]string{"--again"}, target...)...)
			assert.Equal(t, exitConformant, code, stdout+stderr)
			assert.Regexp(t, `(?m)^verified, partial: .*\nseed \d+: rerunning \d of \d+ cases on `+regexp.QuoteMeta(target[0]), stdout)
			assert.Regexp(t, `(?m)^rerun: [1-9] cases? with the same verdict as in the log, 0 with a different verdict, 0 not judged$`, stdout)
			assert.NotContains(t, stdout+stderr, key)
		}
	})
	t.Run("the seed repeats it", func(t *testing.T) {
		code, stdout, stderr := again(t, verify, "--again", gateway)
		require.Equal(t, exitConformant, code, stderr)
		seed := regexp.MustCompile(`(?m)^seed (\d+): `).FindStringSubmatch(stdout)
		require.NotNil(t, seed, stdout)
		code, repeated, stderr := again(t, verify, "--again", gateway, "--seed", seed[1])
		assert.Equal(t, exitConformant, code, stderr)
		assert.Equal(t, stdout, repeated)
	})
	t.Run("another gateway is found out", func(t *testing.T) {
		faulty := serveFaultyGateway(t)
		lost := certifiedRun(t, "--rows", "code:model_not_found", "--surfaces", "chat,messages")
		code, stdout, stderr := again(t, lost, "--again", faulty.profile)
		assert.Equal(t, exitNotConformant, code, stdout+stderr)
		assert.Regexp(t, `(?m)^code:model_not_found/absent-model/\S+: verdict pass in the log, fail now: MUST status-class: got 503, want 404$`, stdout)
		assert.Contains(t, stdout, "rerun: 0 cases with the same verdict as in the log, 1 with a different verdict, 0 not judged")
	})
	t.Run("a mutant is found out", func(t *testing.T) {
		keys := certifiedRun(t, "--rows", "http:401", "--surfaces", "chat")
		code, stdout, stderr := again(t, keys, "--again", serveGateway(t, "--mutant", "errors-as-200-on-chat"))
		assert.Equal(t, exitNotConformant, code, stdout+stderr)
		assert.Contains(t, stdout, "verdict pass in the log, fail now: MUST not-success")
	})
	t.Run("a canned server is found out", func(t *testing.T) {
		keys := certifiedRun(t, "--rows", "http:401", "--surfaces", "chat")
		code, stdout, stderr := again(t, keys, "--again", serveCanned(t), "--gateway-key", "sk-any-0123456789")
		assert.Equal(t, exitNotConformant, code, stdout+stderr)
		assert.Regexp(t, `(?m)^http:401/\S+: verdict pass in the log, fail now: MUST not-success: `, stdout)
	})
	for _, tt := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"an unreachable gateway", []string{"http://127.0.0.1:1", "--gateway-key", "k"}, exitHarness, "nothing is listening at http://127.0.0.1:1"},
		{"a key that does not work", []string{url, "--gateway-key", "sk-not-issued-0123456789"}, exitHarness, "rejects the key"},
		{"no key", []string{url, "--gateway-key="}, exitUsage, "a URL requires --gateway-key (or $GATEWAY_KEY)"},
		{"a profile that is none", []string{gateway + ".none"}, exitUsage, "no such file"},
		{"a URL that is none", []string{"http://user:password@127.0.0.1:1", "--gateway-key", "k"}, exitUsage, "the gateway's URL must not contain a user name, password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := again(t, verify, append([]string{"--again"}, tt.args...)...)
			assert.Equal(t, tt.code, code, stdout+stderr)
			assert.Contains(t, stdout+stderr, tt.text)
			assert.NotContains(t, stdout+stderr, "password@")
		})
	}
	t.Run("a seed for nothing", func(t *testing.T) {
		code, _, stderr := again(t, verify, "--seed", "7")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, "add --again TARGET or omit --seed")
	})
	t.Run("nothing that the gateway offers", func(t *testing.T) {
		relayed := certifiedRun(t, "--rows", "code:bad_response", "--surfaces", "chat")
		code, _, stderr := again(t, relayed, "--again", url, "--gateway-key", key)
		assert.Equal(t, exitIncomplete, code)
		assert.Regexp(t, `the target offers none of the \d+ cases that passed or failed`, stderr)
	})
}

// A profile's shell commands run in a verification as in a run: with consent.
func TestAVerificationAsksForConsentToActions(t *testing.T) {
	t.Parallel()
	verify := certifiedRun(t, "--rows", "http:403", "--surfaces", "chat")
	url, key := baseURL(t, serveGateway(t))
	ran := filepath.Join(t.TempDir(), "ran")
	file := filepath.Join(t.TempDir(), "p.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "base_url: %s\nkeys: {valid: %s}\nmodels: {default: gc-chat}\nsurfaces: [chat]\n"+
		"circumstances: {revoked-key: {key: sk-gone-0123456789, before: [{run: \"touch %s\"}]}}\n", url, key, ran), 0o600))
	code, stdout, stderr := again(t, verify, "--again", file)
	assert.Equal(t, exitIncomplete, code, stdout+stderr)
	assert.Contains(t, stderr, "are not permitted, so the cases that need them are reported as not-offered")
	assert.Contains(t, stderr, "the target offers none of the")
	assert.NoFileExists(t, ran)
	code, stdout, stderr = again(t, verify, "--again", file, "--allow-actions")
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "http:403/revoked-key/chat: verdict pass in the log, fail now")
	assert.FileExists(t, ran)
}

// serveCanned answers like a gateway that is healthy, and knows of models alone.
func serveCanned(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(string(body), "no-such-model") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},`+
			`"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
