package certificate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Audit says everything that keeps a log from being a proof of its verdicts: it is not complete, cases that it had to
// run are missing or called not offered, a verdict does not follow from its observation, a surface was judged without a
// healthy control. It returns nothing for a sound log, whatever the verdicts are.
func Audit(run runlog.Run) []string {
	a := &audit{run: run}
	if gap := run.Incomplete(); gap != "" {
		a.problemf("the run is incomplete: %s", gap)
	}
	if run.ContractDigest != contract.Digest() {
		a.problemf("the run was judged by the contract %.80s, this gatecert holds %s", run.ContractDigest, contract.Digest())
		return a.problems
	}
	a.selection()
	a.offers()
	for _, c := range run.Cases {
		a.verdict(c)
	}
	a.controls()
	a.footer()
	return a.problems
}

type audit struct {
	run      runlog.Run
	problems []string
}

func (a *audit) problemf(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

// selection computes the cases that the log has to hold, from the contract and from what was asked for.
func (a *audit) selection() {
	s := a.run.Selection
	logged := make(map[string]contract.Verdict, len(a.run.Cases))
	for _, c := range a.run.Cases {
		logged[c.ID] = c.Verdict
	}
	due := make(map[string]bool)
	for _, c := range contract.Cases() {
		id := c.ID()
		if !s.Asks(c) || !slices.Contains(s.Surfaces, c.Surface) {
			continue
		}
		due[id] = true
		verdict, there := logged[id]
		switch expected := slices.Contains(a.run.Expected, id); {
		case !there:
			a.problemf("%s had to run and is not in the log", id)
		case expected == (verdict == contract.NotOffered):
			a.problemf("%s is %s, against the header's list of what had to run", id, verdict)
		}
	}
	for _, c := range a.run.Cases {
		if !due[c.ID] {
			a.problemf("%.100s was not asked for, or is no case of the contract", c.ID)
		}
	}
}

// offers asks the profile again for every case that is called not offered.
func (a *audit) offers() {
	claimed, err := profile.ParseRedacted(a.run.Target.Profile)
	if err != nil {
		a.problemf("the profile in the log cannot be read: %v", err)
		return
	}
	for _, c := range a.run.Cases {
		known, err := contract.ParseCase(c.ID)
		if err != nil || c.Verdict != contract.NotOffered {
			continue
		}
		if _, err := targets.RequestFor(claimed, known, "audit"); !errors.Is(err, profile.ErrNotOffered) {
			a.problemf("%s is called not offered, and the profile offers it", c.ID)
		}
	}
}

// verdict judges a case again.
func (a *audit) verdict(c runlog.Case) {
	known, err := contract.ParseCase(c.ID)
	if err != nil {
		return // told already
	}
	if c.Row != known.Row || c.Circumstance != known.Circumstance || c.Surface != known.Surface || c.Variant != known.Variant || c.Level != known.Level() {
		a.problemf("%s is logged under another row, circumstance, surface, variant or level", c.ID)
	}
	if c.Verdict == contract.Error || c.Verdict == contract.NotOffered {
		return // the worst there is, and what [audit.offers] has looked at
	}
	if known.IsLoad() {
		a.underLoad(c)
		return
	}
	if c.Observation == nil {
		a.problemf("%s is %s without an observation", c.ID, c.Verdict)
		return
	}
	if want := judged(known, c); c.Verdict != want && (c.Verdict != contract.ExpectedFail || want != contract.Fail) {
		a.problemf("%s is %s, and its observation says %s", c.ID, c.Verdict, want)
	}
	for _, f := range contract.Judge(known, *c.Observation).Findings {
		if !slices.ContainsFunc(c.Findings, func(g contract.Finding) bool { return g.Requirement == f.Requirement && g.Level == f.Level }) {
			a.problemf("%s hides a finding: %s %s", c.ID, f.Level, f.Requirement)
		}
	}
}

// underLoad looks whether the verdict of a case under load follows from its checks: the answers themselves are not kept.
func (a *audit) underLoad(c runlog.Case) {
	if c.Verdict == contract.Untestable {
		return // nothing is claimed
	}
	held := func(check runlog.Check) bool { return check.Result != runlog.Untested }
	if c.Load == nil || c.Load.Calls < 1 || !slices.ContainsFunc(c.Load.Checks, held) {
		a.problemf("%s is %s without an account of the load", c.ID, c.Verdict)
		return
	}
	if want := contract.VerdictOf(c.Findings); c.Verdict != want && (c.Verdict != contract.ExpectedFail || want != contract.Fail) {
		a.problemf("%s is %s, and its findings say %s", c.ID, c.Verdict, want)
	}
	for _, check := range c.Load.Checks {
		if check.Result == runlog.Violated && !slices.ContainsFunc(c.Findings, func(f contract.Finding) bool { return f.Requirement == check.Requirement }) {
			a.problemf("%s hides a finding: %s", c.ID, check.Requirement)
		}
	}
}

// judged is the verdict that a case's observation and findings lead to. The words of findings may differ from those in
// the log: JSON keeps no invalid UTF-8 in a header field. Findings that the log has beyond them count, since they can
// only make the verdict worse.
func judged(known contract.Case, c runlog.Case) contract.Verdict {
	o := *c.Observation
	if f := o.Failure; f != nil && f.Kind == contract.Unreachable {
		return contract.Error
	}
	if ok, _ := contract.Reached(known, o); !ok {
		return contract.Untestable
	}
	verdict, _ := contract.Worst(contract.VerdictOf(contract.Judge(known, o).Findings), contract.VerdictOf(c.Findings))
	return verdict
}

// controls wants, for every surface on which a case was judged, the healthy call before the cases to have succeeded and
// the nonsense call not to.
func (a *audit) controls() {
	for _, s := range a.run.Selection.Surfaces {
		if !slices.ContainsFunc(a.run.Cases, func(c runlog.Case) bool {
			return c.Surface == s && c.Verdict != contract.NotOffered && c.Verdict != contract.Error
		}) {
			continue
		}
		for _, kind := range []targets.ControlKind{targets.ControlHealthy, targets.ControlNonsense} {
			i := slices.IndexFunc(a.run.Controls, func(c runlog.Control) bool {
				return c.Surface == s && c.Kind == string(kind) && c.Phase == "before"
			})
			if i < 0 {
				a.problemf("%s was judged without the %s control", s, kind)
				continue
			}
			c := a.run.Controls[i]
			healthy := false
			if c.Observation != nil {
				healthy, _ = contract.IsSuccess(s, *c.Observation)
			}
			if !c.OK || c.Observation == nil || healthy != (kind == targets.ControlHealthy) {
				a.problemf("%s was judged although its %s control failed", s, kind)
			}
		}
	}
}

// footer wants the run's verdict to be the worst of its cases'.
func (a *audit) footer() {
	f := a.run.Footer
	if f == nil {
		return
	}
	if want := runlog.Conclude(a.run.Header, a.run.Cases, f.Ended).Verdict; f.Verdict != want {
		a.problemf("the footer says %s, the cases say %s", f.Verdict, want)
	}
	if f.Ended.Before(a.run.Started) {
		a.problemf("the run ended before it started")
	}
}
