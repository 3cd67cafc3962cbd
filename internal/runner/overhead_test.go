package runner

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/upstream"
)

// timed is a handler that measures itself.
type timed struct {
	http.Handler
	mu    sync.Mutex
	times []float64
}

func (h *timed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	h.Handler.ServeHTTP(w, r)
	took := float64(time.Since(began))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.times = append(h.times, took)
}

func (h *timed) median() float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.times)
	return h.times[len(h.times)/2]
}

// What the comparison says the gateway adds is what the gateway's own clock says: the time in its handler less the
// time in the provider's. The way to the one is as long as the way to the other.
func TestOverheadAgreesWithTheGatewaysOwnClock(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gateway, err := reference.New(t.Context(), reference.Options{Upstream: "http://" + listener.Addr().String()})
	require.NoError(t, err)
	defer func() { require.NoError(t, gateway.Close()) }()
	inGateway := &timed{Handler: gateway}
	front := httptest.NewServer(inGateway)
	defer front.Close()
	profile := gateway.Profile(front.URL, listener.Addr().String())

	inProvider := &timed{Handler: upstream.New(upstream.Options{Keys: profile.Upstream.Keys})}
	back := &httptest.Server{Listener: listener, Config: &http.Server{Handler: inProvider, ReadHeaderTimeout: time.Minute}}
	back.Start()
	defer back.Close()

	direct, ok := DirectRequest(profile, dialect.Chat)
	require.True(t, ok)
	engine := load.NewEngine(load.Options{Caps: load.HardCaps()})
	defer engine.Close()
	o, err := engine.Overhead(t.Context(), load.Comparison{
		Phase: load.Phase{Generator: load.GeneratorLimits{Missed: 0.99, Lag: time.Minute, CPU: 100}, Embedded: true}, Direct: direct, Through: HealthyRequest(profile, dialect.Chat),
		Rounds: 9, Duration: 400 * time.Millisecond,
	})
	require.NoError(t, err)
	own := time.Duration(inGateway.median() - inProvider.median())
	half := o.Differences[0]
	t.Logf("the comparison: %s (%s to %s), the gateway's clock: %s", half.Added, half.Low, half.High, own)
	// A quarter is for what the medians of differences and the difference of medians do not share on a busy machine.
	assert.Greater(t, own, half.Low*3/4)
	assert.Less(t, own, half.High*5/4)
}
