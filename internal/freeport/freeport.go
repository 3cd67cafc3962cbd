// Package freeport finds addresses that tests can listen on later.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// Ports from 20000 to 29999: operating systems take those of outgoing calls from 32768 upwards, so that none of the many calls
// of other tests has the port by the time it is listened on.
const first, count = 20000, 10000

// Each process begins with a different port, and uses each of its ports only once.
var (
	start = rand.Uint32N(count)
	used  atomic.Uint32
)

// Address returns a loopback address at which nothing is currently listening. It returns the same address only once in this process.
func Address(tb testing.TB) string {
	tb.Helper()
	for range count {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+int((start+used.Add(1))%count)))
		if l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", address); err == nil {
			if err := l.Close(); err == nil {
				return address
			}
		}
	}
	tb.Fatal("no free port")
	return ""
}
