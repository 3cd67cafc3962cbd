package targets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Loadable are the surfaces that cases under load are about, in the contract's order.
func Loadable() []dialect.Surface {
	var surfaces []dialect.Surface
	for _, c := range contract.Cases() {
		if c.UnderLoad() && !slices.Contains(surfaces, c.Surface) {
			surfaces = append(surfaces, c.Surface)
		}
	}
	return surfaces
}

// Loaded are the surfaces of the profile that are put under load: those that it names, or the first that it offers.
func (p Profile) Loaded() []dialect.Surface {
	if len(p.Load.Surfaces) > 0 {
		return p.Load.Surfaces
	}
	offered := slices.DeleteFunc(Loadable(), func(s dialect.Surface) bool { return !slices.Contains(p.Surfaces, s) })
	return offered[:min(1, len(offered))]
}

// offersLoad says with [ErrNotOffered] what the profile lacks for a case under load, beyond what it lacks at rest.
func (p Profile) offersLoad(c contract.Case) error {
	rate := p.Limits.Rate
	switch {
	case c.Row == "http:429" && rate.Kind != Concurrency && rate.Window <= 0:
		return fmt.Errorf("%w: the profile declares no limits.rate.window", ErrNotOffered)
	case c.Row == "http:429" && rate.Kind == Concurrency && !p.Upstream.Present():
		return fmt.Errorf("%w: calls can only be held under way by an upstream that gatecert plays", ErrNotOffered)
	case c.Row != "http:429" && !p.Upstream.Present():
		return fmt.Errorf("%w: the profile has no upstream that gatecert plays", ErrNotOffered)
	}
	return nil
}

// listed are surfaces as a sentence names them.
func listed(surfaces []dialect.Surface) string {
	names := make([]string, len(surfaces))
	for i, s := range surfaces {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
