//go:build unix

package program

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func shell(ctx context.Context, line string) ([]byte, error) {
	return Run(exec.CommandContext(ctx, "sh", "-c", line))
}

// gone reports whether a process has ended. One that nobody has waited for yet has ended too.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestWhatALineStartsEndsWithIt(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"in the background":            "sleep 75 & echo $!",
		"that ignores signals":         "trap '' TERM INT HUP; (trap '' TERM INT HUP; sleep 75) & echo $!",
		"with its own output":          "sleep 75 >/dev/null 2>&1 & echo $!",
		"in the background of a shell": "(sleep 75 & echo $!) &",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			out, err := shell(t.Context(), line)
			require.NoError(t, err)
			assert.Less(t, time.Since(started), 10*time.Second)
			pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
			require.NoError(t, err)
			assert.Eventually(t, func() bool { return gone(pid) }, 10*time.Second, time.Millisecond)
		})
	}
}

func TestALineEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // a busy machine starts a shell slowly
	defer cancel()
	started := time.Now()
	out, err := shell(ctx, "echo begun; sleep 75 & sleep 75; echo done")
	require.Error(t, err)
	assert.Equal(t, "begun\n", string(out))
	assert.Less(t, time.Since(started), 10*time.Second)
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	out, err := shell(t.Context(), "head -c 3000000 /dev/zero")
	require.NoError(t, err)
	assert.Len(t, out, maxOutput)
	out, err = shell(t.Context(), "echo one; echo two >&2; exit 3")
	require.EqualError(t, err, "exit status 3")
	assert.Equal(t, "one\ntwo\n", string(out))
	_, err = Run(exec.CommandContext(t.Context(), "/no/such/program"))
	require.Error(t, err)
}
