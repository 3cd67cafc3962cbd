package load

import (
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Through is the healthy call of a profile on a surface, by the model that leads to our upstream where there is one.
func Through(p profile.Profile, s dialect.Surface) Part {
	call := targets.HealthyCall(p, s, TokenMark)
	if p.Upstream.Present() {
		call.Model = p.Models.Routed(s)
	}
	return Part{Name: string(s), Call: call}
}

// Direct is the same call past the gateway, to the upstream that we play. ok is false when the profile has none.
func Direct(p profile.Profile, s dialect.Surface) (part Part, ok bool) {
	u := p.Upstream
	if !u.Present() {
		return Part{}, false
	}
	part = Through(p, s)
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
