package load

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func allDue(p Phase) (all []time.Duration) {
	s := newSchedule(p)
	for range p.requests() {
		due, _ := s.due()
		all = append(all, due)
	}
	return all
}

func TestWhenRequestsAreDue(t *testing.T) {
	for _, row := range []struct {
		sentence string
		rate     float64
		lasts    time.Duration
		want     []time.Duration
	}{
		{"10/s for 0.3 s: the first at once, none at the end", 10, 300 * ms, []time.Duration{0, 100 * ms, 200 * ms}},
		{"10/s for 0.301 s: one more", 10, 301 * ms, []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}},
		{"a rate so low that one request is all", 1e-9, time.Second, []time.Duration{0}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			assert.Equal(t, row.want, allDue(Phase{Rate: row.rate, For: row.lasts}))
		})
	}
}

func TestSchedulesOutOfRange(t *testing.T) {
	for sentence, p := range map[string]Phase{
		"a negative rate":                      {Rate: -1, For: time.Second},
		"no rate":                              {For: time.Second},
		"no number":                            {Rate: math.NaN(), For: time.Second},
		"an infinite rate":                     {Rate: math.Inf(1), For: time.Second},
		"no time":                              {Rate: 10},
		"negative time":                        {Rate: 1, For: -time.Second},
		"longer than a month":                  {Rate: 1, For: 31 * 24 * time.Hour},
		"more requests than anybody can count": {Rate: 1e9, For: time.Hour},
	} {
		assert.ErrorIs(t, p.checkSchedule(), ErrInvalid, sentence)
	}
}

// vegeta's constant pacer divides by zero above 1e9/s.
func TestAboveOneRequestANanosecond(t *testing.T) {
	due := allDue(Phase{Rate: 4e9, For: 25 * time.Nanosecond})
	require.Len(t, due, 100)
	assert.Equal(t, 24*time.Nanosecond, due[99])
}

func TestRequestsAreDueInOrder(t *testing.T) {
	p := Phase{Rate: 333.3, For: 3 * time.Second}
	var last time.Duration
	for _, due := range allDue(p) {
		require.GreaterOrEqual(t, due, last)
		require.LessOrEqual(t, due, p.For)
		last = due
	}
}
