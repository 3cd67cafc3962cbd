package convert_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func BenchmarkDecodeStream(b *testing.B) {
	for _, p := range dialect.Dialects() {
		for _, pieces := range []int{3, 300} {
			b.Run(fmt.Sprintf("%s/%d", p, pieces), func(b *testing.B) {
				e, err := convert.NewStreamEncoder(native(p, true), convert.Head{ID: "7", Model: "m"}, nil)
				require.NoError(b, err)
				var stream strings.Builder
				for range pieces {
					out, err := e.Piece("four words and more ")
					require.NoError(b, err)
					stream.Write(out)
				}
				out, err := e.Finish(dialect.End{Finish: dialect.FinishStop, PromptTokens: 3, CompletionTokens: 5})
				require.NoError(b, err)
				stream.Write(out)
				b.SetBytes(int64(stream.Len()))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := convert.DecodeStream(b.Context(), p, strings.NewReader(stream.String()), discard); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, surface := range []dialect.Surface{dialect.Chat, dialect.Messages, dialect.GenerateContent, dialect.Embeddings} {
		b.Run(string(surface), func(b *testing.B) {
			body := []byte(bodies[surface])
			b.ReportAllocs()
			for b.Loop() {
				if _, err := convert.Decode(surface, pathModel(surface, "m"), body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
