//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stuck is an adapter that starts programs of its own and answers no call. It writes their process ids, and its own, into the file that is
// its argument.
const stuck = `#!/bin/sh
echo $$ >>"$1"
sleep 300 &
echo $! >>"$1"
echo '{"protocol":1,"package":"stuck","version":"1","surfaces":["chat"]}'
trap '' INT TERM
while read -r call; do sleep 300 & echo $! >>"$1"; done
sleep 300
`

// TestCtrlCEndsAllThatClientsStarted sends SIGINT to the command: its adapters ignore that signal.
func TestCtrlCEndsAllThatClientsStarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script, pids := filepath.Join(dir, "stuck.sh"), filepath.Join(dir, "pids")
	require.NoError(t, os.WriteFile(script, []byte(stuck), 0o700))
	cmd := process(t.Context(), "clients", "--adapter", "stuck=sh "+script+" "+pids, "--rows", quotaRow, "--probe", "none")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	started := func() []int {
		raw, _ := os.ReadFile(pids)
		var list []int
		for line := range strings.Lines(string(raw)) {
			if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && strings.HasSuffix(line, "\n") {
				list = append(list, pid)
			}
		}
		return list
	}
	assert.Eventually(t, func() bool { return len(started()) >= 3 }, waitForServer, 10*time.Millisecond, "a call is under way")
	begun := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	assert.Equal(t, exitIncomplete, cmd.ProcessState.ExitCode(), stderr.String())
	assert.Less(t, time.Since(begun), 10*time.Second)
	for _, pid := range started() {
		assert.Eventually(t, func() bool { return ended(pid) }, 5*time.Second, 10*time.Millisecond, "process %d goes on", pid)
	}
}

// ended reports whether a process is gone, or waits only for whoever counts its end.
func ended(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
