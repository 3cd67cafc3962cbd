// Package leanserver is a gateway of known capacity for measurements. It responds as fast as Go can, or as its queue permits. A program serves it in
// a separate process, so that its CPU time does not count as the load generator's.
package leanserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

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

// Queue is the queue of a server of known capacity. The queue is virtual: each request computes when its response is due, so that a delay of one
// response on this machine delays no other response.
type Queue struct {
	mu      sync.Mutex
	free    []time.Time // when each server is free, the first one first
	service time.Duration
	// durations is how long each request took, by this clock.
	durations []time.Duration
}

// NewQueue returns the queue of the given number of servers, each of which takes the given time for a request.
func NewQueue(servers int, service time.Duration) *Queue {
	return &Queue{free: make([]time.Time, servers), service: service}
}

// newQueueOf makes the queue of a mode such as "8x20ms": so many servers, each of which takes so long. It returns nil for
// any other mode.
func newQueueOf(mode string) *Queue {
	servers, service, _ := strings.Cut(mode, "x")
	n, err := strconv.Atoi(servers)
	if err != nil {
		return nil
	}
	took, err := time.ParseDuration(service)
	if err != nil {
		return nil
	}
	return NewQueue(n, took)
}

// Wait returns when the response to a request that has just arrived is due.
func (q *Queue) Wait() {
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
	q.durations = append(q.durations, time.Since(now))
}

// Measured returns the median and the mean of the requests' durations, by the server's clock.
func (q *Queue) Measured() (p50, mean time.Duration) {
	if q == nil {
		return 0, 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.durations) == 0 {
		return 0, 0
	}
	sum := time.Duration(0)
	for _, d := range q.durations {
		sum += d
	}
	slices.Sort(q.durations)
	return q.durations[len(q.durations)/2], sum / time.Duration(len(q.durations))
}

// Serve responds to every request until in ends, and prints its address to out. A mode such as "8x20ms" selects a queue of 8 servers, each of which
// takes 20 ms for a request; with any other mode, Serve responds at once. The response to a path that contains "refuse" is a 429, the response to
// /measured contains the median and the mean of the requests' durations, and the response to /requests contains the number of requests.
func Serve(mode string, in io.Reader, out io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s := &server{queue: newQueueOf(mode)}
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return fmt.Errorf("print the address: %w", err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.answer(conn)
		}
	}()
	_, _ = in.Read(make([]byte, 1)) // until it ends
	return listener.Close()
}

type server struct {
	queue    *Queue
	requests atomic.Int64
}

func (s *server) answer(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // nobody uses it again
	in := bufio.NewReader(conn)
	success, refusal := leanSuccess(), leanRefusal()
	for {
		length, refuse, asked, counted := 0, false, false, false
		for first := true; ; first = false {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if first {
				refuse, asked = strings.Contains(string(line), "refuse"), strings.Contains(string(line), "/measured")
				counted = strings.Contains(string(line), "/requests")
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
		if asked || counted {
			p50, mean := s.queue.Measured()
			text := fmt.Sprintf("%d %d", p50, mean)
			if counted {
				text = strconv.FormatInt(s.requests.Load(), 10)
			}
			if _, err := conn.Write(leanHTTP("200 OK", text, "")); err != nil {
				return
			}
			continue
		}
		s.requests.Add(1)
		s.queue.Wait()
		out := success
		if refuse {
			out = refusal
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}
