package load

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/runlog"
)

// A gateway that stands still for 500 ms every 5 s, and a soak that is interrupted after two and a half minutes: each
// checkpoint has all that was known then, and the result the rest.
func TestSoakOfAGatewayThatStalls(t *testing.T) {
	began := atomic.Int64{}
	stalling := func(w http.ResponseWriter, r *http.Request) {
		began.CompareAndSwap(0, time.Now().UnixNano())
		since := time.Duration(time.Now().UnixNano() - began.Load())
		if into := since % (5 * time.Second); into < 500*ms && since > 5*time.Second {
			time.Sleep(500*ms - into)
		}
		time.Sleep(5 * ms)
		ok(w, r)
	}
	simulate(t, stalling, func(t *testing.T, e *Engine, url string) {
		ctx, cancel := context.WithCancel(t.Context())
		var checkpoints []SoakResult
		soak := Soak{Phase: Phase{Mix: []Request{chatRequest(url)}, Generator: lenient()}, Rate: 20, For: time.Hour}
		soak.Checkpoint = func(r SoakResult) { checkpoints = append(checkpoints, r) }
		time.AfterFunc(150*time.Second, cancel)
		result, err := e.Soak(ctx, soak)
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, checkpoints, 2)
		for i, c := range checkpoints {
			minute := uint64(i+1) * 1200
			assert.InDelta(t, minute, c.Measurement.Sent, 20)
			assert.Equal(t, c.Measurement.Sent, c.Measurement.Count(runlog.Admitted))
			assert.NotEmpty(t, c.Measurement.Windows)
		}
		first := checkpoints[0].Measurement
		assert.Less(t, first.Of(AllRequests, runlog.Admitted).Count, result.Measurement.Count(runlog.Admitted), "a copy")
		assert.InDelta(t, 5*time.Second, result.Stalls.Every, float64(100*ms), "%s", result.Stalls)
		assert.InDelta(t, 5*time.Second, checkpoints[0].Stalls.Every, float64(100*ms), "after a minute already")
	})
}

func TestOpenDescriptors(t *testing.T) {
	before := openDescriptors(os.Getpid())
	require.Positive(t, before)
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	assert.Greater(t, openDescriptors(os.Getpid()), before)
	assert.Equal(t, -1, openDescriptors(1<<30))
}
