//go:build unix

package fleet

import (
	"os/exec"
	"syscall"
)

// detach keeps the signals of the terminal from a worker: at Ctrl-C the coordinator stops it, and gets what it has sent.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
