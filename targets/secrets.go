package targets

import (
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/gatecert/gatecert/exchange"
)

// Secrets lists what no answer, log or report may show: every key of the profile, and where the provider lives.
func (p Profile) Secrets() []exchange.Secret {
	var secrets []exchange.Secret
	add := func(what string, values ...string) {
		for _, v := range values {
			if v != "" {
				secrets = append(secrets, exchange.Secret{What: what, Value: v})
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
	add("provider key", p.Upstream.Keys...)
	add("provider address", p.Upstream.Addresses...)
	add("provider address", p.Upstream.Listen, host(p.Upstream.Attach))
	return secrets
}

// credentialName recognises header fields whose value is a credential, by whole words: x-portkey-provider holds none.
var credentialName = regexp.MustCompile(`(?i)(^|[-_])(authorization|auth|apikey|key|token|secret|cookie)([-_]|$)`)

func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// Redacted is the effective profile as YAML, fit for a log: no key survives.
func (p Profile) Redacted() string {
	raw, err := yaml.Marshal(p)
	if err != nil {
		return "the profile cannot be shown: " + err.Error()
	}
	return exchange.NewRedactor(p.Secrets()...).Text(string(raw))
}
