package load

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gammaOf(t *testing.T, cv float64) Arrivals {
	t.Helper()
	a, err := GammaArrivals(cv)
	require.NoError(t, err)
	return a
}

// The gaps have the mean of the rate and the spread of the process, and as many requests are due as at a constant rate.
func TestArrivalsAreThoseOfTheirProcess(t *testing.T) {
	trace, err := ReadTrace("bursts", strings.NewReader("0\n0\n0\n3\n3\n3\n6\n6\n6\n9"))
	require.NoError(t, err)
	for _, row := range []struct {
		arrivals Arrivals
		cv       float64
	}{
		{Arrivals{}, 0}, {PoissonArrivals(), 1}, {gammaOf(t, 0.5), 0.5}, {gammaOf(t, 3), 3}, {trace, math.Sqrt2},
	} {
		t.Run(row.arrivals.String(), func(t *testing.T) {
			p := Phase{Rate: 1000, For: 20 * time.Second, Arrivals: row.arrivals, Seed: 7}
			due := allDue(p)
			require.Len(t, due, 20_000)
			var sum, squares float64
			for i := range due[1:] {
				gap := (due[i+1] - due[i]).Seconds() * 1000
				require.GreaterOrEqual(t, gap, 0.0)
				sum, squares = sum+gap, squares+gap*gap
			}
			n := float64(len(due) - 1)
			mean := sum / n
			assert.InDelta(t, 1, mean, 0.02)
			assert.InDelta(t, row.cv, math.Sqrt(max(squares/n-mean*mean, 0))/mean, 0.05*max(row.cv, 0.01))
			assert.LessOrEqual(t, due[len(due)-1], p.For)
			assert.Equal(t, due, allDue(p), "the same seed, the same instants")
			p.Seed++
			if row.cv > 0 {
				assert.NotEqual(t, due, allDue(p))
			}
		})
	}
}

func TestArrivalsInWords(t *testing.T) {
	for _, text := range []string{"constant", "poisson", "gamma:0.5", "gamma:2"} {
		a, err := ParseArrivals(text)
		require.NoError(t, err)
		assert.Equal(t, text, a.String())
	}
	for _, text := range []string{"", "pareto", "gamma", "gamma:", "gamma:0", "gamma:NaN", "gamma:1e9", "poisson2"} {
		_, err := ParseArrivals(text)
		assert.ErrorIs(t, err, ErrInvalid, text)
	}
	assert.Equal(t, "20/s (poisson) for 5s", Phase{Rate: 20, For: 5 * time.Second, Arrivals: PoissonArrivals()}.text())
	assert.Equal(t, "8 callers for 5s", Phase{Rate: 20, For: 5 * time.Second, Closed: true, Connections: 8}.text())
	assert.Equal(t, "10/s to 20/s for 5s", Phase{Rate: 10, RampTo: 20, For: 5 * time.Second}.text())
}

func TestTraces(t *testing.T) {
	for sentence, lines := range map[string]string{
		"seconds":         "# a comment\n10\n11\n\n13",
		"milliseconds":    "{\"timestamp\": 10000, \"input_length\": 6755}\n{\"timestamp\": 11000}\n{\"timestamp\": 13000}",
		"dates":           "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.5000000,374,44\n2023-11-16 18:15:47.5000000,396,109\n2023-11-16 18:15:49.5000000,879,55",
		"dates in a zone": "2023-11-16T18:15:46Z\n2023-11-16T18:15:47Z\n2023-11-16T18:15:49Z",
		"out of order":    "13\n10\n11",
	} {
		a, err := ReadTrace("t.csv", strings.NewReader(lines))
		require.NoError(t, err, sentence)
		assert.InDeltaSlice(t, []float64{2.0 / 3, 4.0 / 3}, a.trace, 1e-6, sentence)
		assert.Equal(t, "trace t.csv", a.String())
	}
	for sentence, lines := range map[string]string{
		"nothing":          "",
		"one request":      "12",
		"all at once":      "12\n12\n12",
		"no instant":       "1\n2\nthree",
		"infinity":         "1\n2\nInf",
		"no timestamp":     "{\"timestamp\": 1}\n{}",
		"a timestamp text": "{\"timestamp\": 1}\n{\"timestamp\": \"2\"}",
	} {
		_, err := ReadTrace("t", strings.NewReader(lines))
		assert.ErrorIs(t, err, ErrInvalid, sentence)
	}
	_, err := ReadTrace("t", strings.NewReader(strings.Repeat("x", maxTraceLine+1)))
	assert.Error(t, err, "a line without an end")
}

func TestARampIsEven(t *testing.T) {
	p := Phase{Rate: 10, RampTo: 30, For: 10 * time.Second}
	due := allDue(p)
	require.Len(t, due, 200)
	var perSecond [10]int
	for _, at := range due {
		perSecond[min(int(at.Seconds()), 9)]++
	}
	assert.Equal(t, [10]int{11, 13, 15, 17, 19, 21, 23, 25, 27, 29}, perSecond)
	down := allDue(Phase{Rate: 30, RampTo: 10, For: 10 * time.Second})
	require.Len(t, down, 200)
	assert.IsNonDecreasing(t, down)
}
