//go:build !race

// One goroutine reads the floods, and takes twenty times as long with the race detector.

package load

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flood is a stream of events that never end, each byte in a chunk of its own.
func flood(size int) string {
	text := "data: " + strings.Repeat("\r\ndata: x", size/9)
	return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"1\r\n" + strings.Join(strings.Split(text, ""), "\r\n1\r\n") + "\r\n0\r\n\r\n"
}

// A gateway that sends its stream byte by byte must not keep the generator busy. A search from the beginning at each read
// takes the time of a hundred thousand such streams.
func TestAFloodOfSmallChunksIsReadInLinearTime(t *testing.T) {
	wire, began := flood(1<<20), time.Now()
	got, err := readFrom(strings.NewReader(wire), http.MethodPost, 4<<20)
	require.NoError(t, err)
	require.NoError(t, got.transferErr)
	assert.True(t, got.firstEvent.IsZero())
	assert.Less(t, time.Since(began), 5*time.Second)
}

// BenchmarkFlood is the time for each byte of such a stream: the same for all sizes.
func BenchmarkFlood(b *testing.B) {
	for _, size := range []int{64 << 10, 256 << 10, 1 << 20} {
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			wire := flood(size)
			b.SetBytes(int64(size))
			for b.Loop() {
				_, err := readFrom(strings.NewReader(wire), http.MethodPost, 4<<20)
				require.NoError(b, err)
			}
		})
	}
}
