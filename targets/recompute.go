package targets

import (
	"errors"
	"fmt"
	"maps"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// auditToken stands for the token of a call that is not made. It is as long as one.
const auditToken = "0123456789ab"

// errControl is returned for a control call of an unknown kind.
var errControl = errors.New("an unknown kind")

// checkSent compares a recorded request with those that a session may make for a case, of which a run uses one: with each of the
// relay models, and with the newer version of the API where the gateway serves it. It returns the token in it.
func checkSent(logged profile.Profile, c contract.Case, sent contract.Sent) (token string, err error) {
	var first error
	for place := range max(1, len(logged.Models.Relay)) {
		pr, err := RequestFor(withRelay(logged, place), c, auditToken)
		if err != nil {
			return "", fmt.Errorf("a request that gatecert cannot rebuild from the profile: %w", err)
		}
		calls := []exchange.Call{pr.Call}
		if newer := pr.Call; sentWithNewerVersion(c) {
			newer.Header = maps.Clone(newer.Header)
			if setNewerVersion(&newer) {
				calls = append(calls, newer)
			}
		}
		for _, call := range calls {
			token, err := exchange.Recomputed(call, auditToken, sent)
			if err == nil {
				return token, nil
			}
			if first == nil {
				first = err
			}
		}
	}
	return "", first
}

// checkControl is checkSent for a control call.
func checkControl(logged profile.Profile, kind ControlKind, s dialect.Surface, sent contract.Sent) (token string, err error) {
	switch kind {
	case ControlHealthy:
		return exchange.Recomputed(HealthyCall(logged, s, auditToken), auditToken, sent)
	case ControlNonsense:
		return exchange.Recomputed(NonsenseCall(logged, s, auditToken), auditToken, sent)
	default:
		return "", fmt.Errorf("%w: %.20q", errControl, kind)
	}
}
