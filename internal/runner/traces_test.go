package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTracesPassed(t *testing.T) {
	assert.Contains(t, tracesPassed(7, 7), "passes traces on: ")
	assert.Contains(t, tracesPassed(0, 7), "does not pass traces on: ")
	assert.Contains(t, tracesPassed(3, 7), "in part: traceparent came to the upstream with 3 of 7 calls")
}
