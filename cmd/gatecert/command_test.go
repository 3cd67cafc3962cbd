package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// asCommand makes the binary of these tests behave as the gatecert command. To build the command takes longer than most tests.
const asCommand = "GATECERT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(withOwnConfig(m.Run))
}

// withOwnConfig runs tests with a configuration folder of their own, so that they do not touch the user's.
func withOwnConfig(run func() int) int {
	dir, err := os.MkdirTemp("", "gatecert-config-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("XDG_CONFIG_HOME", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// process is gatecert with arguments, as a process of its own that has not started.
func process(ctx context.Context, args ...string) *exec.Cmd {
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}
