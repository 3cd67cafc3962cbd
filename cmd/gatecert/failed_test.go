//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
)

func TestWhatFailedIsPlayedAgain(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	dir := t.TempDir()
	all, again, fixed := filepath.Join(dir, "all"), filepath.Join(dir, "again"), filepath.Join(dir, "fixed")
	code, _, stderr := gateway.run(t, all)
	require.Equal(t, exitNotConformant, code, stderr)
	before, err := readLog(all)
	require.NoError(t, err)
	failed := 0
	for _, c := range before.Cases {
		if !c.Verdict.Conformant() {
			failed++
		}
	}
	require.Greater(t, len(before.Cases), failed)

	code, stdout, stderr := invoke(t.Context(), "run", "--failed", all, "--target", gateway.profile, "--out", again)
	assert.Equal(t, exitNotConformant, code, stderr)
	run, err := readLog(again)
	require.NoError(t, err)
	assert.Len(t, run.Cases, failed, "nothing else is played")
	assert.Contains(t, stdout, fmt.Sprintf("\n%d cases did not pass in the earlier run: 0 fixed, %d still failing\n", failed, failed))

	gateway.fixed.Store(true)
	code, stdout, stderr = invoke(t.Context(), "run", "--failed", filepath.Join(again, logName), "--target", gateway.profile, "--out", fixed)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "✓ fixed: code:model_not_found/absent-model/chat\n")
	assert.Contains(t, stdout, " did not pass in the earlier run: "+strconv.Itoa(failed)+" fixed\n")

	code, _, stderr = invoke(t.Context(), "run", "--failed", fixed, "--target", gateway.profile)
	assert.Equal(t, exitIncomplete, code)
	assert.Contains(t, stderr, "nothing to run: no case failed in "+fixed)
	code, _, stderr = invoke(t.Context(), "run", "--failed", all)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "logs do not contain keys: pass the profile of ")
	code, _, stderr = invoke(t.Context(), "run", "--until-pass")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "specify that run with --failed RUN")
}

// What never ran is played too, and a log of the built-in gateway says what it is about.
func TestWhatNeverRanIsPlayed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, _, stderr := invoke(t.Context(), "run", "--rows", "http:401", "--surfaces", "chat", "--out", dir)
	require.Equal(t, exitConformant, code, stderr)
	log, err := os.ReadFile(filepath.Join(dir, logName))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(log), `{"type":"case"`)
	require.True(t, found)
	_, afterFirst, _ := strings.Cut(rest, "\n")
	cut := filepath.Join(t.TempDir(), logName)
	require.NoError(t, os.WriteFile(cut, []byte(strings.TrimSuffix(string(log), afterFirst)), 0o600))

	again := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "run", "--failed", cut, "--out", again)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "\n1 case did not pass in the earlier run: 1 fixed\n")
	code, _, stderr = invoke(t.Context(), "run", "--failed", cut, "--until-pass")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "the built-in gateway never restarts")
}

// restarting is a gateway in front of another one, which can be stopped and started at the same address.
type restarting struct {
	address string
	handler http.Handler
	server  *http.Server
}

func (r *restarting) start(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", r.address)
	require.NoError(t, err)
	r.server = &http.Server{Handler: r.handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = r.server.Serve(listener) }()
}

// sharedBuffer is a buffer that is read while it is written.
type sharedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Somebody mends a gateway: each restart plays what failed, and the run ends when all of it passes.
func TestUntilPass(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	behind, _ := baseURL(t, gateway.profile)
	target, err := url.Parse(behind)
	require.NoError(t, err)
	front := &restarting{address: freeport.Address(t), handler: httputil.NewSingleHostReverseProxy(target)}
	front.start(t)
	t.Cleanup(func() { _ = front.server.Close() })
	raw, err := os.ReadFile(gateway.profile)
	require.NoError(t, err)
	profile := filepath.Join(t.TempDir(), "front.yaml")
	require.NoError(t, os.WriteFile(profile, []byte(strings.ReplaceAll(string(raw), behind, "http://"+front.address)), 0o600))
	all := t.TempDir()
	code, _, stderr := invoke(t.Context(), "run", "--target", profile, "--rows", "code:model_not_found", "--surfaces", "chat", "--out", all)
	require.Equal(t, exitNotConformant, code, stderr)

	var out bytes.Buffer
	var errs sharedBuffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "--failed", all, "--until-pass", "--target", profile, "--out", t.TempDir()}, &console{out: &out, err: &errs, width: 100})
	}()
	for round := 1; round <= 2; round++ {
		waiting := "round " + strconv.Itoa(round) + " has ended. Waiting for the gateway at " + front.address + " to restart"
		require.Eventually(t, func() bool { return strings.Contains(errs.String(), waiting) }, waitForServer, 10*time.Millisecond, errs.String())
		require.NoError(t, front.server.Close())
		gateway.fixed.Store(round == 2)
		time.Sleep(300 * time.Millisecond) // a restart
		front.start(t)
	}
	assert.Equal(t, exitConformant, <-ended, errs.String())
	assert.Equal(t, 2, strings.Count(out.String(), "0 fixed, "))
	assert.Contains(t, out.String(), "✓ fixed: code:model_not_found/absent-model/chat\n")
	assert.Equal(t, 2, strings.Count(out.String(), "Fix these first"), "what still fails is shown in each round")
}

func TestLeavingUntilPass(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	all := t.TempDir()
	code, _, stderr := gateway.run(t, all)
	require.Equal(t, exitNotConformant, code, stderr)
	var out bytes.Buffer
	var errs sharedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for !strings.Contains(errs.String(), "to restart") {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	code = execute(ctx, []string{"run", "--failed", all, "--until-pass", "--target", gateway.profile, "--out", t.TempDir()}, &console{out: &out, err: &errs, width: 100})
	assert.Equal(t, exitNotConformant, code, "the last round failed")
}
