//go:build !unix

package program

import "os/exec"

// OwnGroup does nothing: on systems without process groups, only the command itself ends with its context.
func OwnGroup(*exec.Cmd) {}

func EndGroup(*exec.Cmd) {}
