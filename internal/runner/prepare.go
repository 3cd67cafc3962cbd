package runner

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/workload"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Prepare prepares a target. The caller must close the result.
//
// Prepare returns the errors of package targets for consent, credentials and gateways that cannot be prepared, [ErrUnreachable] if no connection
// could be made, [ErrInconclusive] if the mock upstream cannot listen, and [ErrHarness] for everything else.
func Prepare(ctx context.Context, driver targets.Driver, target profile.Profile) (targets.Prepared, error) {
	prepared, err := driver.Prepare(ctx, target)
	if err != nil {
		prepared = targets.Prepared{}
	}
	// A driver may have made a profile of its own.
	prepared.Profile.Claims, prepared.Profile.Upstream.Protocol = target.Claims, target.Upstream.Protocol
	prepared.Profile.Sampled = target.Sampled
	var op *net.OpError
	switch {
	case err == nil:
		return prepared, nil
	case errors.Is(err, targets.ErrConsent), errors.Is(err, targets.ErrCredential), errors.Is(err, targets.ErrCannotPrepare):
		return prepared, fmt.Errorf("prepare %s: %w", target.Name, err)
	case errors.As(err, &op) && op.Op == "dial":
		return prepared, diagnosis{sentence: noConnection(shownRoot(target), err.Error()), unreachable: true}
	case errors.As(err, &op) && op.Op == "listen" && target.Upstream.Listen != "":
		return prepared, diagnosis{sentence: cannotListen(target.Upstream.Listen, err)}
	default:
		return prepared, fmt.Errorf("%w: prepare %s: %w", ErrHarness, target.Name, err)
	}
}

// CheckHealth makes the healthy call of a surface. A load repeats this call many times: if a single call fails, the load is meaningless. It returns
// [ErrInconclusive] if the call does not succeed. If there is no connection, the error is also an [ErrUnreachable].
func CheckHealth(ctx context.Context, p targets.Prepared, surface dialect.Surface) (err error) {
	session := targets.NewSession(p, targets.Host{})
	defer func() { err = errors.Join(err, session.Close()) }()
	calls, err := callSurface(ctx, session, surface, []targets.ControlKind{targets.ControlHealthy}, runlog.BeforeCases)
	if err != nil || calls[0].OK {
		return err
	}
	return checkControls(ctx, session, controls{calls: calls, failed: map[dialect.Surface]string{surface: calls[0].Detail}}, []dialect.Surface{surface})
}

// HealthyRequest returns a call on a surface to which the profile's gateway responds with a success. If the profile has a mock upstream, the call
// uses the model that is routed to it.
func HealthyRequest(p profile.Profile, s dialect.Surface) load.Request {
	return load.Request{Name: string(s), Call: Measured{}.call(p, s, "", workload.Prompt{})}
}

// DirectRequest returns the call of [HealthyRequest], sent directly to the mock upstream. ok is false when
// the profile has none.
func DirectRequest(p profile.Profile, s dialect.Surface) (request load.Request, ok bool) {
	return Direct(p, HealthyRequest(p, s))
}

// Direct returns the same request, sent directly to the mock upstream instead of the gateway. ok is false
// when the profile has none.
func Direct(p profile.Profile, request load.Request) (direct load.Request, ok bool) {
	u := p.Upstream
	if !u.Present() {
		return load.Request{}, false
	}
	request.Name = "direct"
	request.Call = directCall(u, request.Call)
	variants := request.Variants
	request.Variants = nil
	for _, v := range variants {
		request.Variants = append(request.Variants, directCall(u, v))
	}
	return request, true
}

// directCall is a call straight to the mock upstream.
func directCall(u profile.Upstream, call exchange.Call) exchange.Call {
	call.BaseURL = strings.TrimSuffix(u.Attach, "/")
	if u.Listen != "" {
		call.BaseURL = "http://" + u.Listen
	}
	call.Header = nil // it tells a gateway where to route
	call.Shown = exchange.Shown{}
	call.Key = "gatecert-direct"
	if len(u.Keys) > 0 {
		call.Key = u.Keys[0]
	}
	return call
}

// OptionsFor returns the options of an engine for a prepared target: default caps, the certificate roots that its driver
// trusts, and its secrets redacted.
func OptionsFor(p targets.Prepared) load.Options {
	searched, _ := p.Profile.SearchedSecrets()
	o := load.Options{Secrets: searched, Codes: p.Profile.Claims.Declared().Codes}
	if p.Roots != nil {
		o.TLS = &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12}
	}
	return o
}
