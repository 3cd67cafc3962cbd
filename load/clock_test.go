//go:build !race

// These measure on the real clock: make test-clock.

package load

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/upstream"
)

// The same as [TestStreamsOfAPlayedModel] on the real clock, over TCP, with the upstream in this process.
func TestStreamsOfAPlayedModelOnTheRealClock(t *testing.T) {
	for _, row := range []struct {
		streams int
		model   string
		rate    float64
		length  time.Duration
	}{
		{1, "ttft=lognormal:100ms:0.2,itl=20ms,tokens=20", 1.5, 10 * time.Second},
		{1000, "ttft=lognormal:500ms:0.3,itl=400ms,tokens=16", 170, 7 * time.Second},
	} {
		t.Run(fmt.Sprint(row.streams), func(t *testing.T) {
			model, err := upstream.ParseModel(row.model)
			require.NoError(t, err)
			mock := upstream.New(upstream.Options{Model: model})
			server, err := upstream.Listen(t.Context(), "127.0.0.1:0", mock)
			require.NoError(t, err)
			defer func() { require.NoError(t, server.Close()) }()
			e := NewEngine(Options{Caps: HardCaps()})
			defer e.Close()
			m, err := e.Run(t.Context(), modelPhase(server.URL(), dialect.ChatStream, row.rate, row.length, row.streams+500))
			require.NoError(t, err)
			requireAgreement(t, m, mock.Played())
		})
	}
}
