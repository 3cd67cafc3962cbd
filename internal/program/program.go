// Package program runs programs that somebody else wrote, such as the shell commands of a profile: what they start ends with them,
// and what they print is bounded.
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

// Run runs a command that [exec.CommandContext] made, in a process group of its own, and returns the first 64 KiB of what it
// printed. All of the group ends with the command or its context, whichever is first: what a shell command leaves in the
// background does not outlive the line.
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
