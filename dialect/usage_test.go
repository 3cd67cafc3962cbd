package dialect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestTokensUsed(t *testing.T) {
	for _, row := range []struct {
		body string
		want [2]int
	}{
		{`{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`, [2]int{7, 3}},
		{`{"usage":{"input_tokens":7,"output_tokens":4}}`, [2]int{7, 4}},
		{`{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6,"totalTokenCount":11}}`, [2]int{5, 6}},
		{`{"usage":{"prompt_tokens":7}}`, [2]int{7, 0}},
		{`{"usage":null}`, [2]int{}},
		{`{"usage":{"prompt_tokens":-7,"completion_tokens":3}}`, [2]int{}},
		{`{"usage":{"prompt_tokens":99999999999,"completion_tokens":3}}`, [2]int{}},
		{`{"usage":{"prompt_tokens":"7"}}`, [2]int{}},
		{`not JSON`, [2]int{}},
		{``, [2]int{}},
	} {
		input, output, ok := dialect.TokensUsed([]byte(row.body))
		require.Equal(t, row.want, [2]int{input, output}, row.body)
		require.Equal(t, row.want != [2]int{}, ok, row.body)
	}
}
