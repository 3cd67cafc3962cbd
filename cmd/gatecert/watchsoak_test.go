//go:build !race

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/internal/watch"
)

// TestAWatchForHalfAnHour watches a gateway that is killed, started again broken, and mended, in turn. Every change comes once, and the
// process grows neither in memory nor in goroutines.
func TestAWatchForHalfAnHour(t *testing.T) {
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("make accept-watch: it takes half an hour")
	}
	minutes := 30
	if text := os.Getenv("GATECERT_MINUTES"); text != "" {
		var err error
		minutes, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	s := newSoakedWatch(t)
	wanted := []watch.Outcome{watch.Conformant} // of the phases
	s.serve()
	s.start()
	s.await(watch.Conformant)
	end := time.Now().Add(time.Duration(minutes) * time.Minute)
	var early soakedFigures
	for phase := 0; time.Now().Before(end) || phase%3 != 0; phase++ {
		switch phase % 3 {
		case 0:
			s.kill()
			wanted = append(wanted, watch.Unreachable)
		case 1:
			s.serve("--mutant", s.mutant)
			wanted = append(wanted, watch.NotConformant)
		case 2:
			s.kill()
			s.serve()
			wanted = append(wanted, watch.Conformant)
		}
		last := wanted[len(wanted)-1]
		s.await(last)
		s.await(last) // a second round alike changes nothing
		now := s.figures()
		if phase == 5 {
			early = now
		}
		t.Logf("%s: %s, %d rounds, %.1f MB, %d goroutines, %d descriptors", time.Now().Format(time.TimeOnly), last, now.rounds, now.memory/1e6, now.goroutines, now.descriptors)
		assert.Equal(t, len(wanted)-1, s.told(), "messages at the webhook")
	}
	late := s.figures()
	if early.rounds > 0 {
		assert.InDelta(t, early.memory/1e6, late.memory/1e6, 25, "resident memory in MB")
		assert.InDelta(t, early.goroutines, late.goroutines, 5)
		assert.InDelta(t, early.descriptors, late.descriptors, 5)
	}
	s.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(t, s.messages, len(wanted)-1)
	for i, m := range s.messages {
		assert.Equal(t, fmt.Sprintf("%s -> %s", wanted[i], wanted[i+1]), m.Changes[0].String())
	}
}

// soakedWatch is a watch in a process of its own, the gateway that it watches, and the receiver of its messages.
type soakedWatch struct {
	t                               *testing.T
	dir, mutant, profile, listen    string
	gatewayAddress, upstreamAddress string
	gateway, watch                  *exec.Cmd
	hook                            *httptest.Server
	mu                              sync.Mutex
	messages                        []watch.Message
	rounds                          int
}

// soakedFigures are what the process says of itself.
type soakedFigures struct {
	rounds                  int
	memory                  float64
	goroutines, descriptors int
}

func newSoakedWatch(t *testing.T) *soakedWatch {
	t.Helper()
	dir := t.TempDir()
	s := &soakedWatch{t: t, dir: dir, mutant: "unknown-model-as-503", profile: filepath.Join(dir, "gateway.yaml")}
	s.gatewayAddress, s.upstreamAddress, s.listen = freeport.Address(t), freeport.Address(t), freeport.Address(t)
	s.hook = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m watch.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.messages = append(s.messages, m)
		}
	}))
	t.Cleanup(s.hook.Close)
	return s
}

// serve starts the gateway, and waits until it is ready.
func (s *soakedWatch) serve(flags ...string) {
	s.t.Helper()
	ready := filepath.Join(s.dir, "ready")
	s.gateway = process(s.t.Context(), append([]string{"gateway", "--listen", s.gatewayAddress, "--upstream", s.upstreamAddress, "--profile-out", s.profile, "--ready-file", ready}, flags...)...)
	require.NoError(s.t, s.gateway.Start())
	require.Eventually(s.t, func() bool { return !gone(ready) }, 20*time.Second, 20*time.Millisecond)
	s.t.Cleanup(func() { _ = s.gateway.Process.Kill() })
}

func (s *soakedWatch) kill() {
	s.t.Helper()
	require.NoError(s.t, s.gateway.Process.Signal(syscall.SIGTERM))
	require.NoError(s.t, s.gateway.Wait())
}

func (s *soakedWatch) start() {
	s.t.Helper()
	s.watch = process(s.t.Context(), "watch", "--target", s.profile, "--level", "relay", "--surfaces", "chat,chat-stream", "--every", "20s", "--keep", "5",
		"--dir", filepath.Join(s.dir, "watch"), "--listen", s.listen, "--webhook", s.hook.URL)
	require.NoError(s.t, s.watch.Start())
	s.t.Cleanup(func() { _ = s.watch.Process.Kill() })
}

// await waits for the end of the next round, which must have the outcome.
func (s *soakedWatch) await(outcome watch.Outcome) {
	s.t.Helper()
	var lines []string
	require.Eventually(s.t, func() bool {
		content, err := os.ReadFile(filepath.Join(s.dir, "watch", "history.ndjson"))
		lines = strings.Split(strings.TrimSpace(string(content)), "\n")
		return err == nil && len(content) > 0 && len(lines) > s.rounds
	}, 2*time.Minute, 100*time.Millisecond)
	s.rounds++
	require.Len(s.t, lines, s.rounds, "one round at a time")
	var entry watch.Entry
	require.NoError(s.t, json.Unmarshal([]byte(lines[s.rounds-1]), &entry))
	require.Equal(s.t, outcome, entry.Outcome, entry.Sentence)
	// The message follows the entry.
	time.Sleep(500 * time.Millisecond)
}

func (s *soakedWatch) told() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

// figures reads /metrics once the last round is in them.
func (s *soakedWatch) figures() soakedFigures {
	s.t.Helper()
	var f soakedFigures
	require.Eventually(s.t, func() bool { f = s.metrics(); return f.rounds >= s.rounds }, 10*time.Second, 100*time.Millisecond)
	assert.Equal(s.t, s.rounds, f.rounds)
	return f
}

func (s *soakedWatch) metrics() soakedFigures {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.listen+"/metrics", nil)
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	f := soakedFigures{}
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, _ := strconv.ParseFloat(text, 64)
		switch {
		case strings.HasPrefix(name, "gatecert_rounds_total"):
			f.rounds += int(value)
		case name == "process_resident_memory_bytes":
			f.memory = value
		case name == "go_goroutines":
			f.goroutines = int(value)
		case name == "process_open_fds":
			f.descriptors = int(value)
		}
	}
	return f
}

// finish ends the watch as Ctrl-C does.
func (s *soakedWatch) finish() {
	s.t.Helper()
	require.NoError(s.t, s.watch.Process.Signal(syscall.SIGINT))
	_ = s.watch.Wait()
	assert.Equal(s.t, exitConformant, s.watch.ProcessState.ExitCode())
	kept, err := os.ReadDir(filepath.Join(s.dir, "watch", "runs"))
	require.NoError(s.t, err)
	assert.LessOrEqual(s.t, len(kept), 5)
}
