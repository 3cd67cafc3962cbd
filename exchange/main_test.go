package exchange

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen serves every connection with handle until the test ends, and returns the base URL.
func listen(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			served.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		served.Wait()
	})
	return "http://" + listener.Addr().String()
}

// answering returns a connection handler that reads the request's head and body, then writes the answer as it stands.
func answering(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, answer)
	}
}

// readRequest consumes one whole request.
func readRequest(conn net.Conn) {
	if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.Copy(io.Discard, req.Body)
	}
}

// serve starts an HTTP server that ends with the test, and returns its base URL.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// client returns a client that is closed with the test.
func client(t testing.TB, limits Limits, secrets ...redact.Secret) *Client {
	t.Helper()
	c := NewClient(limits, nil, secrets...)
	t.Cleanup(c.Close)
	return c
}

// observe makes a call that must be buildable.
func observe(t testing.TB, c *Client, call Call) contract.Observation {
	t.Helper()
	if call.Surface == "" {
		call.Surface = dialect.Chat
	}
	observation, err := c.Do(context.Background(), call)
	require.NoError(t, err)
	return observation
}
