package profile

import (
	"slices"
	"strings"

	"github.com/gatecert/gatecert/exchange/redact"
)

// Reach says what of its user's machine a run with the profile uses: where it sends which environment variables, and what it
// opens. Whoever uses a profile that he has not named has to agree to these sentences first, which stay the same as long as nothing
// else is reached. They hold no secrets; the URL and the names in them are whatever the profile says.
func (p Profile) Reach() []string {
	searched, _ := p.SearchedSecrets()
	redactor := redact.New(slices.DeleteFunc(searched, func(s redact.Secret) bool { return s.What == UpstreamAddress })...)
	shown := func(text string) string {
		clean, _ := redact.Inline("credential", text, redact.URLs)
		return redactor.Text(clean)
	}
	var reach []string
	sent := ""
	if names := p.Variables.names(); len(names) > 0 {
		sent = ", with $" + strings.Join(names, ", $")
	}
	if p.BaseURL == "" {
		reach = append(reach, "starts a gateway on this machine"+sent)
	} else {
		reach = append(reach, "sends requests to "+shown(p.BaseURL)+sent)
	}
	if p.Driver != "" && p.Driver != StaticDriver && p.Driver != ReferenceDriver {
		reach = append(reach, "creates users and channels there, as the administrator (driver "+p.Driver+")")
	}
	for _, part := range []struct{ verb, what string }{
		{"serves the mock upstream at ", p.Upstream.Listen}, {"asks the mock upstream at ", p.Upstream.Attach},
		{"opens the database ", p.Store.SQLite}, {"opens the database ", p.Store.Postgres}, {"trusts the certificates in ", p.TLS.CA},
	} {
		if part.what != "" {
			reach = append(reach, part.verb+shown(part.what))
		}
	}
	return reach
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
