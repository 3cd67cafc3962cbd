package limits

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
)

// recordLimit says how many calls of a phase were admitted and refused. Where the model explains all calls, it also says why fewer
// than the limit were admitted.
func (a *assessment) recordLimit(r contract.Requirement, p phase, explained bool) {
	var admitted, refused, first int
	for _, i := range a.inPhase(p) {
		if admitted+refused == 0 {
			first = i
		}
		switch {
		case a.calls[i].Outcome() == Admitted:
			admitted++
		case a.rejected[i]:
			refused++
		}
	}
	concurrency := a.declared.Kind == contract.Concurrency
	switch {
	case admitted+refused == 0:
		a.untested(r, "these calls were not made")
	case admitted == 0:
		a.untested(r, "none of %d calls was admitted", refused)
	case refused == 0 && (r == contract.LimitBurst || !concurrency): // one at a time, concurrent calls are never refused
		a.untested(r, "%d calls did not reach the limit", admitted)
	case explained && refused > 0 && !concurrency:
		a.held(r, "%d calls admitted and %d refused%s", admitted, refused, a.shortfall(admitted, first))
	default:
		a.held(r, "%d calls admitted and %d refused", admitted, refused)
	}
}

// shortfall says why fewer calls than the limit were admitted from one call on, "" where as many were. The call that detects the
// recovery takes a place.
func (a *assessment) shortfall(admitted, from int) string {
	limit := a.declared.capacity()
	switch {
	case admitted >= limit:
		return ""
	case admitted == limit-1 && from > 0 && a.calls[from-1].phase == phaseRecovery && a.calls[from-1].Outcome() == Admitted:
		return fmt.Sprintf("; 1 of the limit of %d was used by the call that detected the recovery", limit)
	default:
		return fmt.Sprintf("; not all of the limit of %d was certainly free again", limit)
	}
}

// recordRecovery says when the limit was free again, if it had been used up.
func (a *assessment) recordRecovery() {
	polls := a.inPhase(phaseRecovery)
	switch {
	case len(polls) == 0:
	case !slices.Contains(a.rejected[:polls[0]], true):
		a.untested(contract.Recovery, "no call was refused in the initial burst")
	case a.recovery != nil && *a.recovery > 0:
		a.held(contract.Recovery, "the first call was admitted %s after the initial burst", round(*a.recovery))
	}
}
