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
	// port and one of the hosts, in lower case, stand in every match: without them the expression need not run.
	port  []byte
	hosts [][]byte
	re    *regexp.Regexp
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
	quoted, lower := make([]string, len(hosts)), make([][]byte, len(hosts))
	for i, h := range hosts {
		lower[i] = folded([]byte(h))
		quoted[i] = regexp.QuoteMeta(h)
		if !strings.HasPrefix(h, ":") { // a colon is not part of a word
			quoted[i] = `\b` + quoted[i]
		}
	}
	const between = `(?:[^\w\n]|_|port|ip|zone|addr(?:ess)?|host(?:name)?|on|at|connect|and){1,40}?`
	name, number := `(?:`+strings.Join(quoted, "|")+`)`, `\b`+port+`\b`
	re := regexp.MustCompile(`(?i)` + name + between + number + `|` + number + between + name + `\b`)
	return address{what: secret.What, port: []byte(port), hosts: lower, re: re}, true
}

// spans finds the address in content; lower is the content in lower case.
func (a address) spans(content, lower []byte) []span {
	if !bytes.Contains(lower, a.port) || !slices.ContainsFunc(a.hosts, func(host []byte) bool { return bytes.Contains(lower, host) }) {
		return nil
	}
	var out []span
	for _, at := range a.re.FindAllIndex(content, -1) {
		out = append(out, span{at[0], at[1], []string{a.what}})
	}
	return out
}
