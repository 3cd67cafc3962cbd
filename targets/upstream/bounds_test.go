package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A client that sends its body byte by byte, or stops, is not waited for.
func TestASlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{})
	b.up.bodyTimeout = 100 * time.Millisecond
	conn, err := net.Dial("tcp", b.server.Addr())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\nContent-Length: 1000\r\n\r\n{\"model\":")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF)
}

// The deadline of a body ends with the body: what follows may take as long as it likes.
func TestTheTimeOfABodyIsNotThatOfTheAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{})
	b.up.bodyTimeout = 100 * time.Millisecond
	answer := b.ask(endpointNamed(t, "chat"), "[[gatecert token=a delay=300ms]]")
	require.NoError(t, answer.err)
	assert.Equal(t, http.StatusOK, answer.status)
	assert.False(t, b.seen("a").Cancelled)
}

func TestBodiesAreBoundedTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{})
	e := endpointNamed(t, "chat")
	hanging := b.request(t.Context(), http.MethodPost, e.path, strings.Replace(e.body, "%s", "[[gatecert token=a hang]]", 1))
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = b.send(hanging) }()
	assert.Eventually(t, func() bool { return b.isOpen("a") }, 10*time.Second, time.Millisecond)
	b.up.bodies.Max = 300
	assert.Equal(t, http.StatusServiceUnavailable, b.ask(e, strings.Repeat("x", 200)).status)
	assert.Equal(t, http.StatusOK, b.ask(e, "hi").status, "what was refused is held no longer")
	require.NoError(t, b.server.Close())
	<-ended
}

func TestTheRecordIsForThoseWithTheToken(t *testing.T) {
	t.Parallel()
	status := func(b bench, credential string) int {
		r := b.request(t.Context(), http.MethodGet, "/_gatecert/status", "")
		r.Header.Del("Authorization")
		if credential != "" {
			r.Header.Set("Authorization", credential)
		}
		answer, err := b.send(r)
		require.NoError(t, err)
		return answer.status
	}
	open := newBench(t, Options{})
	assert.Equal(t, http.StatusOK, status(open, ""))
	open.up.exposed.Store(true)
	assert.Equal(t, http.StatusForbidden, status(open, "Bearer anything"))
	assert.Equal(t, http.StatusOK, open.ask(endpointNamed(t, "chat"), "hi").status)

	guarded := newBench(t, Options{ControlToken: "the-token"})
	for credential, want := range map[string]int{
		"": http.StatusUnauthorized, "Bearer wrong": http.StatusUnauthorized, "the-token": http.StatusUnauthorized, "Bearer the-token": http.StatusOK,
	} {
		assert.Equal(t, want, status(guarded, credential), credential)
	}
	_, err := Remote{URL: guarded.server.URL(), Token: "the-token", Client: guarded.client}.Seen(context.Background(), "a")
	require.NoError(t, err)
	_, err = Remote{URL: guarded.server.URL(), Client: guarded.client}.OpenAttempts(context.Background())
	assert.ErrorContains(t, err, "set upstream.token to the mock upstream's token")
}

func TestWhichAddressesOnlyThisMachineReaches(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{"127.0.0.1:0": true, "[::1]:0": true, "0.0.0.0:0": false, ":0": false} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue // no IPv6 here
		}
		assert.Equal(t, want, onThisMachine(listener.Addr()), address)
		require.NoError(t, listener.Close())
	}
}
