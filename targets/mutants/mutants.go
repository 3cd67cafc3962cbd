// Package mutants contains broken versions of the reference gateway. Each mutant is broken in one way in which real gateways violate the error
// contract. The harness has to detect every mutant, in exactly the cases that the mutant expects to change and in no other.
//
// Permitted behaviours are the opposite: they are what a conformant gateway may do, and no case may fail because of them.
//
// A mutant changes the gateway through [reference.Hooks], at the points where the gateway makes decisions. It may also configure limits on tokens.
// Mutants do not recognise the harness by what it sends (a token, a directive), because a mutant must be a gateway that could exist.
package mutants

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/targets/reference"
)

// Mutant is a version of the reference gateway that is broken in one way.
type Mutant struct {
	// Name is unique among mutants and permitted behaviours, for example "bad-parameters-as-500".
	Name string
	// Sentence describes what the gateway does wrong.
	Sentence string
	// Theme is the group that the mutant belongs to: "limits", "status", "code", "envelope", "stream", "secrecy",
	// "effects" or "load".
	Theme string
	// Load means that the load cases must run too, because only many calls show the fault, or show more of it. The effect of other mutants in load
	// cases is not specified.
	Load bool
	// Expect states what must happen to the cases. The first expectation that names a case applies. A case that no expectation names must pass.
	Expect []Expectation

	change change
}

// PermittedBehaviour is something that a conformant gateway may do. Every case must pass with it.
type PermittedBehaviour struct {
	// Name is unique among mutants and permitted behaviours, for example "crlf-in-streams".
	Name string
	// Sentence describes what the gateway does.
	Sentence string

	change change
}

// breaker names the permitted behaviour that a load would open.
const breaker = "circuit-breaker"

// UnderLoad reports whether load cases can run with this behaviour as well. They cannot, for example, if the load would open a breaker.
func (p PermittedBehaviour) UnderLoad() bool { return p.Name != breaker }

// ErrUnknown is returned for a name that is neither a mutant's nor a permitted behaviour's.
var ErrUnknown = errors.New("unknown mutant")

// Install adds the named mutants and permitted behaviours to the options of a gateway. Use the options for only one gateway, because some mutants
// keep state. Install returns [ErrUnknown] for a name that does not exist.
func Install(o *reference.Options, names ...string) error {
	changes := make(map[string]change)
	for _, m := range All() {
		changes[m.Name] = m.change
	}
	for _, p := range Permitted() {
		changes[p.Name] = p.change
	}
	for _, name := range names {
		change, ok := changes[name]
		if !ok {
			hint := yamlfile.DidYouMean(name, slices.Sorted(maps.Keys(changes)), "to see all names, run gatecert list mutants and gatecert list permitted")
			return fmt.Errorf("%w %q: %s", ErrUnknown, name, hint)
		}
		change(o)
	}
	return nil
}

// All returns all mutants, grouped by theme. Mutants that keep a client waiting come first, so that a run of several mutants at once does not end
// with a wait for these alone.
func All() []Mutant {
	var all []Mutant
	for _, theme := range []struct {
		name    string
		mutants []Mutant
	}{
		{"limits", limitMutants()},
		// A status that blames the wrong party, or makes the client retry in vain.
		{"status", slices.Concat(requestStatusMutants(), serverStatusMutants(), upstreamErrorMutants(), upstreamFormMutants(), passedOnMutants(), endpointMutants())},
		{"code", codeMutants()},
		// An error that the clients of the API format cannot read.
		{"envelope", slices.Concat(contentTypeMutants(), envelopeShapeMutants(), messageMutants(), openAIFieldMutants(), agreementMutants(), readingMutants(),
			anthropicMutants(), geminiMutants(), headerMutants())},
		// A stream that hides its failure, or reports it in a form that the client does not understand.
		{"stream", slices.Concat(streamEndMutants(), errorEventMutants(), streamStartMutants(), timeMutants(), callerMutants())},
		{"secrecy", secrecyMutants()},
		// A correct answer, and an upstream called or a caller charged who must not be.
		{"effects", slices.Concat(upstreamCallMutants(), billingMutants(), collateralMutants(), substitutionMutants())},
		{"load", slices.Concat(loadCountMutants(), loadRefusalMutants(), loadOutageMutants())},
	} {
		for _, m := range theme.mutants {
			m.Theme, m.Load = theme.name, theme.name == "load"
			all = append(all, m)
		}
	}
	return all
}

func mutant(name, sentence string, change change, expect ...Expectation) Mutant {
	return Mutant{Name: name, Sentence: sentence, Expect: expect, change: change}
}

// Expected returns the expectation for a case, or nil if the case must pass.
func (m Mutant) Expected(c contract.Case) *Expectation {
	id := c.ID()
	i := slices.IndexFunc(m.Expect, func(e Expectation) bool {
		return slices.ContainsFunc(e.Cases, func(p contract.Pattern) bool { return p.Matches(id) })
	})
	if i < 0 || m.Expect[i].unchanged() {
		return nil
	}
	return &m.Expect[i]
}

// Cases returns, in the contract's order, the cases that detect or may detect the mutant.
func (m Mutant) Cases() []contract.Case {
	return slices.DeleteFunc(contract.Cases(), func(c contract.Case) bool {
		return c.IsLoad() && !m.Load || m.Expected(c) == nil
	})
}
