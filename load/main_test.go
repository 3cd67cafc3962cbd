package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

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
		serveLean(newQueueOf(mode))
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

// queue is that of a server of known capacity. It is virtual: a request learns when its answer is due, so that what the
// machine does to one answer delays no other.
type queue struct {
	mu      sync.Mutex
	free    []time.Time // when each server is free, the first one first
	service time.Duration
	// taken is how long each request took, by this clock.
	taken []time.Duration
}

// newQueueOf makes the queue of a mode such as "8x20ms": so many servers, each of which takes so long. It returns nil for
// any other mode.
func newQueueOf(mode string) *queue {
	servers, service, _ := strings.Cut(mode, "x")
	n, err := strconv.Atoi(servers)
	if err != nil {
		return nil
	}
	took, err := time.ParseDuration(service)
	if err != nil {
		return nil
	}
	return &queue{free: make([]time.Time, n), service: took}
}

// wait returns when the answer to a request that has just come is due.
func (q *queue) wait() {
	if q == nil {
		return
	}
	now := time.Now()
	q.mu.Lock()
	start := q.free[0]
	if start.Before(now) {
		start = now
	}
	end := start.Add(q.service)
	copy(q.free, q.free[1:]) // all take equally long: the one that is busy now is free last
	q.free[len(q.free)-1] = end
	q.mu.Unlock()
	time.Sleep(time.Until(end))
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = append(q.taken, time.Since(now))
}

// measured returns the median and the mean of how long requests took, by the clock of the server.
func (q *queue) measured() (p50, mean time.Duration) {
	if q == nil {
		return 0, 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.taken) == 0 {
		return 0, 0
	}
	sum := time.Duration(0)
	for _, d := range q.taken {
		sum += d
	}
	slices.Sort(q.taken)
	return q.taken[len(q.taken)/2], sum / time.Duration(len(q.taken))
}

// serveLean answers every request as fast as Go can, or as its queue lets it, until standard input ends. A path with
// "refuse" is answered with 429.
func serveLean(q *queue) {
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
			go answerLean(conn, q)
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func answerLean(conn net.Conn, q *queue) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	success, refusal := leanSuccess(), leanRefusal()
	for {
		length, refuse, asked := 0, false, false
		for first := true; ; first = false {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if first {
				refuse, asked = strings.Contains(string(line), "refuse"), strings.Contains(string(line), "/measured")
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
		if asked {
			p50, mean := q.measured()
			_, _ = conn.Write(leanHTTP("200 OK", fmt.Sprintf("%d %d", p50, mean), ""))
			continue
		}
		q.wait()
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
func leanServer(tb testing.TB) string { return serverOf(tb, "lean") }

// serverOf starts a server of a mode, see [newQueueOf].
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
