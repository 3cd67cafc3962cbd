package limits

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWere(t *testing.T) {
	assert.Equal(t, "1 call was", callsWere(1))
	assert.Equal(t, "0 calls were", callsWere(0))
	assert.Equal(t, "1 call in total was", were(1, "call", " in total"))
	assert.Equal(t, "2 calls in total were", were(2, "call", " in total"))
	assert.Equal(t, "1 was", were(1, ""))
	assert.Equal(t, "3 were", were(3, ""))
}
