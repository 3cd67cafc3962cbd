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

// RiskOf orders the cases by how apt they are to open a breaker. Where that never closes again, or only after a minute, all
// that could be judged before has been: what the gateway refuses by itself, what a proxy asks its upstream in vain, what it
// passes on for the upstream to refuse, and then what makes the upstream fail. Of the last, most breakers count neither what
// is the caller's own fault nor an answer of 200 that the gateway has begun to pass on. What must not reach the upstream
// comes first also because that is asked again, some time later, whether it did.
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
