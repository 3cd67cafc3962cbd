package profile

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// Reach describes what a run with the profile uses on the user's machine: which environment variables it sends, and where, and what it opens. Users
// who did not name the profile themselves must first consent to these sentences. The sentences stay the same as long as the profile does not use
// anything else. They contain no secrets; the URL and the names in them are copied from the profile.
func (p Profile) Reach() []string {
	shown := p.mapped(p.shownText)
	var reach []string
	sent := ""
	if names := p.Variables.names(); len(names) > 0 {
		sent = ", with $" + strings.Join(names, ", $")
	}
	if p.BaseURL == "" {
		reach = append(reach, "starts a gateway on this machine"+sent)
	} else {
		reach = append(reach, "sends requests to "+shown.BaseURL+sent)
	}
	if p.Driver != "" && p.Driver != StaticDriver && p.Driver != ReferenceDriver {
		reach = append(reach, "creates users and channels there, as the administrator (driver "+p.Driver+")")
	}
	for _, part := range []struct{ verb, what string }{
		{"serves the mock upstream at ", hostOf("tcp://" + p.Upstream.Listen)}, {"asks the mock upstream at ", hostOf(p.Upstream.Attach)},
		{"opens the database ", shown.Store.SQLite}, {"opens the database ", shown.Store.Postgres}, {"trusts the certificates in ", shown.TLS.CA},
	} {
		if part.what != "" {
			reach = append(reach, part.verb+part.what)
		}
	}
	return reach
}

// hostOf is the host and port of a URL. In reports they stand for an upstream that must not be named; here its user has to see which it is.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "an address that is not valid"
	}
	if host, port, err := net.SplitHostPort(u.Host); err == nil {
		return net.JoinHostPort(host, port)
	}
	return u.Host
}

// names are the names of the variables, sorted.
func (v Variables) names() []string {
	var names []string
	for _, variable := range v.list {
		names = append(names, variable.name)
	}
	slices.Sort(names)
	return names
}
