package profile

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// UpstreamAddress is the name of upstream addresses among the secrets.
const UpstreamAddress = "upstream address"

// Secrets returns the values that no response, log or report may show: the keys; the credentials in headers, queries, bodies, stores and the admin
// API; the address of the upstream; and the environment variables that the profile uses and does not declare public.
func (p Profile) Secrets() []redact.Secret {
	var secrets []redact.Secret
	p.mapped(func(at place, text string) string {
		_, found := p.shown(at, text)
		for _, s := range found {
			if s.Value != "" && !slices.Contains(secrets, s) {
				secrets = append(secrets, s)
			}
		}
		return text
	})
	for _, planted := range p.Planted {
		secrets = append(secrets, redact.Secret{What: "planted store fault", Value: planted})
	}
	// The first of two with the same value gives the name: a key is called one wherever it stands.
	slices.SortStableFunc(secrets, func(a, b redact.Secret) int { return cmp.Compare(rank(a.What), rank(b.What)) })
	return append(secrets, p.Variables.secrets()...)
}

// ranked are the names of secrets that come first.
var ranked = []string{redact.CallerKey, "administrator's credential", "store's password", "planted store fault", "upstream key", "upstream token"}

func rank(what string) int {
	if i := slices.Index(ranked, what); i >= 0 {
		return i
	}
	return len(ranked)
}

// SearchedSecrets returns the secrets that responses are searched for. A weak secret, such as the password "postgres", would match ordinary text.
// weak lists the names of the weak secrets, so that users can be informed.
func (p Profile) SearchedSecrets() (searched []redact.Secret, weak []string) {
	searched, skipped := redact.Strong(p.Secrets())
	for _, s := range skipped {
		if !s.Echo && !slices.Contains(weak, s.What) {
			weak = append(weak, s.What)
		}
	}
	return searched, weak
}

// Host returns the host:port of a URL, or "" if the string is not a URL.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// YAML returns the profile as a file that [Load] can read, including keys.
func (p Profile) YAML() ([]byte, error) { return yaml.Marshal(p) }

// ParseRedacted parses a profile from a log. The profile states what the target offers, but it contains the names of keys instead of the keys.
// ParseRedacted returns [ErrProfile] if the text is not a profile.
func ParseRedacted(text string) (Profile, error) {
	document, err := yamlfile.Parse("profile", []byte(text))
	if err != nil {
		return Profile{}, fault{err}
	}
	var p Profile
	if err := document.DecodeKnown(&p); err != nil {
		return Profile{}, fault{err}
	}
	if p = p.WithDefaults(); p.Driver == StaticDriver && len(p.Lacks) > 0 {
		return Profile{}, fault{document.Fault("$.lacks", onlyDriver)}
	}
	return p, nil
}
