package certificate

import (
	"fmt"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// requests compares every recorded request with the one that the profile makes for its case. Each has a token of its own, so
// that no answer stands for two.
func (a *audit) requests() {
	if a.offer == nil {
		return
	}
	seen := make(map[string]string)
	check := func(what string, o *contract.Observation, sent func(contract.Sent) (token string, err error)) {
		if o == nil {
			return
		}
		token, err := sent(o.Sent)
		if err != nil {
			a.problemf("%s was recorded with %v", what, err)
		}
		if token == "" {
			return
		}
		if other, twice := seen[token]; twice {
			a.problemf("%s was recorded with the same random token as %s", what, other)
		}
		seen[token] = what
	}
	for _, c := range a.run.Cases {
		known, err := contract.ParseCase(c.ID)
		if err != nil || known.IsLoad() {
			continue // of a load case one answer of many is kept, as an example
		}
		check(c.ID, c.Observation, func(sent contract.Sent) (string, error) { return a.offer.CheckSent(known, sent) })
	}
	for _, c := range a.run.Controls {
		check(controlName(c), c.Observation, func(sent contract.Sent) (string, error) { return a.offer.CheckControl(c.Kind, c.Surface, sent) })
	}
}

func controlName(c runlog.Control) string {
	return fmt.Sprintf("the %.20s control call on %s", runlog.ControlName(c.Kind), c.Surface)
}
