package contract

import (
	"bytes"
	"strings"
	"testing"
)

// proseLength is that of a long answer.
const proseLength = 32 << 10

// longProse are texts of that length without a leak: plain prose, prose that has the words which the expressions look for
// first, and a stream of small events. Short is an ordinary error.
func longProse() map[string][]byte {
	repeated := func(s string) []byte { return bytes.Repeat([]byte(s), proseLength/len(s)+1)[:proseLength] }
	return map[string][]byte{
		"prose":  repeated("The quick brown fox jumps over the lazy dog at the river, and nobody was there to see it. "),
		"marks":  repeated(strings.Join(innocent, "\n") + "\n"),
		"stream": repeated("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"select at update in the set\"},\"finish_reason\":null}]}\n\n"),
		"short":  []byte(openaiNotFound),
		"blanks": repeated("   at \n"),
	}
}

func BenchmarkInner(b *testing.B) {
	for name, text := range longProse() {
		b.Run(name, func(b *testing.B) {
			inner(text)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				inner(text)
			}
		})
	}
}
