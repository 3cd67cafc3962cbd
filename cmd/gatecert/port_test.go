package main

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

// freePort is a loopback port that nobody listens on right now.
func freePort(t *testing.T) string {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if !assert.NoError(t, err) {
		return "0"
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
