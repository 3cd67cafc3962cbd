package redact

import (
	"bytes"
	"net"
	"regexp"
	"slices"
	"strings"
)

// hostPort matches a host with its port, but not a key that contains a colon.
var hostPort = regexp.MustCompile(`^(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9A-Fa-f:.]+\]):\d{1,5}$`)

// loopback are the ways to write the address of this machine.
var loopback = []string{"127.0.0.1", "localhost", "::1", "0.0.0.0", "host.docker.internal"}

// address is a host and a port, in the ways in which clients print them: host:port, host='…', port=…, "… port 18901",
// ('…', 18901), and as members of their own.
type address struct {
	what string
	port []byte // stands in every match: without it the expression need not run
	re   *regexp.Regexp
}

func newAddress(secret Secret) (address, bool) {
	if !hostPort.MatchString(secret.Value) {
		return address{}, false
	}
	host, port, err := net.SplitHostPort(secret.Value)
	if err != nil {
		return address{}, false
	}
	hosts := []string{host}
	if slices.Contains(loopback, host) {
		hosts = loopback
	}
	quoted := make([]string, len(hosts))
	for i, h := range hosts {
		quoted[i] = regexp.QuoteMeta(h)
		if !strings.HasPrefix(h, ":") { // a colon is not part of a word
			quoted[i] = `\b` + quoted[i]
		}
	}
	const between = `(?:[^\w\n]|_|port|ip|zone|addr(?:ess)?|host(?:name)?|on|at|connect|and){1,40}?`
	name, number := `(?:`+strings.Join(quoted, "|")+`)`, `\b`+port+`\b`
	return address{secret.What, []byte(port), regexp.MustCompile(`(?i)` + name + between + number + `|` + number + between + name + `\b`)}, true
}

func (a address) spans(content []byte) []span {
	if !bytes.Contains(content, a.port) {
		return nil
	}
	var out []span
	for _, at := range a.re.FindAllIndex(content, -1) {
		out = append(out, span{at[0], at[1], []string{a.what}})
	}
	return out
}
