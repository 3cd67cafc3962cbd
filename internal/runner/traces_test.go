package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTracesPassed(t *testing.T) {
	assert.Contains(t, tracesPassed(7, 7), "propagates traces: ")
	assert.Contains(t, tracesPassed(0, 7), "does not propagate traces: ")
	assert.Contains(t, tracesPassed(3, 7), "some traces: 3 of 7 upstream requests")
}
