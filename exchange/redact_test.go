package exchange

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

func TestRedaction(t *testing.T) {
	const key = "sk-a/b+c&d 1234"
	digest := sha256.Sum256([]byte(key))
	redactor := redact.New(
		redact.Secret{What: "upstream key", Value: key}, redact.Secret{What: "upstream address", Value: "127.0.0.1:9901"}, redact.Secret{What: "short", Value: "12345"},
		redact.Secret{What: "long key", Value: "abcdef-0123456789"}, redact.Secret{What: "part of it", Value: "cdef-01234"}, redact.Secret{What: "overlapping", Value: "456789-uvwxyz"},
		redact.Secret{What: "same again", Value: key}, redact.Secret{What: "seven", Value: "seven77"},
	)
	for sentence, row := range map[string]struct {
		text, want string
		found      []string
	}{
		"nothing to find":              {"hello", "hello", nil},
		"the secret as it stands":      {"<" + key + ">", "<[upstream key]>", []string{"upstream key"}},
		"twice, one after the other":   {key + key, "[upstream key][upstream key]", []string{"upstream key"}},
		"two secrets":                  {"127.0.0.1:9901 " + key, "[upstream address] [upstream key]", []string{"upstream address", "upstream key"}},
		"its digest":                   {hex.EncodeToString(digest[:]), "[upstream key (SHA-256)]", []string{"upstream key (SHA-256)"}},
		"its digest in capitals":       {strings.ToUpper(hex.EncodeToString(digest[:])), "[upstream key (SHA-256)]", []string{"upstream key (SHA-256)"}},
		"its base64":                   {base64.StdEncoding.EncodeToString([]byte(key)), "[upstream key]", []string{"upstream key"}},
		"its base64 for URLs":          {base64.URLEncoding.EncodeToString([]byte(key)), "[upstream key]", []string{"upstream key"}},
		"in a query":                   {"?k=sk-a%2Fb%2Bc%26d+1234", "?k=[upstream key]", []string{"upstream key"}},
		"in a path":                    {"/sk-a%2Fb+c&d%201234/", "/[upstream key]/", []string{"upstream key"}},
		"in JSON":                      {`"sk-a/b+c\u0026d 1234"`, `"[upstream key]"`, []string{"upstream key"}},
		"in JSON with slashes escaped": {`"sk-a\/b+c&d 1234"`, `"[upstream key]"`, []string{"upstream key"}},
		"an escaped address":           {"127.0.0.1%3A9901", "[upstream address]", []string{"upstream address"}},
		"too short to be a secret":     {"12345", "12345", nil},
		"too short for its digest":     {base64.StdEncoding.EncodeToString([]byte("seven77")) + " seven77", "c2V2ZW43Nw== [seven]", []string{"seven"}},
		"the longer of two":            {"abcdef-0123456789", "[long key]", []string{"long key", "part of it"}},
		"the shorter one alone":        {"xcdef-01234x", "x[part of it]x", []string{"part of it"}},
		"two that overlap":             {"abcdef-0123456789-uvwxyz!", "[long key]!", []string{"long key", "part of it", "overlapping"}},
		"a beginning stays":            {"sk-a/b+c&d 123", "sk-a/b+c&d 123", nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			clean, found := redactor.Bytes([]byte(row.text))
			assert.Equal(t, row.want, string(clean))
			assert.Equal(t, row.found, found)
			assert.Equal(t, row.want, redactor.Text(row.text))
		})
	}
}

func TestContentThatBrokeOffLosesTheBeginningOfASecret(t *testing.T) {
	redactor := redact.New(redact.Secret{What: "key", Value: "abcdefghij"}, redact.Secret{What: "other", Value: "zzabcdefghijklmn"})
	for text, want := range map[string]string{
		"x abcdefghi":    "x [key]",
		"x abcdef":       "x [key]",
		"x abcde":        "x abcde", // five bytes could be anything
		"x zzabcdefghi":  "x [other]",
		"x abcdefghij":   "x [key]",
		"abcdefghij abc": "[key] abc",
	} {
		content := []byte(text)
		clean, _ := redactor.OpenBytes(content)
		assert.Equal(t, want, string(clean))
		assert.Equal(t, text, string(content), "the content itself stays")
	}
}

