package profile

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// UpstreamAddress names the addresses of upstreams among the secrets.
const UpstreamAddress = "upstream address"

// Secrets lists what no answer, log or report may show: the keys, the credentials of headers, queries, bodies, stores and the
// admin API, the address of the upstream, and the environment variables that the profile uses and does not call public.
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

// SearchedSecrets lists the secrets that answers are searched for. A weak one, such as the password "postgres", would be
// found in ordinary text; weak names those, so that people can be told.
func (p Profile) SearchedSecrets() (searched []redact.Secret, weak []string) {
	searched, skipped := redact.Strong(p.Secrets())
	for _, s := range skipped {
		if !s.Echo && !slices.Contains(weak, s.What) {
			weak = append(weak, s.What)
		}
	}
	return searched, weak
}

// Host is the host:port of a URL, "" for what is none.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// YAML is the profile as a file that [Load] reads, keys included.
func (p Profile) YAML() ([]byte, error) { return yaml.Marshal(p) }

// ParseRedacted reads a profile back from a log: it says what the target offers, but its keys are names of keys. It
// returns [ErrProfile] when the text is not a profile.
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
