//go:build !race

// One goroutine reads long streams, and takes ten times as long with the race detector.

package convert_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestDecodeStreamIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a line without an end":   "data: x",
		"an event without an end": "data: x\n",
		"comments without an end": ": keep-alive, keep-alive, keep-alive, keep-alive, keep-alive\n\n",
		"blank lines":             "\n",
		"events":                  sse(`{"type":"ping","padding":"` + strings.Repeat("x", convert.MaxEvent-100) + `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			r := &endless{text: text}
			_, err := collect(t.Context(), dialect.Anthropic, r)
			assert.ErrorIs(t, err, convert.ErrNotAnswer)
			assert.LessOrEqual(t, r.read, int64(convert.MaxStream+2*convert.MaxEvent))
		})
	}
	_, err := convert.DecodeStream(t.Context(), dialect.OpenAI, silent{}, discard)
	assert.ErrorIs(t, err, io.ErrNoProgress)
	assert.ErrorIs(t, err, convert.ErrTruncated)
}
