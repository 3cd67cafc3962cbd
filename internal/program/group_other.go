//go:build !unix

package program

import "os/exec"

// Where there are no process groups, only the command itself ends with its context.
func OwnGroup(*exec.Cmd) {}

func EndGroup(*exec.Cmd) {}
