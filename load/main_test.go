package load

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// serverVariable makes the test binary a server: the benchmarks need one whose CPU time is not the client's.
const serverVariable = "GATECERT_LOAD_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		serveLean()
		return
	}
	goleak.VerifyTestMain(m)
}

// leanSuccess is a success of 1 KB, leanRefusal a complete 429.
func leanSuccess() []byte {
	body := `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat("hello ", 135) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	return leanHTTP("200 OK", body, "")
}

func leanRefusal() []byte {
	return leanHTTP("429 Too Many Requests",
		`{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}`, "Retry-After: 1\r\n")
}

func leanHTTP(status, body, fields string) []byte {
	return []byte("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\n" + fields +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// serveLean answers every request as fast as Go can, until standard input ends. A path with "refuse" is answered with 429.
func serveLean() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerLean(conn)
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func answerLean(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	success, refusal := leanSuccess(), leanRefusal()
	for {
		length, refuse := 0, false
		for first := true; ; first = false {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if first {
				refuse = strings.Contains(string(line), "refuse")
			}
			if len(line) <= 2 {
				break
			}
			if value, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		out := success
		if refuse {
			out = refusal
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// leanServer starts a server in a process of its own and returns its address.
func leanServer(tb testing.TB) string {
	tb.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"=1")
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
