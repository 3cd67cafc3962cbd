package runner

import (
	"crypto/tls"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// HealthyRequest is the healthy call of a profile on a surface, by the model that leads to our upstream where there is one.
func HealthyRequest(p profile.Profile, s dialect.Surface) load.Request {
	call := targets.HealthyCall(p, s, load.TokenPlaceholder)
	if p.Upstream.Present() {
		call.Model = p.Models.Routed(s)
	}
	return load.Request{Name: string(s), Call: call}
}

// DirectRequest is the same call past the gateway, to the upstream that we play. ok is false when the profile has none.
func DirectRequest(p profile.Profile, s dialect.Surface) (part load.Request, ok bool) {
	u := p.Upstream
	if !u.Present() {
		return load.Request{}, false
	}
	part = HealthyRequest(p, s)
	part.Name = "direct"
	part.Call.BaseURL = strings.TrimSuffix(u.Attach, "/")
	if u.Listen != "" {
		part.Call.BaseURL = "http://" + u.Listen
	}
	part.Call.Header = nil // they tell a gateway where to route
	part.Call.Key = "gatecert-direct"
	if len(u.Keys) > 0 {
		part.Call.Key = u.Keys[0]
	}
	return part, true
}

// OptionsFor are the options of an engine with the default caps that trusts whom the target's driver trusts, and shows none
// of its secrets.
func OptionsFor(p targets.Prepared) load.Options {
	o := load.Options{Secrets: p.Profile.Secrets()}
	if p.Roots != nil {
		o.TLS = &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12}
	}
	return o
}
