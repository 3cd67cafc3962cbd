package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// Case is a circumstance on a surface, in one variant. gatecert runs, judges and reports each case separately.
type Case struct {
	Row          RowID
	Circumstance string
	Surface      dialect.Surface
	Variant      string
}

// ID returns the stable name of the case, such as "code:model_not_found/absent-model/chat-stream". If the circumstance has more than one variant, the
// variant is the fourth part of the name.
func (c Case) ID() string {
	id := string(c.Row) + "/" + c.Circumstance + "/" + string(c.Surface)
	if c.Variant != "" {
		id += "/" + c.Variant
	}
	return id
}

// Level returns the lowest level that a target must offer for the case.
func (c Case) Level() Level {
	circ, variant, ok := c.resolve()
	switch {
	case !ok:
		return Full
	case variant.Needs != "":
		return variant.Needs
	default:
		return circ.Needs
	}
}

// IsLoad reports whether the case is a load case, which sends many calls.
func (c Case) IsLoad() bool { return c.Variant == LoadVariant }

// Reach returns whether the call of this case reaches the upstream.
func (c Case) Reach() Reach {
	circ, variant, _ := c.resolve()
	if variant.Reach != "" {
		return variant.Reach
	}
	return circ.Reach
}

// Status returns the statuses that a response in this case may have. If the variant has a rule of its own, this rule replaces the row's.
func (c Case) Status() StatusRule {
	row, _ := rowOf(c.Row)
	if _, variant, _ := c.resolve(); variant.Status != nil {
		return variant.Status.clone()
	}
	return row.Status.clone()
}

// resolve shares the tables: it is called for every answer under load, and keeps to reading them.
func (c Case) resolve() (Circumstance, Variant, bool) {
	i := slices.IndexFunc(circumstances, func(known Circumstance) bool { return known.ID == c.Circumstance })
	if i < 0 {
		return Circumstance{}, Variant{}, false
	}
	variant, ok := circumstances[i].Variant(c.Variant)
	return circumstances[i], variant, ok
}

// Cases returns every case of the contract, in the order of its circumstances, variants and surfaces.
func Cases() []Case {
	var cases []Case
	for _, circ := range circumstances {
		for _, variant := range circ.Variants {
			for _, surface := range variant.Surfaces {
				cases = append(cases, Case{circ.Row, circ.ID, surface, variant.Name})
			}
		}
	}
	return cases
}

// SplitID splits a case id into its parts. It does not check whether this version of the contract contains the case, because an older log may name
// cases that no longer exist. Missing parts are empty.
func SplitID(id string) Case {
	parts := append(strings.SplitN(id, "/", 4), "", "", "")
	return Case{Row: RowID(parts[0]), Circumstance: parts[1], Surface: dialect.Surface(parts[2]), Variant: parts[3]}
}

// ParseCase parses a case id. If the contract does not contain the case, the error states which part of the id is unknown.
func ParseCase(id string) (Case, error) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 && len(parts) != 4 {
		return Case{}, fmt.Errorf("case %q: the id must have the form row/circumstance/surface or row/circumstance/surface/variant", id)
	}
	circ, ok := CircumstanceByID(parts[1])
	if !ok {
		return Case{}, fmt.Errorf("case %q: there is no circumstance %q", id, parts[1])
	}
	if string(circ.Row) != parts[0] {
		return Case{}, fmt.Errorf("case %q: circumstance %s belongs to row %s", id, circ.ID, circ.Row)
	}
	c := Case{Row: circ.Row, Circumstance: circ.ID, Surface: dialect.Surface(parts[2])}
	if len(parts) == 4 {
		c.Variant = parts[3]
	}
	variant, ok := circ.Variant(c.Variant)
	if !ok {
		return Case{}, fmt.Errorf("case %q: circumstance %s has no variant %q", id, circ.ID, c.Variant)
	}
	if !slices.Contains(variant.Surfaces, c.Surface) {
		return Case{}, fmt.Errorf("case %q: circumstance %s has no such case on surface %q", id, circ.ID, c.Surface)
	}
	return c, nil
}

// LoadSurfaces returns the surfaces that have load cases, in the contract's order.
func LoadSurfaces() []dialect.Surface {
	var surfaces []dialect.Surface
	for _, c := range Cases() {
		if c.IsLoad() && !slices.Contains(surfaces, c.Surface) {
			surfaces = append(surfaces, c.Surface)
		}
	}
	return surfaces
}
