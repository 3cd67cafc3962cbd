package distribution_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/distribution"
)

func TestSamplesHaveTheMedianAndTailThatTheTextSays(t *testing.T) {
	const ms = float64(time.Millisecond)
	for _, row := range []struct {
		text        string
		median, p99 float64 // ms
	}{
		{"200ms", 200, 200},
		{"uniform:100ms-300ms", 200, 298},
		{"normal:200ms:20ms", 200, 246.5},
		{"lognormal:200ms", 200, 640},
		{"lognormal:200ms:0.2", 200, 318.5},
		{"exp:200ms", 138.6, 921},
	} {
		t.Run(row.text, func(t *testing.T) {
			d, err := distribution.ParseDuration(row.text, time.Hour)
			require.NoError(t, err)
			assert.Equal(t, row.text, d.String())
			random := rand.New(rand.NewPCG(1, 2))
			values := make([]float64, 40_000)
			sum := 0.0
			for i := range values {
				values[i] = float64(d.Duration(random)) / ms
				sum += values[i]
			}
			slices.Sort(values)
			assert.InEpsilon(t, row.median, values[len(values)/2], 0.02)
			assert.InEpsilon(t, row.p99, values[len(values)*99/100], 0.03)
			assert.InEpsilon(t, sum/float64(len(values)), d.Mean()/ms, 0.02)
			assert.Less(t, values[len(values)*999/1000], d.Most()/ms+0.001)
		})
	}
}

func TestCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	d, err := distribution.ParseCount("normal:2:5", 100)
	require.NoError(t, err)
	for range 1000 {
		require.GreaterOrEqual(t, d.Count(random), 1, "nobody asks for no token")
	}
	assert.True(t, distribution.Distribution{}.IsZero())
	assert.False(t, d.IsZero())
}

func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"":                    `invalid distribution: "": "" is not a duration such as 200ms`,
		"x":                   `invalid distribution: "x": "x" is not a duration such as 200ms`,
		"0s":                  `invalid distribution: "0s": "0s" must be greater than 0 and at most 1h0m0s`,
		"2h":                  `invalid distribution: "2h": "2h" must be greater than 0 and at most 1h0m0s`,
		"-1s":                 `invalid distribution: "-1s": "-1s" must be greater than 0 and at most 1h0m0s`,
		"beta:1s":             `invalid distribution: "beta:1s": must be a duration such as 200ms, or one of uniform:A-B, normal:MEAN:SPREAD, lognormal:MEDIAN:SIGMA and exp:MEAN`,
		"exp:1s:2s":           `invalid distribution: "exp:1s:2s": exp requires one value`,
		"normal:1s":           `invalid distribution: "normal:1s": normal requires two values`,
		"uniform:2s-1s":       `invalid distribution: "uniform:2s-1s": the first value must not be greater than the second`,
		"lognormal:1s:9":      `invalid distribution: "lognormal:1s:9": SIGMA, the standard deviation of the logarithm, must be greater than 0 and at most 3`,
		"lognormal:1s:NaN":    `invalid distribution: "lognormal:1s:NaN": SIGMA, the standard deviation of the logarithm, must be greater than 0 and at most 3`,
		"uniform:1s-nonsense": `invalid distribution: "uniform:1s-nonsense": "nonsense" is not a duration such as 200ms`,
	} {
		_, err := distribution.ParseDuration(text, time.Hour)
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, distribution.ErrSyntax)
	}
	_, err := distribution.ParseCount("256.5", 1000)
	assert.ErrorIs(t, err, distribution.ErrSyntax)
}
