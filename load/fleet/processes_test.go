package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
)

// coordinatorVariable makes the test binary a coordinator, which runs one phase; serverVariable a NATS server on a port.
const (
	coordinatorVariable = "GATECERT_FLEET_TEST_COORDINATOR"
	serverVariable      = "GATECERT_FLEET_TEST_SERVER"
)

type coordinatorOptions struct {
	Access  Access
	Workers int
	URL     string
	Rate    float64
	For     time.Duration
}

func beCoordinator(text string) int {
	var o coordinatorOptions
	err := json.Unmarshal([]byte(text), &o)
	ctx := context.Background()
	var f *Fleet
	if err == nil {
		f, err = Open(ctx, Config{Access: o.Access, Workers: o.Workers})
	}
	if err == nil {
		e := load.NewEngine(load.Options{Generators: f.For(Setup{}), Caps: load.HardCaps()})
		fmt.Println("begins")
		_, err = e.Run(ctx, load.Phase{Name: "long", Rate: o.Rate, For: o.For, Generator: lenient(), Mix: []load.Request{{
			Name: "chat", Call: exchange.Call{Surface: dialect.Chat, BaseURL: o.URL, Key: "sk-caller-0123456789", Model: "m", Prompt: "hi"},
		}}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// beServer is a NATS server that stores nothing on disk, until it is killed.
func beServer(text string) int {
	port, _ := strconv.Atoi(text)
	dir, err := os.MkdirTemp("", "gatecert-fleet-test-")
	if err != nil {
		return 1
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, MaxPayload: maxPayload, NoLog: true, NoSigs: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s.Start()
	fmt.Println("ready", s.ReadyForConnections(5*time.Second))
	s.WaitForShutdown()
	return 0
}

// spawn starts the test binary in a mode, and returns it when it has printed a line.
func spawn(t *testing.T, variable, value string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), variable+"="+value, "TMPDIR="+t.TempDir()) // a process that is killed leaves its files
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return c
}

// freePort returns a port that nobody listens at.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it is one
}

func natsURL(port int) string { return "nats://127.0.0.1:" + strconv.Itoa(port) }

// kill ends a process at once, and waits for its end.
func kill(t *testing.T, c *exec.Cmd) {
	t.Helper()
	require.NoError(t, c.Process.Signal(syscall.SIGKILL))
	_ = c.Wait()
}

// names are the workers of problems and reruns.
func named(texts []string, worker string) bool {
	return strings.Contains(strings.Join(texts, "; "), "worker "+worker)
}
