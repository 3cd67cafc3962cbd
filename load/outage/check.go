package outage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The allowances. Each is larger than the delays that were observed on a busy machine with a correct gateway. Faulty gateways exceed the allowances
// by far: they wait for seconds, or forever.
const (
	// A response to a hanging request is early when it misses the time limit by more than a tenth and earlyGrace. It is late
	// when half of all miss it by more than a quarter and lateGrace, or one by as much again as the limit and latestGrace.
	earlyShare, earlyGrace = 0.1, 100 * time.Millisecond
	lateShare, lateGrace   = 0.25, 250 * time.Millisecond
	latestShare            = 1
	latestGrace            = time.Second
	// disconnectGrace is how long an upstream call may go on after its client has disconnected, or half of what is left of
	// the declared time limit where that is less: a call that ends at the limit was not ended by the disconnect.
	disconnectGrace = 3 * time.Second
	// maxGoingOn is the share of the disconnects after which upstream calls may go on: less than one of the four kinds.
	maxGoingOn = 0.25
)

const (
	// maxStall is the longest stall that is expected of a busy machine. A violation by at least minAffected requests and a
	// tenth of all, over a longer time than that, cannot be a stall, provided that the generator itself did not lag by stallLag.
	maxStall           = time.Second
	stallLag           = 250 * time.Millisecond
	minAffected        = 5
	minAffectedPercent = 10
)

// certainty says whether a stall of this machine could have affected these of so many requests.
func (r *round) certainty(affected results, of int) certainty {
	if len(affected) < minAffected || 100*len(affected) < minAffectedPercent*of || len(r.generator) > 0 {
		return uncertain
	}
	first, last := affected[0].ended(), affected[0].ended()
	for _, a := range affected {
		if a.maxLag > stallLag {
			return uncertain
		}
		first, last = min(first, a.ended()), max(last, a.ended())
	}
	if last-first > maxStall {
		return certain
	}
	return uncertain
}

// check says what the round shows about each requirement.
func (r *round) check() conclusions {
	var all conclusions
	r.checkResponses(&all)
	r.checkTimeLimit(&all)
	r.checkHealthyServed(&all)
	r.checkHealthyLatency(&all)
	r.checkAttempts(&all)
	r.checkCancelled(&all)
	r.checkDisconnects(&all)
	r.checkOpenCalls(&all)
	r.checkAtOnce(&all)
	r.checkRecovery(&all)
	return all
}

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

func (c conclusion) violated() bool { return c.Result == contract.Violated }

func (c conclusion) uncertain() bool { return c.violated() && c.certainty == uncertain }

func (c conclusion) certain() bool { return c.violated() && c.certainty == certain }

// conclusions are those of one round, or of two that were compared.
type conclusions []conclusion

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
			c.Result = contract.Held
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
	*all = append(*all, conclusion{Check: runlog.Check{Requirement: r, Result: contract.Held, Sentence: fmt.Sprintf(format, args...)}})
}

func (all *conclusions) untested(r contract.Requirement, format string, args ...any) {
	*all = append(*all, conclusion{Check: runlog.Check{Requirement: r, Result: contract.Untested, Sentence: fmt.Sprintf(format, args...)}})
}

func (all *conclusions) violated(f contract.Finding, c certainty) {
	*all = append(*all, conclusion{
		Check:   runlog.Check{Requirement: f.Requirement, Result: contract.Violated, Sentence: "got " + f.Got + ", want " + f.Want},
		finding: f, certainty: c,
	})
}
