package runner_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/internal/runner"
)

// server accepts connections at an address until it is closed, and closes them with itself, as the end of a process does.
type server struct {
	listener net.Listener
	accepted chan net.Conn
}

func listen(t *testing.T, address string) *server {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	s := &server{l, make(chan net.Conn, 1000)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted <- c
		}
	}()
	return s
}

func (s *server) close() {
	_ = s.listener.Close()
	for {
		select {
		case c := <-s.accepted:
			_ = c.Close()
		default:
			return
		}
	}
}

func TestAwaitRestart(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	first := listen(t, address)
	restarted := make(chan error, 1)
	go func() { restarted <- runner.AwaitRestart(t.Context(), address) }()

	idle := <-first.accepted
	require.NoError(t, idle.Close(), "a gateway's own timeout")
	held := <-first.accepted // asked anew
	select {
	case err := <-restarted:
		t.Fatalf("a closed connection is not a restart: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	_ = held.Close()
	first.close()
	time.Sleep(200 * time.Millisecond) // no process starts faster
	second := listen(t, address)
	defer second.close()
	assert.NoError(t, <-restarted)
}

func TestAwaitRestartOfAGatewayThatIsGone(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	restarted := make(chan error, 1)
	go func() { restarted <- runner.AwaitRestart(t.Context(), address) }()
	time.Sleep(200 * time.Millisecond)
	defer listen(t, address).close()
	assert.NoError(t, <-restarted)
}

func TestAwaitRestartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	serving := listen(t, address)
	defer serving.close()
	ctx, cancel := context.WithCancelCause(t.Context())
	left := errors.New("the user left")
	go func() {
		<-serving.accepted
		cancel(left)
	}()
	assert.ErrorIs(t, runner.AwaitRestart(ctx, address), left)
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://a": "a:80", "https://a/v1": "a:443", "http://a:8080": "a:8080", "https://[::1]/": "[::1]:443",
	} {
		got, err := runner.Address(url)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := runner.Address("gateway")
	assert.ErrorIs(t, err, runner.ErrUsage)
}
