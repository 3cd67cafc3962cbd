package limits

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// checkTokens finds out whether a limit on tokens holds.
func (a *assessment) checkTokens() {
	a.decisions = decisionsOf(a.calls, a.calls[0].Earliest)
	a.rejected = make([]bool, len(a.calls))
	uses := make([]tokenUse, len(a.calls))
	var admitted, refused, tokens, silent int
	part := a.declared.Part
	for i, c := range a.calls {
		uses[i] = tokenUse{a.decisions[i], float64(c.Tokens.Of(part)), float64(c.Asked.Of(part))}
		switch c.Outcome() { //nolint:exhaustive // ignored calls are not among those of an experiment
		case Admitted:
			admitted++
			tokens += c.Tokens.Of(part)
			if c.Tokens.Of(AllTokens) == 0 {
				silent++
			}
		case Refused:
			refused++
			a.rejected[i] = true
		case Failed:
			uses[i].tokens = uses[i].asked
		}
	}
	a.model = a.declared.model(a.declared.kinds()[0])
	a.untested(contract.LimitBurst, "some gateways count a call's tokens only after the call has ended, so concurrent calls cannot test a token limit")
	if silent > 0 {
		a.untested(contract.LimitExact, "%d of %s did not state how many tokens the call used", silent, plain.Count(admitted, "response"))
		return
	}
	m, shares := bestTokenModel(a.declared, uses)
	a.model = m
	if shares.used >= maxUsedTokens {
		level := contract.Should
		if shares.used >= certainlyTooMany {
			level = contract.Must
		}
		a.find(contract.LimitExact, level, "no call admitted while the limit ("+a.modelName()+") is used up",
			fmt.Sprintf("a call was admitted %s after the first call, although %.0f %% of the limit was already used", a.after(shares.over), 100*shares.used))
	} else if at, needed := a.lastWindowOfTokens(uses); at >= 0 {
		a.find(contract.LimitExact, contract.Should, fmt.Sprintf("usage of at least %.0f %% of %s in one window, while gatecert used all capacity as soon as it became available", 100*minNeededTokens, a.declared),
			fmt.Sprintf("only %.0f %% of the limit was used, even counting the call that was refused %s after the first call and needed %s", 100*needed, a.after(at), plain.Count(a.calls[at].Asked.Of(part), "token")))
	} else if i := slices.IndexFunc(shares.under, func(u underused) bool { return !a.byOthers(u.call) }); i >= 0 {
		u := shares.under[i]
		a.find(contract.LimitExact, contract.Should, "calls admitted while the limit ("+a.modelName()+") has capacity",
			fmt.Sprintf("a call was refused %s after the first call, although it would have brought usage to only %.0f %% of the limit (the refused call needed %s)",
				a.after(u.call), 100*u.needed, plain.Count(a.calls[u.call].Asked.Of(part), "token")))
	}
	if refused == 0 {
		a.untested(contract.LimitExact, "no call was refused, so the limit of %d %s in %s was probably not reached: %s used %s", a.declared.Limit, part.unit(), round(a.declared.Window),
			plain.Count(admitted, "call"), plain.Count(tokens, "token"))
	} else {
		a.held(contract.LimitExact, "%d calls admitted and %d refused; the admitted calls used %s", admitted, refused, plain.Count(tokens, "token"))
	}
	a.recordRecovery()
}

// lastWindowOfTokens is a refused call after two windows in which all that was freed was used up, and the share of the limit that was
// used in the window before it, where that is too small for any kind of limit; -1 for none.
func (a *assessment) lastWindowOfTokens(uses []tokenUse) (call int, share float64) {
	d := a.declared
	if d.Kind != "" {
		return -1, 0
	}
	m := tokenModel{LimiterModel{Limit: d.Limit, Window: d.Window, Kind: contract.SlidingLog}, uses, d.Slack}
	for _, i := range a.inPhase(phaseSustained) {
		if u := &uses[i]; u.outcome == Refused && u.from > 2*d.Window {
			if share := m.needed(u); share < minNeededTokens && !a.byOthers(i) {
				return i, share
			}
		}
	}
	return -1, 0
}

func (a *assessment) after(call int) string { return round(a.decisions[call].from) }

// modelName is the model with its unit.
func (a *assessment) modelName() string {
	if a.declared.Tokens {
		return fmt.Sprintf("%s of %d %s in %s", a.model.Kind, a.model.Limit, a.declared.Part.unit(), round(a.model.Window))
	}
	return a.model.String()
}
