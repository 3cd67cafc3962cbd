package load

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/internal/leanserver"
	"github.com/gatecert/gatecert/targets/upstream"
)

// serverVariable makes the test binary a server: the benchmarks need one whose CPU time is not the client's.
const serverVariable = "GATECERT_LOAD_TEST_SERVER"

func TestMain(m *testing.M) {
	if mode := os.Getenv(serverVariable); mode != "" {
		if model, ok := strings.CutPrefix(mode, modelServerMode); ok {
			servePlayed(model)
			return
		}
		if err := leanserver.Serve(mode, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// modelServerMode is followed by the model that the server plays.
const modelServerMode = "model "

// servePlayed is the mock upstream, which plays a model until standard input ends.
func servePlayed(text string) {
	model, err := upstream.ParseModel(text)
	if err == nil {
		var server *upstream.Server
		if server, err = upstream.Listen(context.Background(), "127.0.0.1:0", upstream.New(upstream.Options{Model: model})); err == nil {
			fmt.Println(strings.TrimPrefix(server.URL(), "http://"))
			_, _ = os.Stdin.Read(make([]byte, 1))
			err = server.Close()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// leanServer starts a server in a process of its own and returns its address.
func leanServer(tb testing.TB) string { return serverOf(tb, "lean") }

// serverOf starts a server of a mode, see [leanserver.Serve].
func serverOf(tb testing.TB, mode string) string {
	tb.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"="+mode)
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	require.NoError(tb, err)
	stdout, err := server.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, server.Start())
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = server.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(tb, err)
	return strings.TrimSpace(address)
}
