package upstream

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// elsewherePath begins the paths to which requests are redirected. The token stands behind it, for gateways that repeat the
// request without its body.
const elsewherePath = "/_gatecert-elsewhere/"

// redirectReply sends a request to another host. That is this upstream again, under another name: what matters to a
// gateway is that it was not told to give its key to that name.
func redirectReply(r *http.Request, token string) reply {
	to := url.URL{Scheme: "http", Host: otherHost(r), Path: elsewherePath + cmp.Or(token, "-") + r.URL.Path}
	if r.TLS != nil {
		to.Scheme = "https"
	}
	return reply{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {to.String()}}}
}

// otherHost is another name for the address that the request came to: a name for a loopback address, an address for a name.
func otherHost(r *http.Request) string {
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = strings.Trim(r.Host, "[]")
	}
	with := func(host string) string {
		if port == "" {
			return host
		}
		return net.JoinHostPort(host, port)
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	switch address, err := netip.ParseAddr(name); {
	case name == "localhost":
		return with("127.0.0.1")
	case err != nil && local != nil:
		return local.String()
	case err == nil && address.Is4() && !address.IsLoopback():
		return with("::ffff:" + name) // the same address as IPv6 writes it
	default:
		return with("localhost")
	}
}

// elsewhere reports whether a request followed a redirect of this upstream, and with which token.
func elsewhere(r *http.Request) (token string, ok bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, elsewherePath)
	token, _, _ = strings.Cut(rest, "/")
	if !validToken(token) || token == "-" {
		token = ""
	}
	return token, ok
}

// anyKey is the key of a request in whichever field it stands.
func anyKey(from dialect.Presented) string {
	for _, d := range dialect.Dialects() {
		if key := d.Format().Credential(from); key != "" {
			return key
		}
	}
	return cmp.Or(from.Header("Api-Key"), from.Header("Authorization"))
}

// excludesGzip reports whether a request does not accept a compressed response (RFC 9110 12.5.3).
func excludesGzip(r *http.Request) bool {
	fields := r.Header.Values("Accept-Encoding")
	if len(fields) == 0 {
		return false
	}
	for coding := range strings.SplitSeq(strings.ToLower(strings.Join(fields, ",")), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		switch strings.TrimSpace(name) {
		case "gzip", "x-gzip", "*":
			value := strings.TrimSpace(weight)
			return strings.HasPrefix(value, "q=0") && strings.Trim(value, "q=0.") == ""
		}
	}
	return true
}
