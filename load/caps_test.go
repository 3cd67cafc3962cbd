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
	phase := func(rate float64, lasts time.Duration, connections int) Phase {
		return Phase{Mix: []Request{chatRequest(s.URL)}, Rate: rate, For: lasts, Connections: connections, Generator: lenient()}
	}
	for _, row := range []struct {
		sentence string
		phase    Phase
		want     string
	}{
		{"too many requests", phase(50, 2020*ms, 1), "it sends 101 requests, but at most 100 are allowed"},
		{"too fast", phase(51, time.Second, 1), "it sends 51 requests/s, but at most 50/s are allowed"},
		{"too long", phase(1, 4*time.Second, 1), "it takes 4s, but at most 3s is allowed"},
		{"too many connections", phase(1, ms, 9), "it uses 9 connections, but at most 8 are allowed"},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			_, err := e.Run(t.Context(), row.phase)
			require.ErrorIs(t, err, ErrCap)
			assert.ErrorContains(t, err, row.want)
		})
	}
	_, err := e.Run(t.Context(), phase(50, 2*time.Second, 8))
	require.NoError(t, err, "all that the caps allow")
	_, err = e.Run(t.Context(), phase(1, ms, 1))
	require.ErrorIs(t, err, ErrCap, "and then nothing is left")
	assert.Equal(t, HardCaps().Requests, newEngine(t, Caps{Requests: math.MaxUint64}).Caps().Requests)
}

func TestPhasesThatAreInvalid(t *testing.T) {
	e := newEngine(t, Caps{})
	good := Phase{Mix: []Request{chatRequest("http://127.0.0.1:1")}, Rate: 200, For: 5 * ms}
	for sentence, change := range map[string]func(*Phase){
		"no time":                func(s *Phase) { s.For = 0 },
		"no requests":            func(s *Phase) { s.Mix = nil },
		"a negative rate":        func(s *Phase) { s.Rate = -1 },
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
	p, err := e.Plan(Phase{Mix: []Request{chatRequest("http://127.0.0.1:9900"), chatRequest("https://gateway.example")}, Rate: 20, For: 10 * time.Second})
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
