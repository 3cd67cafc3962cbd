package load

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func allDue(s Schedule) []time.Duration {
	var out []time.Duration
	for next := s.Arrivals(); ; {
		due, ok := next()
		if !ok || len(out) > 1_000_000 {
			return out
		}
		out = append(out, due)
	}
}

func TestScheduleRequests(t *testing.T) {
	for _, row := range []struct {
		sentence string
		schedule Schedule
		want     []time.Duration
	}{
		{"10/s for 0.3 s: the first at once, none at the end", Constant{10, 300 * ms}, []time.Duration{0, 100 * ms, 200 * ms}},
		{"10/s for 0.301 s: one more", Constant{10, 301 * ms}, []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}},
		{"a rate of 0 is a pause", Constant{0, time.Second}, nil},
		{"a rate so low that one result is all", Constant{1e-9, time.Second}, []time.Duration{0}},
		{"from 0 to 4/s in 2 s: 4 results, closer and closer", Ramp{0, 4, 2 * time.Second}, []time.Duration{0, 1000 * ms, 1414213562, 1732050807}},
		{"from 4 to 0/s in 2 s: 4 results, farther and farther", Ramp{4, 0, 2 * time.Second}, []time.Duration{0, 267949192, 585786437, 1000 * ms}},
		{"a pause between two steps", Steps{[]float64{2, 0, 2}, time.Second}, []time.Duration{0, 500 * ms, 2000 * ms, 2500 * ms}},
		{"three at once", Burst{Size: 3}, []time.Duration{0, 0, 0}},
		{"two at once, twice", Burst{Size: 2, Times: 2, Every: time.Second}, []time.Duration{0, 0, time.Second, time.Second}},
		{"a closed loop of three", Closed{Requests: 3, For: time.Second}, []time.Duration{0, 0, 0}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			assert.Equal(t, row.want, allDue(row.schedule))
			extent, err := row.schedule.Extent()
			require.NoError(t, err)
			assert.Equal(t, uint64(len(row.want)), extent.Requests, "the extent says the same")
		})
	}
}

func TestScheduleExtremes(t *testing.T) {
	for _, row := range []struct {
		sentence string
		schedule Schedule
	}{
		{"a negative rate", Constant{-1, time.Second}},
		{"no number", Constant{math.NaN(), time.Second}},
		{"an infinite rate", Ramp{1, math.Inf(1), time.Second}},
		{"no time", Constant{10, 0}},
		{"negative time", Poisson{Rate: 1, For: -time.Second}},
		{"longer than a month", Constant{1, 31 * 24 * time.Hour}},
		{"more results than anybody can count", Constant{1e9, time.Hour}},
		{"no steps", Steps{Each: time.Second}},
		{"a negative step", Steps{[]float64{1, -1}, time.Second}},
		{"an empty burst", Burst{}},
		{"bursts with nothing between them", Burst{Size: 1, Times: 2}},
		{"bursts beyond all counting", Burst{Size: math.MaxInt, Times: math.MaxInt, Every: time.Hour}},
		{"a closed loop without an end", Closed{}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			_, err := row.schedule.Extent()
			assert.ErrorIs(t, err, ErrInvalid)
		})
	}
}

// vegeta's constant pacer divides by zero above 1e9/s and its linear pacer takes a start of 0 for infinity.
func TestScheduleAboveOneRequestANanosecond(t *testing.T) {
	due := allDue(Constant{4e9, 25 * time.Nanosecond})
	require.Len(t, due, 100)
	assert.Equal(t, 24*time.Nanosecond, due[99])
}

func TestScheduleNeverFalls(t *testing.T) {
	for _, s := range []Schedule{
		Ramp{0, 1000, 3 * time.Second}, Ramp{1000, 0, 3 * time.Second}, Ramp{1000, 1000.0001, 3 * time.Second},
		Constant{333.3, 3 * time.Second}, Poisson{500, 3 * time.Second, 7}, Steps{[]float64{1, 500, 0, 3}, time.Second},
	} {
		extent, err := s.Extent()
		require.NoError(t, err)
		var last time.Duration
		for _, due := range allDue(s) {
			require.GreaterOrEqual(t, due, last, "%s", s)
			require.LessOrEqual(t, due, extent.Duration, "%s", s)
			last = due
		}
	}
}

func TestPoisson(t *testing.T) {
	p := Poisson{Rate: 1000, For: 10 * time.Second, Seed: 1}
	due := allDue(p)
	assert.InDelta(t, 10_000, len(due), 400, "four standard deviations")
	assert.Equal(t, due, allDue(p), "the same seed gives the same instants")
	assert.NotEqual(t, due, allDue(Poisson{Rate: 1000, For: 10 * time.Second, Seed: 2}))

	// Gaps of an exponential distribution: their standard deviation is their mean, and 63 % are below it.
	below := 0
	for i := 1; i < len(due); i++ {
		if due[i]-due[i-1] < ms {
			below++
		}
	}
	assert.InDelta(t, 0.632, float64(below)/float64(len(due)), 0.03)
	extent, err := p.Extent()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, extent.Requests, uint64(len(due)))
}

func TestScheduleWords(t *testing.T) {
	for want, s := range map[string]Schedule{
		"10/s for 1s":                  Constant{10, time.Second},
		"1/s to 10/s in 1s":            Ramp{1, 10, time.Second},
		"[1 2]/s, 1s each":             Steps{[]float64{1, 2}, time.Second},
		"Poisson 10/s for 1s":          Poisson{Rate: 10, For: time.Second},
		"5 at once":                    Burst{Size: 5},
		"5 at once, 3 times, 1s apart": Burst{5, 3, time.Second},
		"closed loop for 1s":           Closed{For: time.Second},
	} {
		assert.Equal(t, want, s.String())
	}
}
