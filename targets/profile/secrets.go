package profile

import (
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// Secrets lists what no answer, log or report may show: every key of the profile, and the address of the upstream.
func (p Profile) Secrets() []redact.Secret {
	var secrets []redact.Secret
	add := func(what string, values ...string) {
		for _, v := range values {
			if v != "" {
				secrets = append(secrets, redact.Secret{What: what, Value: v})
			}
		}
	}
	k := p.Keys
	add("caller key", k.Valid, k.Revoked, k.Restricted, k.Denied, k.SpentAccount, k.SpentKey, p.Limits.Rate.Key)
	for _, name := range slices.Sorted(maps.Keys(p.Circumstances)) {
		r := p.Circumstances[name]
		add("caller key", r.Key)
		for _, surface := range slices.Sorted(maps.Keys(r.On)) {
			add("caller key", r.On[surface].Key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		if credentialName.MatchString(name) {
			add("header "+name, p.Headers[name])
		}
	}
	add("administrator's credential", p.Admin.Token, p.Admin.Password)
	add("store's password", p.Store.password())
	add("planted store fault", p.Planted...)
	add("upstream key", p.Upstream.Keys...)
	add("upstream token", p.Upstream.Token)
	add("upstream address", p.Upstream.Addresses...)
	add("upstream address", p.Upstream.Listen, Host(p.Upstream.Attach), Host(p.Upstream.URL))
	return secrets
}

// SearchedSecrets lists the secrets that answers are searched for. A weak one, such as the password "postgres", would be
// found in ordinary text; weak names those, so that people can be told.
func (p Profile) SearchedSecrets() (searched []redact.Secret, weak []string) {
	searched, skipped := redact.Strong(p.Secrets())
	for _, s := range skipped {
		if !slices.Contains(weak, s.What) {
			weak = append(weak, s.What)
		}
	}
	return searched, weak
}

// password is the part of the store's URL that no report may show.
func (d DB) password() string {
	u, err := url.Parse(d.Postgres)
	if err != nil {
		return d.Postgres
	}
	password, _ := u.User.Password()
	return password
}

// credentialName recognises header fields whose value is a credential, by whole words: x-portkey-provider holds none.
var credentialName = regexp.MustCompile(`(?i)(^|[-_])(authorization|auth|apikey|key|token|secret|cookie)([-_]|$)`)

// Host is the host:port of a URL, "" for what is none.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// Redacted is the effective profile as YAML, fit for a log: no key survives, and [ParseRedacted] reads it.
func (p Profile) Redacted() string {
	raw, err := yaml.Marshal(p)
	if err != nil {
		return "# the profile cannot be shown: " + err.Error() + "\n"
	}
	// Values are replaced before they are written: a key's name in brackets would be a list if it were not quoted.
	var tree yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(raw, &tree, yaml.UseOrderedMap()); err != nil {
		return "# the profile cannot be shown: " + err.Error() + "\n"
	}
	redactor := redact.New(p.Secrets()...)
	if raw, err = yaml.Marshal(redacted(tree, redactor)); err != nil {
		return "# the profile cannot be shown: " + err.Error() + "\n"
	}
	return redactor.Text(string(raw)) // for what is not a value: the name of a field
}

func redacted(value any, redactor *redact.Redactor) any {
	switch v := value.(type) {
	case string:
		return redactor.Text(v)
	case []any:
		for i := range v {
			v[i] = redacted(v[i], redactor)
		}
	case yaml.MapSlice:
		for i := range v {
			v[i].Value = redacted(v[i].Value, redactor)
		}
	}
	return value
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
	return p.WithDefaults(), nil
}
