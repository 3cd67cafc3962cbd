//go:build !race

// The race detector watches one process, and these tests start others.

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/runlog"
)

// killings is how often the tests kill a run at a random moment; make accept-kill does it a hundred times.
func killings() int {
	if os.Getenv("GATECERT_ACCEPTANCE") != "" {
		return 100
	}
	return 8
}

// TestEvidenceSurvivesAKill ends runs at random moments. Then the log in the folder is readable: it is the earlier run's, byte
// for byte and with its reports, or that of the run that was killed. An earlier run in another folder is as it was.
func TestEvidenceSurvivesAKill(t *testing.T) {
	t.Parallel()
	earlier := t.TempDir()
	code, _, stderr := invoke(t.Context(), append(shortRun, "--out", earlier)...)
	require.Equal(t, exitConformant, code, stderr)
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}
	commands := [][]string{{"run", "--level", "relay"}, {"load", "rate-limit"}}
	random := rand.New(rand.NewPCG(13, 2))
	for i := range killings() {
		signal, args := signals[i%3], commands[i/3%2]
		after := time.Duration(random.Int64N(int64(2 * time.Second)))
		named := i/6%2 == 0 // or each run has a folder of its own
		t.Run(strings.Join([]string{strconv.Itoa(i), args[0], signal.String(), after.Round(time.Millisecond).String()}, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			former, log := filepath.Join(dir, "reports", "former"), filepath.Join(dir, "reports", args[0], logName)
			if args[0] == "run" {
				log = filepath.Join(dir, "reports", "latest", logName)
			}
			if named {
				log = filepath.Join(former, logName)
				args = append(slices.Clip(args), "--out", former)
			}
			require.NoError(t, os.CopyFS(former, os.DirFS(earlier)))
			command := process(t.Context(), args...)
			command.Dir = dir
			require.NoError(t, command.Start())
			time.Sleep(after)
			require.NoError(t, command.Process.Signal(signal))
			_ = command.Wait()
			if command.ProcessState.Exited() { // and was not ended by the signal before it could attend to it
				assert.Equal(t, exitIncomplete, command.ProcessState.ExitCode())
			}
			checkEvidence(t, earlier, former, log, named)
		})
	}
}

// checkEvidence looks at the folders after a kill.
func checkEvidence(t *testing.T, earlier, former, log string, named bool) {
	t.Helper()
	before, now := contents(t, earlier), contents(t, former)
	if !named || now[logName] == before[logName] {
		for name, content := range before {
			assert.Equal(t, content, now[name], name)
		}
	}
	raw, err := os.ReadFile(log)
	if !named && os.IsNotExist(err) {
		return // it had not begun
	}
	require.NoError(t, err)
	_, err = runlog.Read(bytes.NewReader(raw))
	assert.NoError(t, err)
}

// A process that is killed leaves a log that can be read, and a report that says it is incomplete.
func TestARunThatIsKilledIsReportedAsIncomplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		name   string
		signal syscall.Signal
	}{{"killed", syscall.SIGKILL}, {"interrupted", syscall.SIGINT}, {"terminated", syscall.SIGTERM}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(dir, tt.name)
			command := process(t.Context(), "run", "--out", out)
			require.NoError(t, command.Start())
			log := filepath.Join(out, "run.ndjson")
			require.Eventually(t, func() bool {
				raw, err := os.ReadFile(log)
				return err == nil && bytes.Count(raw, []byte("\n")) > 40
			}, 30*time.Second, time.Millisecond)
			require.NoError(t, command.Process.Signal(tt.signal))
			_ = command.Wait()
			if tt.signal != syscall.SIGKILL {
				assert.Equal(t, exitIncomplete, command.ProcessState.ExitCode())
			}
			code, stdout, stderr := invoke(t.Context(), "report", out)
			assert.Equal(t, exitIncomplete, code, stderr)
			assert.Contains(t, stdout, "INCOMPLETE")
		})
	}
}

// TestAFullDisk runs into a disk that is full at once, and into one that is full after some cases.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	gateway := serveGateway(t) // in this process, which may write as much as it likes
	for _, tt := range []struct {
		name string
		// kib bounds the files that the process writes.
		kib   int
		begun bool
	}{{"before the header is written", 4, false}, {"among the cases", 120, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			code, _, stderr := invoke(t.Context(), append(shortRun, "--out", dir)...)
			require.Equal(t, exitConformant, code, stderr)
			before := contents(t, dir)
			command := process(t.Context(), "run", "--target", gateway, "--rows", "http:400", "--out", dir)
			limited := exec.CommandContext(t.Context(), "bash", append([]string{"-c", `ulimit -f "$0" && exec "$@"`, strconv.Itoa(tt.kib)}, command.Args...)...)
			limited.Env = command.Env
			checkFull(t, limited, dir, before, tt.begun)
		})
	}
}

// TestAFullFileSystem is TestAFullDisk on a real file system, where this process may mount one.
func TestAFullFileSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system to fill: %s", out)
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("umount", dir).Run()) })
	code, _, stderr := invoke(t.Context(), append(shortRun, "--out", dir)...)
	require.Equal(t, exitConformant, code, stderr)
	checkFull(t, process(t.Context(), "run", "--rows", "http:400", "--out", dir), dir, nil, true)
}

// checkFull runs a command on a full disk: the log is the earlier run's or has the cases that fitted in, and no file is half
// a report.
func checkFull(t *testing.T, command *exec.Cmd, dir string, before map[string]string, begun bool) {
	t.Helper()
	printed, err := command.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, exitHarness, command.ProcessState.ExitCode(), string(printed))
	assert.Regexp(t, `harness fault: cannot write the log \(is the disk full\?\): .*(no space left on device|file too large)`, string(printed))
	now := contents(t, dir)
	if !begun {
		assert.Equal(t, before, now)
		return
	}
	run, err := readLog(dir)
	require.NoError(t, err)
	assert.False(t, run.Complete())
	assert.NotEmpty(t, run.Expected)
	for name := range now {
		assert.NotContains(t, name, ".part")
	}
}

func TestAReadOnlyFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, _, stderr := invoke(t.Context(), append(shortRun, "--out", dir)...)
	require.Equal(t, exitConformant, code, stderr)
	before := contents(t, dir)
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	command := process(t.Context(), append(shortRun, "--out", dir)...)
	if os.Getuid() == 0 { // no folder is read-only for root
		openTo(t, dir)
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		command.Dir = "/"
	}
	printed, err := command.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, exitHarness, command.ProcessState.ExitCode(), string(printed))
	assert.Contains(t, string(printed), "permission denied")
	assert.Equal(t, before, contents(t, dir))
}

// openTo lets every user reach a folder of a test, and the binary of the tests.
func openTo(t *testing.T, dir string) {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	for _, path := range []string{dir, self} {
		for parent := filepath.Dir(path); parent != "/" && parent != os.TempDir(); parent = filepath.Dir(parent) {
			if err := os.Chmod(parent, 0o755); err != nil {
				t.Skipf("%s cannot be opened to others: %v", parent, err)
			}
		}
	}
}
