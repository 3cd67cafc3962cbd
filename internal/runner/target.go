package runner

import (
	"crypto/tls"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// HealthyRequest returns the call that a profile's gateway answers with a success on a surface. Where the profile has a mock
// upstream, the call uses the model that is routed to it.
func HealthyRequest(p profile.Profile, s dialect.Surface) load.Request {
	call := targets.HealthyCall(p, s, load.TokenPlaceholder)
	if p.Upstream.Present() {
		call.Model = p.Models.Routed(s)
	}
	return load.Request{Name: string(s), Call: call}
}

// DirectRequest returns the same call straight to the mock upstream. ok is false when the profile has none.
func DirectRequest(p profile.Profile, s dialect.Surface) (request load.Request, ok bool) {
	u := p.Upstream
	if !u.Present() {
		return load.Request{}, false
	}
	request = HealthyRequest(p, s)
	request.Name = "direct"
	request.Call.BaseURL = strings.TrimSuffix(u.Attach, "/")
	if u.Listen != "" {
		request.Call.BaseURL = "http://" + u.Listen
	}
	request.Call.Header = nil // it tells a gateway where to route
	request.Call.Key = "gatecert-direct"
	if len(u.Keys) > 0 {
		request.Call.Key = u.Keys[0]
	}
	return request, true
}

// OptionsFor returns the options of an engine for a prepared target: default caps, the certificate roots that its driver
// trusts, and its secrets redacted.
func OptionsFor(p targets.Prepared) load.Options {
	o := load.Options{Secrets: p.Profile.Secrets()}
	if p.Roots != nil {
		o.TLS = &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12}
	}
	return o
}
