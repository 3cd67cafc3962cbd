package bounded

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConnectionsBeyondTheBoundAreClosed(t *testing.T) {
	t.Parallel()
	connections := &Connections{Max: 2}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = connections.ConnState
	server.Start()
	defer server.Close()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	// served reports whether the server answers, and false when it has closed the connection.
	served := func(conn net.Conn) bool {
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			return false
		}
		_, err := conn.Read(make([]byte, 1))
		return err == nil
	}
	first, second := dial(), dial()
	assert.True(t, served(first))
	assert.True(t, served(second))
	assert.False(t, served(dial()))
	require.NoError(t, first.Close())
	assert.Eventually(t, func() bool { return served(dial()) }, 20*time.Second, time.Millisecond)
}

func TestBytesOfAllClients(t *testing.T) {
	t.Parallel()
	all := &Bytes{Max: 10}
	first, second := all.Hold(), all.Hold()
	_, err := io.ReadAll(first.Reader(strings.NewReader("123456")))
	require.NoError(t, err)
	_, err = io.ReadAll(second.Reader(strings.NewReader("123456")))
	require.ErrorIs(t, err, ErrFull)
	first.Release()
	second.Release()
	first.Release()
	_, err = io.ReadAll(second.Reader(strings.NewReader("1234567890")))
	assert.NoError(t, err)
}
