//go:build !race

// Expressions search whole texts here, by one goroutine; with the race detector that takes half a minute.

package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

// What is found around the marks is what the expressions find in the whole of a long text.
func TestLeaksAreFoundInLongTexts(t *testing.T) {
	filler := strings.Join(innocent[:30], "\n") + "\n"
	require.Greater(t, len(filler), longestMatch)
	require.Empty(t, inner([]byte(filler)))
	for _, texts := range leaks {
		for _, text := range texts {
			long := filler + text + "x" + filler
			var want []string
			last := ""
			for _, p := range leakSearch().patterns {
				if p.what == last {
					continue
				}
				if m := p.re.FindString(long); m != "" {
					want, last = append(want, p.what+" ("+dialect.Excerpt([]byte(m))+")"), p.what
				}
			}
			assert.Equal(t, want, inner([]byte(long)), text)
		}
	}
}
