// Package program runs programs from other people, such as the shell commands of a profile. When a program ends, the processes that it started are
// killed. The size of its output is limited.
package program

import (
	"errors"
	"os/exec"
	"time"
)

const (
	// maxOutput bounds what is kept of what a program prints, in bytes.
	maxOutput = 64 << 10
	// pipeGrace is how long a program that has ended may leave its output open to what it started.
	pipeGrace = 250 * time.Millisecond
)

// Run runs a command created with [exec.CommandContext] in its own process group, and returns the first 64 KiB of its output. When the command ends
// or its context is done, whichever comes first, the whole group is killed, so that background processes of a shell command do not outlive it.
func Run(cmd *exec.Cmd) ([]byte, error) {
	var out head
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = pipeGrace
	OwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	err := cmd.Wait()
	EndGroup(cmd)
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // the program itself has ended well
	}
	return out.bytes, err
}

// head keeps the beginning of what is written to it.
type head struct{ bytes []byte }

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	h.bytes = append(h.bytes, p[:min(len(p), maxOutput-len(h.bytes))]...)
	return len(p), nil
}