func TestCredentialFieldsAreRedactedByName(t *testing.T) {
	redactor := redact.New(redact.Secret{What: "caller key", Value: "sk-caller"})
	for _, row := range []struct{ name, value, want string }{
		{"Authorization", "Bearer sk-caller", "Bearer [caller key]"},
		{"Authorization", "Bearer k", "Bearer [redacted]"},
		{"Authorization", "Basic dTpw", "Basic [redacted]"},
		{"Authorization", "k1 k2", "[redacted]"},
		{"X-Api-Key", "sk-caller", "[caller key]"},
		{"X-Api-Key", "k", "[redacted]"},
		{"Cookie", "a=sk-caller; b=2", "[redacted]"},
		{"Set-Cookie", "session=1; Path=/", "[redacted]"},
		{"X-Other", "sk-caller and more", "[caller key] and more"},
	} {
		assert.Equal(t, row.want, redactor.Field(row.name, row.value), "%s: %s", row.name, row.value)
	}
}

func TestSecretsOfAnAnswerAreReplacedAndReported(t *testing.T) {
	const key, upstream = "sk-caller-123456", "sk-upstream-123456"
	for sentence, row := range map[string]struct {
		contentType, field, value, body string
		want                            []contract.Leak
	}{
		"in the body":           {"", "X-Ok", "ok", "no " + upstream + key, []contract.Leak{{What: "upstream key", Where: "body"}, {What: "caller key", Where: "body"}}},
		"in a header":           {"", "X-Debug", "key=" + upstream, "", []contract.Leak{{What: "upstream key", Where: "header X-Debug"}}},
		"in a header's name":    {"", "X-" + upstream, "1", "", []contract.Leak{{What: "upstream key", Where: "header name"}}},
		"in a cookie":           {"", "Set-Cookie", "k=" + key, "", []contract.Leak{{What: "caller key", Where: "header Set-Cookie"}}},
		"in an event":           {"text/event-stream", "X-Ok", "ok", "data: a\n\ndata: " + key + "\n\n", []contract.Leak{{What: "caller key", Where: "event 2"}}},
		"split over events":     {"text/event-stream", "X-Ok", "ok", `data: {"t":{"text":"my sk-up"}}` + "\n\ndata: {\"x\":[{\"text\":\"stream-12\"}]}\n\n" + `data: {"text":"3456, yes"}` + "\n\n", []contract.Leak{{What: "upstream key", Where: "events, put together"}}},
		"in an event's name":    {"text/event-stream", "X-Ok", "ok", "event: " + key + "\ndata: a\n\n", []contract.Leak{{What: "caller key", Where: "event 1"}}},
		"in a comment":          {"text/event-stream", "X-Ok", "ok", ": " + key + "\n\ndata: a\n\n", []contract.Leak{{What: "caller key", Where: "body"}}},
		"in an unfinished one":  {"text/event-stream", "X-Ok", "ok", "data: " + key, []contract.Leak{{What: "caller key", Where: "unfinished event"}}},
		"in a line that is off": {"text/event-stream", "X-Ok", "ok", strings.Repeat("x", 55) + key + "\n\n", []contract.Leak{{What: "caller key", Where: "body"}}},
	} {
		t.Run(sentence, func(t *testing.T) {
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", row.contentType)
				w.Header().Set(row.field, row.value)
				io.WriteString(w, row.body)
			})
			c := client(t, Limits{}, redact.Secret{What: "upstream key", Value: upstream})
			observation := observe(t, c, Call{
				BaseURL: base, Key: key, Prompt: "say " + key, Path: "/v1/x?k=" + key, Header: map[string]string{"X-Mine": upstream},
			})
			assert.Equal(t, row.want, observation.Leaks)
			assertNoSecret(t, observation, key, upstream)
			assert.Equal(t, []string{"Bearer [caller key]"}, observation.Sent.Header["Authorization"])
			assert.Equal(t, base+"/v1/x?k=[caller key]", observation.Sent.URL)
		})
	}
}

// assertNoSecret looks for the secrets, and for their first ten bytes, in everything that a log would hold.
func assertNoSecret(t *testing.T, observation contract.Observation, secrets ...string) {
	t.Helper()
	logged, err := json.Marshal(observation)
	require.NoError(t, err)
	for _, secret := range secrets {
		assert.NotContains(t, strings.ToLower(string(logged)), strings.ToLower(secret[:10]))
	}
}

