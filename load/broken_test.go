package load

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// rawServer answers every connection with a function.
func rawServer(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				answer(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return "http://" + listener.Addr().String()
}

func readRequest(conn net.Conn) bool {
	buffer := make([]byte, 4096)
	_, err := conn.Read(buffer)
	return err == nil
}

func TestRunAgainstBrokenGateways(t *testing.T) {
	write := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, text)
			}
		}
	}
	for _, row := range []struct {
		sentence string
		answer   func(net.Conn)
		want     runlog.Outcome
		status   int
	}{
		{"closes without a response", func(conn net.Conn) { readRequest(conn) }, runlog.TransportError, 0},
		{"resets", func(conn net.Conn) {
			readRequest(conn)
			_ = conn.(*net.TCPConn).SetLinger(0)
		}, runlog.TransportError, 0},
		{"speaks another protocol", write("hello there, this is not HTTP\r\n"), runlog.TransportError, 0},
		{"ends its response early", write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), runlog.TransportError, 200},
		{"refuses and ends the response early", write("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 500\r\n\r\n{"), runlog.Refused, 429},
		{"stalls in its response", func(conn net.Conn) {
			write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")(conn)
			readRequest(conn) // until the client disconnects
		}, runlog.Timeout, 200},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
				Mix: []Request{chatRequest(rawServer(t, row.answer))}, Rate: 200, For: 15 * ms, Timeout: 500 * ms, Generator: lenient(), Keep: 3,
			})
			require.NoError(t, err)
			assert.Equal(t, uint64(3), m.Count(row.want), "%v", m.Results)
			for _, result := range m.Results {
				assert.False(t, result.Resent, "a request on a new connection is not sent again")
				assert.Equal(t, row.status, result.Status)
			}
		})
	}
}

func TestRunWhereNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	e := newEngine(t, Caps{})
	m, err := e.Run(t.Context(), Phase{Mix: []Request{chatRequest(url)}, Rate: 200, For: 15 * ms, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(3), m.Count(runlog.TransportError))
	assert.Equal(t, contract.Fail, m.Verdict())
}
