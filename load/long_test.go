//go:build !race

// One goroutine computes all of this; with the race detector it takes ten times as long.

package load

import (
	"math/rand/v2"
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

// The interval has to hold the true median in about 95 of 100 cases; 85 leave room for a sample of ten.
func TestBootstrapIntervalHoldsTheMedian(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	held := 0
	for range 200 {
		sample := make([]float64, 10)
		for i := range sample {
			sample[i] = 100 + 10*random.NormFloat64()
		}
		if e := bootstrapMedian(sample); e.Low <= 100 && e.High >= 100 {
			held++
		}
	}
	assert.GreaterOrEqual(t, held, 170)
}
