//go:build !unix

package fleet

import "os/exec"

// detach does nothing here: Ctrl-C reaches the workers too.
func detach(*exec.Cmd) {}
