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

// timed is a handler that measures its own time.
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

// The overhead that the comparison measures is the one on the gateway's own clock: the time in its handler less the time in the
// upstream's. The way to one is as long as the way to the other.
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

	inUpstream := &timed{Handler: upstream.New(upstream.Options{Keys: profile.Upstream.Keys})}
	back := &httptest.Server{Listener: listener, Config: &http.Server{Handler: inUpstream, ReadHeaderTimeout: time.Minute}}
	back.Start()
	defer back.Close()

	direct, ok := DirectRequest(profile, dialect.Chat)
	require.True(t, ok)
	engine := load.NewEngine(load.Options{Caps: load.HardCaps()})
	defer engine.Close()
	o, err := engine.Compare(t.Context(), load.Comparison{
		Phase: load.Phase{Generator: load.GeneratorLimits{Missed: 0.99, Lag: time.Minute, CPU: 100}, Embedded: true},
		A:     load.Side{Name: "upstream", Mix: []load.Request{direct}}, B: load.Side{Name: "gateway", Mix: []load.Request{HealthyRequest(profile, dialect.Chat)}},
		Rate: 200, Rounds: 9, Duration: 100 * time.Millisecond, // 20 requests a half
	})
	require.NoError(t, err)
	own := (inGateway.median() - inUpstream.median()) / float64(time.Second)
	require.Equal(t, "service.p50", o.Differences[0].Metric)
	added := o.Differences[0].Added
	t.Logf("comparison: %.4g s (%.4g to %.4g), gateway's clock: %.4g s", added.Value, added.Low, added.High, own)
	// The difference of medians is not the median of differences: on a busy machine they are up to a quarter apart.
	assert.Greater(t, own, added.Low*3/4)
	assert.Less(t, own, added.High*5/4)
}
