package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTraceParentsAreRead(t *testing.T) {
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for value, want := range map[string]TraceContext{
		"00-" + trace + "-" + span + "-01":     {trace, span, true},
		"00-" + trace + "-" + span + "-00":     {trace, span, false},
		"00-" + trace + "-" + span + "-02":     {trace, span, false}, // the random flag of level 2
		"cc-" + trace + "-" + span + "-01-new": {trace, span, true},
	} {
		got, ok := ParseTraceParent(value)
		assert.True(t, ok, value)
		assert.Equal(t, want, got, value)
	}
	for _, value := range []string{
		"", "00", "00-" + trace + "-" + span, "00-" + strings.ToUpper(trace) + "-" + span + "-01", "ff-" + trace + "-" + span + "-01",
		"00-" + trace + "-" + span + "-01-more", "00-" + strings.Repeat("0", 32) + "-" + span + "-01", "00-" + trace + "-" + strings.Repeat("0", 16) + "-01",
		"cc-" + trace + "-" + span + "-01-" + strings.Repeat("x", MaxTraceParent),
	} {
		_, ok := ParseTraceParent(value)
		assert.False(t, ok, value)
	}
}
