package outage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// conclusion is what a round shows about one requirement.
type conclusion struct {
	runlog.Check

	// finding is set when the requirement is violated, and certainty says whether a second round has to confirm it.
	finding   contract.Finding
	certainty certainty
}

// certainty says whether a stall of this machine could have caused a violation.
type certainty int

const (
	certain   certainty = iota // counts in any case
	uncertain                  // counts when a second round shows it again
)

func (c conclusion) violated() bool { return c.Result == runlog.Violated }

func (c conclusion) uncertain() bool { return c.violated() && c.certainty == uncertain }

func (c conclusion) certain() bool { return c.violated() && c.certainty == certain }

// conclusions are those of one round, or of two that were compared.
type conclusions []conclusion

// uncertain reports whether any violation is.
func (all conclusions) uncertain() bool {
	return slices.ContainsFunc(all, conclusion.uncertain)
}

func (all conclusions) checks() []runlog.Check {
	checks := make([]runlog.Check, len(all))
	for i, c := range all {
		checks[i] = c.Check
	}
	return checks
}

func (all conclusions) findings() []contract.Finding { return all.findingsOf(conclusion.violated) }

// certain are the findings that no stall of this machine can explain.
func (all conclusions) certain() []contract.Finding { return all.findingsOf(conclusion.certain) }

func (all conclusions) findingsOf(counts func(conclusion) bool) (found []contract.Finding) {
	for _, c := range all {
		if counts(c) {
			found = append(found, c.finding)
		}
	}
	return found
}

// report returns the findings. Given reasons why the generator could not keep up, uncertain violations are not reported:
// it returns [ErrGeneratorBusy] in their place.
func (all conclusions) report(generator []string) ([]contract.Finding, error) {
	if all.uncertain() && len(generator) > 0 {
		return all.certain(), fmt.Errorf("%w: %s", ErrGeneratorBusy, strings.Join(generator, "; "))
	}
	return all.findings(), nil
}

// confirmedBy combines two rounds: an uncertain violation counts when both show it, a certain one when either does.
func (all conclusions) confirmedBy(second conclusions) conclusions {
	var both conclusions
	for _, c := range all {
		if c.uncertain() && !second.violates(c.Requirement) {
			c.Result = runlog.Held
			c.Sentence += "; not confirmed by a second round"
		}
		both = append(both, c)
	}
	for _, c := range second {
		if c.certain() && !all.violates(c.Requirement) {
			both = append(both, c)
		}
	}
	return both
}

func (all conclusions) violates(r contract.Requirement) bool {
	return slices.ContainsFunc(all, func(c conclusion) bool { return c.Requirement == r && c.violated() })
}

func (all *conclusions) held(r contract.Requirement, format string, args ...any) {
	*all = append(*all, conclusion{Check: runlog.Check{Requirement: r, Result: runlog.Held, Sentence: fmt.Sprintf(format, args...)}})
}

func (all *conclusions) untested(r contract.Requirement, format string, args ...any) {
	*all = append(*all, conclusion{Check: runlog.Check{Requirement: r, Result: runlog.Untested, Sentence: fmt.Sprintf(format, args...)}})
}

func (all *conclusions) violated(f contract.Finding, c certainty) {
	*all = append(*all, conclusion{
		Check:   runlog.Check{Requirement: f.Requirement, Result: runlog.Violated, Sentence: "got " + f.Got + ", want " + f.Want},
		finding: f, certainty: c,
	})
}
