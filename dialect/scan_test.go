package dialect_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/dialect"
)

// scanned are JSON texts, valid and not.
var scanned = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":[1,2.5,-0,1e9,1E-2,0.1e+3],"b":{"c":null,"d":true,"e":false},"f":""}`, `{"a":"\"\\\/\b\f\n\r\t\u00e9\uD83d"}`, `[]`, `[[],{}]`, `"x"`, `null`,
	"{\"a\"\t:\n1\r}", `{"é":"日本"}`, `{"a":1,"a":2}`, `{"\u0061":1}`, `{"error":null,"choices":[{}]}`, "",
	`{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":-}`, `{"a":1e}`, `{"a":+1}`, `{"a":tru}`, `{"a":"x}`, "{\"a\":\"\n\"}", `{"a":"\x"}`, `{"a":"\u12g4"}`,
	`{"a":1}x`, `{"a":1}{"b":2}`, `{a:1}`, `{'a':1}`, "\xef\xbb\xbf{}", "{}\x00", `{"a":"\u12`, `{"a":"\`, `{"a":1 "b":2}`, `[1 2]`, "{\"a\x01\":1}", `{"a":nul}`, `NaN`, `{"a":1e+}`,
}

func TestScan(t *testing.T) {
	for _, text := range scanned {
		assert.Equal(t, json.Valid([]byte(text)), dialect.IsCertainJSON([]byte(text)), "%q", text)
	}
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	assert.False(t, dialect.IsCertainJSON([]byte(deep)), "valid, and too deep to be certain")
	assert.False(t, dialect.ScanObject([]byte(`{"\u0065rror":1}`), func(_, _ []byte) {}), "a key in disguise")
	members := map[string]string{}
	assert.True(t, dialect.ScanObject([]byte(` {"a" : [1, {"b":2}] ,"c":"d\"e"} `), func(key, value []byte) { members[string(key)] = string(value) }))
	assert.Equal(t, map[string]string{"a": `[1, {"b":2}]`, "c": `"d\"e"`}, members)
}

// What is certain is what encoding/json accepts, and so are the members.
func FuzzScan(f *testing.F) {
	for _, text := range scanned {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if dialect.IsCertainJSON(data) && !json.Valid(data) {
			t.Fatalf("%q is not valid", data)
		}
		members := map[string]string{}
		if !dialect.ScanObject(data, func(key, value []byte) { members[string(key)] = string(value) }) {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		for key, value := range members {
			if found, ok := want[string(bytes.ToValidUTF8([]byte(key), []byte("\ufffd")))]; ok && string(found) != value {
				t.Fatalf("%q: %q is %q, want %q", data, key, value, found)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	body := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat("hello ", 135) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if !dialect.IsCertainJSON(body) {
			b.Fatal("valid")
		}
	}
}
