package dialect

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodeObject(t *testing.T) {
	for body, want := range map[string]string{
		"":       "empty",
		" \n":    "empty",
		"[1, 2]": "an array, not an object",
		`"{}"`:   "a string, not an object",
		"-1.5e3": "a number, not an object",
		"true":   "a boolean, not an object",
		"null":   "null, not an object",
		"{}":     "",
		" {\n} ": "",
		`{"a":1,"b":[{"a":{}},[],"}\"]{"],"c":{"a":1,"b":{"a":null}}}`: "",
		`{"a":1,"b":2,"a":3}`:              `an object with the duplicate key "a"`,
		`{"a":1,"\u0061":3}`:               `an object with the duplicate key "a"`,
		`{"x":[1,{"b":{"a":1, "a" : 2}}]}`: `an object with the duplicate key "a"`,
		`[{"a":1,"a":2}]`:                  "an array, not an object",
		`{"a":"x","A":"y"}`:                "",
		`{"a":1} {}`:                       "not JSON at byte 9 (more data after the value): \"{\\\"a\\\":1} {}\"",
		`{"a":1,}`:                         "not JSON at byte 8 (invalid character '}' looking for beginning of object key string): \"{\\\"a\\\":1,}\"",
		`{"a":NaN}`:                        "not JSON at byte 6 (invalid character 'N' looking for beginning of value): \"{\\\"a\\\":NaN}\"",
		` {"a":`:                           "not JSON at byte 6 (cut off): \"{\\\"a\\\":\"",
		"{\"a\":\"\xff\"}":                 "not JSON: byte 7 is not UTF-8: \"{\\\"a\\\":\\\"\\xff\\\"}\"",
		"\x1f\x8b\x08":                     "not JSON: compressed with gzip but without a Content-Encoding",
		strings.Repeat("[", 64) + strings.Repeat("]", 64):                       "an array, not an object",
		strings.Repeat("[", 65) + strings.Repeat("]", 65):                       "nested more than 64 levels deep",
		`{"a":1,"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: "nested more than 64 levels deep",
		strings.Repeat(`{"a":`, 63) + "{}" + strings.Repeat("}", 63):            "",
		strings.Repeat(`{"a":`, 64) + "{}" + strings.Repeat("}", 64):            "nested more than 64 levels deep",
	} {
		_, _, err := DecodeObject([]byte(body))
		if want == "" {
			assert.NoError(t, err, body)
			continue
		}
		assert.EqualError(t, err, want, body)
	}
	object, order, err := DecodeObject([]byte(` {"b" : [1, 2] , "a":"x\"", "\u00e4": {"c": true} ,"n":-1}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "a", "ä", "n"}, order)
	assert.Equal(t, map[string]json.RawMessage{"b": []byte("[1, 2]"), "a": []byte(`"x\""`), "ä": []byte(`{"c": true}`), "n": []byte("-1")}, object)
}

// FuzzDecodeObject holds the one pass against encoding/json, which knows nothing of keys that stand twice.
func FuzzDecodeObject(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, ` {"a":{"b":[1,{"c":"}"}]},"d":"\\\""}`, `[1]`, `{"a":1,"a":2}`, "{\"a\":\t1 ,\n\"b\":[ ]}", `"x"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		object, order, err := DecodeObject(body)
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &want))
		require.Len(t, order, len(want))
		for key, value := range want {
			require.True(t, bytes.Equal(value, object[key]), "%q: %q, want %q", key, object[key], value)
		}
		_, err = json.Marshal(object)
		require.NoError(t, err)
	})
}

func BenchmarkDecodeObject(b *testing.B) {
	for name, body := range map[string]string{
		"error": `{"error":{"message":"The model does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}`,
		"80 KB": `{"error":{"message":"` + strings.Repeat("x", 80<<10) + `","type":"invalid_request_error","param":null,"code":"model_not_found"}}`,
		"list":  `{"data":[` + strings.Repeat(`{"id":"model","object":"model","created":1},`, 500) + `{}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = DecodeObject([]byte(body))
			}
		})
	}
}
