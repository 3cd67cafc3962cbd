package reference

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
)

// Deviation is one way in which gateways break the contract. The gateway with it is what a harness has to catch: in
// exactly the cases that Turns names, and in no other.
type Deviation struct {
	// Name is unique among deviations and variations: "bad-parameters-as-500".
	Name string
	// Sentence says what the gateway does wrong.
	Sentence string
	// Theme is the group of deviations that it belongs to: "limits", "status", "code", "envelope", "stream", "secrecy",
	// "effects" or "load".
	Theme string
	// UnderLoad says that the cases under load have to be played too: many calls show the deviation, or show more of it.
	// What the other deviations do under load is not said.
	UnderLoad bool
	Turns     []Turn

	bend func(*bends)
}

// Turn is what a deviation turns some cases into.
type Turn struct {
	// Cases are those that turn. A case that several turns name belongs to the first.
	Cases []contract.Pattern
	// Verdict is what they turn into. It is [contract.Pass] where all that is broken is a NOTE, or, when nothing is, where
	// the cases are exempt from the turns that follow.
	Verdict contract.Verdict
	// Breaks are obligations that every one of the cases is found to break, maybe among others.
	Breaks []contract.Requirement
	// Some says that which of the cases turn is a matter of timing: at least one does.
	Some bool
}

// TurnOf finds what the deviation turns a case into, nil for a case that has to stay as it is.
func (d Deviation) TurnOf(c contract.Case) *Turn {
	id := c.ID()
	i := slices.IndexFunc(d.Turns, func(t Turn) bool {
		return slices.ContainsFunc(t.Cases, func(p contract.Pattern) bool { return p.Matches(id) })
	})
	if i < 0 || d.Turns[i].stays() {
		return nil
	}
	return &d.Turns[i]
}

// Turned returns the cases that turn, or may, in the contract's order.
func (d Deviation) Turned() []contract.Case {
	return slices.DeleteFunc(contract.Cases(), func(c contract.Case) bool {
		return c.IsLoad() && !d.UnderLoad || d.TurnOf(c) == nil
	})
}

// stays reports whether nothing is to be noticed about the cases after all.
func (t Turn) stays() bool { return t.Verdict == contract.Pass && len(t.Breaks) == 0 }

// Variation is one way in which gateways differ that the contract permits. Nothing may be found wrong with it.
type Variation struct {
	// Name is unique among deviations and variations: "crlf-in-streams".
	Name string
	// Sentence says what the gateway does.
	Sentence string

	bend func(*bends)
}

// Deviations returns all deviations, theme by theme. Those that keep a caller waiting come first, so that whoever tries
// several at once does not wait for them alone in the end.
func Deviations() []Deviation {
	var all []Deviation
	for _, theme := range []struct {
		name       string
		deviations []Deviation
	}{
		{"limits", limitDeviations()},
		{"status", statusDeviations()},
		{"code", codeDeviations()},
		{"envelope", envelopeDeviations()},
		{"stream", streamDeviations()},
		{"secrecy", secrecyDeviations()},
		{"effects", effectDeviations()},
		{"load", append(limitedLoadDeviations(), outageLoadDeviations()...)},
	} {
		for _, d := range theme.deviations {
			d.Theme = theme.name
			all = append(all, d)
		}
	}
	return all
}

// bendsOf gathers what the named deviations and variations bend. It returns [ErrOptions] for a name that there is not.
func bendsOf(names []string) (bends, error) {
	var b bends
	if len(names) == 0 {
		return b, nil
	}
	known := make(map[string]func(*bends))
	for _, d := range Deviations() {
		known[d.Name] = d.bend
	}
	for _, v := range Variations() {
		known[v.Name] = v.bend
	}
	for _, name := range names {
		bend, ok := known[name]
		if !ok {
			return b, fmt.Errorf("%w: no deviation %q: gatecert list deviations shows them all", ErrOptions, name)
		}
		bend(&b)
	}
	return b, nil
}
