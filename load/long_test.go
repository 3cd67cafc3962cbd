//go:build !race

// One goroutine computes all of this; with the race detector it takes ten times as long.

package load

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

func TestClassifierMemoIsBounded(t *testing.T) {
	c, r := newClassifier(), testRequest(t, dialect.Chat, contract.Case{})
	for i := range maxMemo + 100 {
		c.response(r, responseOf(500, jsonField, strings.Replace(good503, "no channel", strings.Repeat("x", i+1), 1)))
	}
	assert.Len(t, c.memo, 100, "the bound was reached once")
}
