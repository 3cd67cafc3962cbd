//go:build linux && !race

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// staticBinary names the binary that `make empty-root` has built.
const staticBinary = "GATECERT_STATIC"

// TestTheBinaryAloneCertifies runs the released binary in a root folder that has nothing but it and /tmp: no C library, no shell, no
// certificates, no time zones, no /proc, no /dev.
func TestTheBinaryAloneCertifies(t *testing.T) {
	binary := os.Getenv(staticBinary)
	if binary == "" {
		t.Skip("make empty-root builds the binary and runs this")
	}
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "tmp"), 0o700))
	copied, err := os.OpenFile(filepath.Join(root, "gatecert"), os.O_CREATE|os.O_WRONLY, 0o700)
	require.NoError(t, err)
	original, err := os.Open(binary)
	require.NoError(t, err)
	defer original.Close()
	_, err = io.Copy(copied, original)
	require.NoError(t, err)
	require.NoError(t, copied.Close())

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	invoke := func(arguments ...string) string {
		var out bytes.Buffer
		c := exec.CommandContext(ctx, "/gatecert", arguments...)
		c.Path, c.Err = "/gatecert", nil // the path in the new root
		c.Dir, c.Env = "/", []string{}
		c.Stdout, c.Stderr = &out, &out
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
		if os.Geteuid() != 0 { // a user namespace of its own permits the change of the root
			c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
			c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
		err := c.Start()
		if errors.Is(err, syscall.EPERM) {
			t.Skip("this machine lets no user change the root of a process")
		}
		require.NoError(t, err)
		require.NoError(t, c.Wait(), out.String())
		return out.String()
	}
	began := time.Now()
	assert.Contains(t, invoke("--version"), "gatecert ")
	t.Logf("gatecert --version took %s", time.Since(began))
	assert.Contains(t, invoke("run"), "32 of 32 rows pass")
	assert.FileExists(t, filepath.Join(root, "reports", "latest", "report.html"))
}
