package main

import (
	"context"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/upstream"
)

// lines collects what a command prints while it runs.
type lines struct {
	mu   sync.Mutex
	text string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(p)
	return len(p), nil
}

func (l *lines) find(pattern string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return regexp.MustCompile(pattern).FindStringSubmatch(l.text)
}

func TestAnUpstreamBeyondLoopbackMakesAToken(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var out lines
	var done sync.WaitGroup
	done.Go(func() {
		assert.Equal(t, exitConformant, execute(ctx, []string{"upstream", "--listen", "0.0.0.0:0"}, &console{out: &out, err: &out}))
	})
	defer done.Wait()
	defer cancel()
	var token []string
	require.Eventually(t, func() bool {
		token = out.find(`upstream\.token: ([a-z0-9]{26})\n`)
		return token != nil
	}, 20*time.Second, time.Millisecond)
	remote := upstream.Remote{URL: out.find(`mock upstream at (\S+)`)[1], Token: token[1]}
	_, err := remote.OpenAttempts(t.Context())
	require.NoError(t, err)
	remote.Token = "guessed"
	_, err = remote.OpenAttempts(t.Context())
	require.Error(t, err)
	for listen, want := range map[string]bool{"127.0.0.1:1": false, "localhost:1": false, "[::1]:1": false, ":1": true, "10.1.2.3:1": true, "nonsense": true} {
		_, made := controlToken(listen, "")
		assert.Equal(t, want, made, listen)
	}
}