func TestASecretThatStraddlesALimitDoesNotSurviveAsABeginning(t *testing.T) {
	const key = "sk-caller-0123456789"
	for sentence, limits := range map[string]Limits{
		"the capture":            {Capture: 112},
		"the read":               {Body: 112},
		"the read, not captured": {Body: 112, Capture: 1 << 20},
	} {
		for _, contentType := range []string{"application/json", "text/event-stream"} {
			t.Run(sentence+" of "+contentType, func(t *testing.T) {
				base := serve(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", contentType)
					fmt.Fprintf(w, "data: %s%s%s", strings.Repeat("x", 94), key, strings.Repeat("y", 100))
				})
				observation := observe(t, client(t, limits), Call{BaseURL: base, Key: key, Prompt: strings.Repeat("p", 60) + key})
				assertNoSecret(t, observation, key)
				assert.Contains(t, string(observation.Body), "x[caller key"[:min(12, len(observation.Body)-99)])
			})
		}
	}
}

func TestAFailureQuotesNoSecret(t *testing.T) {
	const key = "sk-caller-0123456789"
	base := listen(t, answering(key+"\r\n\r\n"))
	observation := observe(t, client(t, Limits{}), Call{BaseURL: base, Key: key})
	assert.Equal(t, &contract.Failure{Kind: contract.Protocol, Detail: `malformed HTTP response "[caller key]"`}, observation.Failure)
	assert.Equal(t, []contract.Leak{{What: "caller key", Where: "failure"}}, observation.Leaks)
}

func TestACallersURLIsNoLeak(t *testing.T) {
	observation := observe(t, client(t, Limits{}, redact.Secret{What: "upstream address", Value: "127.0.0.1:1"}), Call{BaseURL: "http://127.0.0.1:1"})
	require.NotNil(t, observation.Failure)
	assert.Equal(t, "dial tcp [upstream address]: connect: connection refused", observation.Failure.Detail)
	assert.Empty(t, observation.Leaks)
}

func TestTheListOfLeaksIsBounded(t *testing.T) {
	const key = "sk-caller-0123456789"
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, strings.Repeat("data: "+key+"\n\n", 2*maxLeaks))
	})
	observation := observe(t, client(t, Limits{}), Call{BaseURL: base, Key: key})
	assert.Len(t, observation.Leaks, maxLeaks)
	assertNoSecret(t, observation, key)
}

func FuzzRedactor(f *testing.F) {
	f.Add("Bearer sk-abcdef123", "sk-abcdef123", "abcdef")
	f.Add("aaaaaaaaaaaaaaa", "aaaaaa", "aaaaaaa")
	f.Add("abcdefghijklmnop", "abcdefghij", "fghijklmno")
	f.Fuzz(func(t *testing.T, text, first, second string) {
		if len(text) > 10_000 || len(first) > 200 || len(second) > 200 {
			t.Skip("no secret is so long, and no find comes of so much text")
		}
		secrets := []redact.Secret{{What: "1", Value: first}, {What: "2", Value: second}}
		clean, found := redact.New(secrets...).Bytes([]byte(text))
		assert.Equal(t, string(clean) != text, len(found) > 0)
		open, _ := redact.New(secrets...).OpenBytes([]byte(text))
		for _, secret := range secrets {
			// With a bracket in it, a secret could come about from a replacement.
			if len(secret.Value) >= 20 && !strings.ContainsAny(secret.Value, "[]") {
				assert.NotContains(t, string(clean), secret.Value)
				assert.NotContains(t, string(open), secret.Value)
			}
		}
	})
}

func TestAnAddressEndsWithItsPort(t *testing.T) {
	r := redact.New(redact.Secret{What: "upstream address", Value: "127.0.0.1:1"}, redact.Secret{What: "caller key", Value: "sk:a.b:1"})
	assert.Equal(t, "http://127.0.0.1:19900/v1", r.Text("http://127.0.0.1:19900/v1"))
	assert.Equal(t, "http://[upstream address]/v1, [upstream address].", r.Text("http://127.0.0.1:1/v1, 127.0.0.1:1."))
	assert.Equal(t, "sk:a.b:12 [caller key]", r.Text("sk:a.b:12 sk:a.b:1"), "a short key is a whole token")
}
