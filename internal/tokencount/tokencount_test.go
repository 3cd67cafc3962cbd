package tokencount_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/internal/tokencount"
)

func TestCount(t *testing.T) {
	c := tokencount.New()
	assert.Equal(t, 0, c.Count(""))
	assert.Equal(t, 2, c.Count("hello world"))
	assert.Equal(t, 256, c.Count(strings.Repeat(" river", 256)))
}
