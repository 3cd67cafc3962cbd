package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// attemptReader is what both ways to read attempts have in common.
type attemptReader interface {
	Seen(ctx context.Context, token string) (contract.Seen, error)
	OpenAttempts(ctx context.Context) (int, error)
}

var _, _ attemptReader = (*Upstream)(nil), Remote{}

func TestCloseEndsHangingRequests(t *testing.T) {
	for name, words := range map[string]string{
		"hang": "hang", "stall": "stall", "delay": "delay=10m",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			e := endpointNamed(t, "chat-stream")
			ended := make(chan error)
			go func() {
				_, err := b.send(b.request(context.Background(), http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert token=a "+words+"]]")))
				ended <- err
			}()
			assert.Eventually(t, func() bool { return b.isOpen("a") }, 10*time.Second, time.Millisecond)
			assert.Equal(t, 1, b.up.Connections())
			require.NoError(t, b.server.Close())
			<-ended
			assert.Zero(t, b.up.Connections())
			a := b.seen("a")
			assert.False(t, a.Cancelled, "the gateway did not leave")
			assert.False(t, a.Open)
		})
	}
}

func TestContextEndsTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	server, err := Listen(ctx, "127.0.0.1:0", New(Options{}))
	require.NoError(t, err)
	cancel()
	<-server.served
	require.NoError(t, server.Close())
	require.NoError(t, server.Close(), "closing twice is harmless")
}

func TestListenOnAnAddressInUse(t *testing.T) {
	b := newBench(t, Options{})
	_, err := Listen(context.Background(), b.server.Addr(), New(Options{}))
	assert.ErrorContains(t, err, "mock upstream: listen tcp "+b.server.Addr())
	assert.ErrorContains(t, err, "set upstream.attach to its URL")
}

func TestRemoteSeesTheSameAttempts(t *testing.T) {
	b := newBench(t, Options{})
	remote := Remote{URL: b.server.URL() + "/", Client: b.client}
	e := endpointNamed(t, "messages-stream")
	b.ask(e, "[[gatecert token=a chunks=2]]")

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	seen, err := remote.Seen(ctx, "a")
	require.NoError(t, err)
	local, err := b.up.Seen(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, local, seen)
	require.Len(t, seen.Attempts, 1)
	a := seen.Attempts[0]
	assert.Positive(t, a.At)
	assert.Positive(t, a.Duration)
	assert.WithinDuration(t, time.Now(), a.Arrived, time.Minute)
	a.At, a.Arrived, a.Duration = 0, time.Time{}, 0
	assert.Equal(t, contract.Attempt{Protocol: "anthropic", Path: "/v1/messages", Model: "m", Stream: true, Credential: Fingerprint("secret"), Status: 200}, a)

	seen, err = remote.Seen(context.Background(), "nobody")
	require.NoError(t, err)
	assert.Equal(t, contract.Seen{Attempts: []contract.Attempt{}}, seen)
}

func TestRemoteWaitsAndGivesUp(t *testing.T) {
	b := newBench(t, Options{})
	remote := Remote{URL: b.server.URL(), Client: b.client}
	e := endpointNamed(t, "chat")
	leave, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := b.send(b.request(leave, http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert token=a hang]]")))
		ended <- err
	}()
	assert.Eventually(t, func() bool { return b.isOpen("a") }, 10*time.Second, time.Millisecond)

	ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	seen, err := remote.Seen(ctx, "a")
	require.NoError(t, err)
	require.Len(t, seen.Attempts, 1)
	assert.True(t, seen.Attempts[0].Open)
	for _, w := range []attemptReader{b.up, remote} {
		n, err := w.OpenAttempts(context.Background())
		require.NoError(t, err)
		assert.Equal(t, 1, n)
	}

	answer := make(chan contract.Seen)
	go func() {
		seen, _ := remote.Seen(context.Background(), "a")
		answer <- seen
	}()
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
	seen = <-answer
	require.Len(t, seen.Attempts, 1)
	assert.True(t, seen.Attempts[0].Cancelled)
	n, err := remote.OpenAttempts(context.Background())
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestRemoteFailures(t *testing.T) {
	b := newBench(t, Options{})
	_, err := Remote{URL: b.server.URL() + "/elsewhere", Client: b.client}.Seen(context.Background(), "a")
	assert.EqualError(t, err, "mock upstream: 404 Not Found from "+b.server.URL()+"/elsewhere/_gatecert/seen/a?wait=30s")
	_, err = Remote{URL: "http://127.0.0.1:1", Client: b.client}.Seen(context.Background(), "a")
	assert.ErrorContains(t, err, "connection refused")
	_, err = Remote{URL: "http://127.0.0.1:1", Client: b.client}.OpenAttempts(context.Background())
	assert.ErrorContains(t, err, "connection refused")
	_, err = Remote{URL: ":"}.Seen(context.Background(), "a")
	assert.ErrorContains(t, err, "upstream: parse")
}

func TestControlPaths(t *testing.T) {
	b := newBench(t, Options{})
	b.ask(endpointNamed(t, "chat"), "[[gatecert token=a]]")
	b.ask(endpointNamed(t, "chat"), "no directive")
	get := func(path string) received {
		got, err := b.send(b.request(context.Background(), http.MethodGet, path, ""))
		require.NoError(t, err)
		return got
	}
	got := get("/_gatecert/status")
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	var status Status
	require.NoError(t, json.Unmarshal([]byte(got.body), &status))
	assert.Positive(t, status.Uptime)
	status.Uptime, status.Open = 0, 0 // an attempt may end just after its answer was read
	assert.Equal(t, Status{Tokens: 1, Attempts: 2, Connections: 1}, status)

	assert.Equal(t, `{"attempts":[]}`, get("/_gatecert/seen/nobody?wait=1ms").body)
	assert.Equal(t, http.StatusBadRequest, get("/_gatecert/seen/a?wait=long").status)
	assert.Equal(t, http.StatusNotFound, get("/_gatecert/other").status)
	assert.Equal(t, http.StatusMethodNotAllowed, b.post("/_gatecert/status", "").status)
}

func BenchmarkUpstream(bm *testing.B) {
	for _, name := range []string{"chat", "chat-stream"} {
		bm.Run(name, func(bm *testing.B) {
			b := newBench(bm, Options{})
			e := endpointNamed(bm, name)
			bm.ReportAllocs()
			i := 0
			for bm.Loop() {
				b.ask(e, fmt.Sprintf("[[gatecert token=t%d]]", i))
				i++
			}
		})
	}
}
