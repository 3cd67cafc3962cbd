package redact

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const testKey = "sk-Zq3vT8Lm2pXw9RbY"

func TestAKeyIsFoundInEveryEncodingThatAReaderCanUndo(t *testing.T) {
	escape := func(format string) string {
		var out strings.Builder
		for _, b := range []byte(testKey) {
			fmt.Fprintf(&out, format, b)
		}
		return out.String()
	}
	base := func(before, after string) string {
		return base64.StdEncoding.EncodeToString([]byte(before + testKey + after))
	}
	r := New(Secret{What: "upstream key", Value: testKey})
	for name, text := range map[string]string{
		"upper case":              strings.ToUpper(testKey),
		"lower case":              strings.ToLower(testKey),
		"JSON escapes":            escape(`\u%04x`),
		"JSON escapes in capital": escape(`\u%04X`),
		"JSON escapes in JSON":    escape(`\\u%04x`),
		"JavaScript escapes":      escape(`\x%02x`),
		"one escape of a dash":    strings.Replace(testKey, "-", `\u002d`, 1),
		"URL escapes":             escape("%%%02X"),
		"URL escapes twice":       url.QueryEscape(escape("%%%02x")),
		"HTML entities":           escape("&#%d;"),
		"HTML entities in hex":    escape("&#x%x;"),
		"hex":                     hex.EncodeToString([]byte(testKey)),
		"hex in capitals":         strings.ToUpper(hex.EncodeToString([]byte(testKey))),
		"base64":                  base("", ""),
		"base64 at offset 1":      base("a", "bc"),
		"base64 at offset 2":      base("ab", "c"),
		"base64 of Bearer":        base("Bearer ", ""),
		"base64 of Basic":         base("user:", "\n"),
		"a mask of the middle":    "sk-Zq3vT8L****9RbY",
		"a mask with dots":        "sk-Zq3vT8Lm2p...",
		"a mask with an ellipsis": "sk-Zq3vT8Lm2…RbY",
		"a mask of the beginning": "***m2pXw9RbY",
		"a mask with a word":      "sk-Zq3vT8L[REDACTED]9RbY",
	} {
		clean, found := r.Bytes([]byte(`{"message":"the key ` + text + ` is bad"}`))
		assert.NotEmpty(t, found, "%s: %s", name, text)
		assert.NotContains(t, strings.ToLower(string(clean)), "zq3v", name)
	}
	for name, text := range map[string]string{
		"a mask that leaves four":  "sk-Zq****bY",
		"a mask that leaves eight": "sk-Zq3v****9RbY",
		"the public prefix":        "sk-",
		"the public prefix masked": "sk-****************",
		"another key, masked":      "sk-Ab3vT8Lm****9RbX",
		"three dots in prose":      "The key ... is bad",
	} {
		_, found := r.Bytes([]byte(`{"message":"the key ` + text + ` is bad"}`))
		assert.Empty(t, found, "%s: %s", name, text)
	}
}

func TestAShortSecretIsAWholeToken(t *testing.T) {
	r := New(Secret{What: "store's password", Value: "bricks"}, Secret{What: "admin's password", Value: "hunter2"})
	for text, want := range map[string]string{
		`"type":"bricksllm_error"`:       `"type":"bricksllm_error"`,
		`postgres_bricks`:                `postgres_bricks`,
		`postgres://user:bricks@db/x`:    `postgres://user:[store's password]@db/x`,
		`"bricks"`:                       `"[store's password]"`,
		`hunter22`:                       `hunter22`,
		`password=hunter2&x=1`:           `password=[admin's password]&x=1`,
		`the password HUNTER2, as typed`: `the password [admin's password], as typed`,
	} {
		assert.Equal(t, want, r.Text(text))
	}
}

func TestWeakSecrets(t *testing.T) {
	for value, weak := range map[string]bool{
		"": true, "abc": true, "123456": true, "postgres": true, "Password": true, "correcthorsebattery": false,
		"sk-abc": false, "hunter2": false, "20240101123456789": false, testKey: false, "127.0.0.1:9901": false,
	} {
		assert.Equal(t, weak, Secret{Value: value}.Weak(), value)
	}
	strong, weak := Strong([]Secret{{What: "a", Value: "postgres"}, {What: "b", Value: testKey}})
	assert.Equal(t, []Secret{{What: "b", Value: testKey}}, strong)
	assert.Equal(t, []Secret{{What: "a", Value: "postgres"}}, weak)
}

func TestAnAddressIsFoundAsClientsPrintIt(t *testing.T) {
	r := New(Secret{What: "upstream address", Value: "127.0.0.1:18901"})
	for _, text := range []string{
		"dial 127.0.0.1:18901", "http://127.0.0.1:18901/v1", "HTTPConnectionPool(host='127.0.0.1', port=18901)", `host=\"127.0.0.1\", port=18901`,
		"Failed to connect to 127.0.0.1 port 18901 after 0 ms", "('127.0.0.1', 18901)", "localhost:18901", "http://[::1]:18901/v1", "host.docker.internal:18901",
		`"Addr":{"IP":"127.0.0.1","Port":18901,"Zone":""}`, `{"port":18901,"host":"127.0.0.1"}`, "127.0.0.1%3A18901", "LOCALHOST:18901",
	} {
		_, found := r.Bytes([]byte(text))
		assert.Equal(t, []string{"upstream address"}, found, text)
	}
	for _, text := range []string{
		"127.0.0.1:189012", "127.0.0.1:1890", "127.0.0.1:8080", "your address 127.0.0.1 sent 18901 tokens too many", "port 18901", "127.0.0.1", "1127.0.0.1:18901",
	} {
		_, found := r.Bytes([]byte(text))
		assert.Empty(t, found, text)
	}
}
