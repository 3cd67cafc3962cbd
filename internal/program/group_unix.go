//go:build unix

package program

import (
	"os/exec"
	"syscall"
)

// OwnGroup makes a command the leader of a process group, which ends with the command's context.
func OwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// EndGroup kills the remaining processes of the group. Usually, there are none.
func EndGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
