package dialect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestTokensUsed(t *testing.T) {
	for _, row := range []struct {
		body string
		want int
	}{
		{`{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`, 10},
		{`{"usage":{"input_tokens":7,"output_tokens":4}}`, 11},
		{`{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6,"totalTokenCount":11}}`, 11},
		{`{"usage":{"prompt_tokens":7}}`, 7},
		{`{"usage":null}`, 0},
		{`{"usage":{"prompt_tokens":-7,"completion_tokens":3}}`, 0},
		{`{"usage":{"prompt_tokens":99999999999,"completion_tokens":3}}`, 0},
		{`{"usage":{"prompt_tokens":"7"}}`, 0},
		{`not JSON`, 0},
		{``, 0},
	} {
		got, ok := dialect.TokensUsed([]byte(row.body))
		require.Equal(t, row.want, got, row.body)
		require.Equal(t, row.want > 0, ok, row.body)
	}
}
