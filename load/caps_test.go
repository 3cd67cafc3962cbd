package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/exchange"
)

func TestCaps(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, Caps{Requests: 100, Rate: 50, Duration: 3 * time.Second, Connections: 8})
	phase := func(s Schedule, connections int, url string) Phase {
		return Phase{Mix: []Request{chatRequest(url)}, Schedule: s, Connections: connections, Generator: lenient()}
	}
	for _, row := range []struct {
		sentence string
		phase    Phase
		want     string
	}{
		{"too many requests", phase(Burst{Size: 1, Times: 101, Every: 25 * ms}, 1, s.URL), "101 requests, 100 allowed"},
		{"too fast", phase(Constant{51, time.Second}, 1, s.URL), "51 requests/s, 50/s allowed"},
		{"a burst counts as one second", phase(Burst{Size: 51}, 1, s.URL), "51 requests/s, 50/s allowed"},
		{"too long", phase(Constant{1, 4 * time.Second}, 1, s.URL), "4s, 3s allowed"},
		{"too many connections", phase(Burst{Size: 1}, 9, s.URL), "9 connections, 8 allowed"},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			_, err := e.Run(t.Context(), row.phase)
			require.ErrorIs(t, err, ErrCap)
			assert.ErrorContains(t, err, row.want)
		})
	}
	_, err := e.Run(t.Context(), phase(Closed{For: 2 * time.Second}, 8, s.URL))
	require.NoError(t, err, "a closed loop takes what the caps leave")
	_, err = e.Run(t.Context(), phase(Burst{Size: 1}, 1, s.URL))
	require.ErrorIs(t, err, ErrCap, "and then nothing is left")
	assert.Equal(t, HardCaps().Requests, newEngine(t, Caps{Requests: math.MaxUint64}).Caps().Requests)
}

// The race detector finds a plan that reads what a phase is using up.
func TestPlanWhileAPhaseRuns(t *testing.T) {
	simulate(t, ok, func(t *testing.T, e *Engine, url string) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, err := e.Run(t.Context(), Phase{Mix: []Request{chatRequest(url)}, Schedule: Burst{Size: 10}, Generator: lenient()})
			assert.NoError(t, err)
		}()
		closed := Phase{Mix: []Request{chatRequest(url)}, Schedule: Closed{For: time.Second}}
		for range 100 {
			p, err := e.Plan(closed)
			require.NoError(t, err)
			assert.Contains(t, []uint64{HardCaps().Requests, HardCaps().Requests - 10}, p.Requests)
			time.Sleep(time.Microsecond)
		}
		<-ended
		p, err := e.Plan(closed)
		require.NoError(t, err)
		assert.Equal(t, HardCaps().Requests-10, p.Requests, "a closed loop may use what the caps leave")
	})
}

func TestPhasesThatAreInvalid(t *testing.T) {
	e := newEngine(t, Caps{})
	good := Phase{Mix: []Request{chatRequest("http://127.0.0.1:1")}, Schedule: Burst{Size: 1}}
	for sentence, change := range map[string]func(*Phase){
		"no schedule":            func(s *Phase) { s.Schedule = nil },
		"no requests":            func(s *Phase) { s.Mix = nil },
		"a negative rate":        func(s *Phase) { s.Schedule = Constant{-1, time.Second} },
		"negative connections":   func(s *Phase) { s.Connections = -1 },
		"a negative weight":      func(s *Phase) { s.Mix[0].Weight = -1 },
		"a URL that is not HTTP": func(s *Phase) { s.Mix[0].Call.BaseURL = "ftp://x" },
		"a fault on the wire":    func(s *Phase) { s.Mix[0].Call.Fault = exchange.ShortBody },
	} {
		t.Run(sentence, func(t *testing.T) {
			s := good
			s.Mix = slices.Clone(good.Mix)
			change(&s)
			_, err := e.Run(t.Context(), s)
			assert.ErrorIs(t, err, ErrInvalid)
			_, err = e.Plan(s)
			assert.ErrorIs(t, err, ErrInvalid)
		})
	}
}

func TestPlan(t *testing.T) {
	e := newEngine(t, Caps{})
	p, err := e.Plan(Phase{Mix: []Request{chatRequest("http://127.0.0.1:9900"), chatRequest("https://gateway.example")}, Schedule: Constant{20, 10 * time.Second}})
	require.NoError(t, err)
	assert.Equal(t, "at most 200 requests at up to 20/s for 10s, over 64 connections, to 127.0.0.1:9900 and gateway.example:443", p.String())
	assert.False(t, p.Loopback())
	for host, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "localhost:80": true, "LOCALHOST:80": true, "[fe80::1]:80": false, "[::ffff:127.0.0.1]:80": true, "10.0.0.1:80": false, "localhost.example:80": false} {
		assert.Equal(t, want, Plan{Hosts: []string{host}}.Loopback(), host)
	}
	both := p.Add(p).Repeat(2)
	assert.Equal(t, uint64(800), both.Requests)
	assert.Equal(t, 40*time.Second, both.Duration)
	assert.InDelta(t, 20, both.Rate, 0)
}
