package targets

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

// Risks is the number of values that [RiskOf] returns.
const Risks = 7

// RiskOf orders the cases by how likely they are to open a breaker. If an open breaker never closes again, or only after a minute, everything that
// could be judged before has then been judged. The order is: cases that the gateway refuses by itself; cases with a nonexistent path or model, for
// which a proxy calls its upstream in vain; other cases that the gateway may pass on for the upstream to refuse; and cases in which the upstream
// fails. Among the last, most breakers ignore errors that the caller caused, and responses with status 200 that the gateway has begun to pass on.
// Cases that must not reach the upstream come first for another reason too: gatecert checks again later whether they reached it.
func RiskOf(p profile.Profile, c contract.Case) int {
	switch {
	case c.Reach() == contract.ReachNever:
		return 0
	case c.Reach() != contract.ReachMust && slices.Contains(c.Status().Exact, http.StatusNotFound):
		return 1
	case c.Reach() != contract.ReachMust:
		return 2
	}
	directive := directiveOf(p, c)
	switch {
	case directive == "" || failing.MatchString(directive):
		return Risks - 1
	case refusing.MatchString(directive):
		return 3
	case c.Surface.Streaming():
		return 4
	default:
		return 5
	}
}

var (
	// failing are directives after which most gateways take the upstream, its key or its model out of service: it cannot be
	// used, does not answer, or fails.
	failing = regexp.MustCompile(`\b(?:status=(?:3..|401|402|403|429|5..)|redirect|hang|stall|reset|close)\b`)
	// refusing are those with which the upstream refuses the request.
	refusing = regexp.MustCompile(`\b(?:status=4..|refuse)\b`)
)

// directiveOf is what the mock upstream does in a case, "" where that is unknown.
func directiveOf(p profile.Profile, c contract.Case) string {
	recipe, own, err := p.Recipe(c)
	if own && err == nil {
		return recipe.Directive
	}
	directive, _ := builtinDirective(c)
	return directive
}
