package certificate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// An Auditor checks logs, and issues and verifies their certificates.
type Auditor struct {
	// OfferOf parses the profile in a log, as YAML with its secrets redacted, and returns what such a target offers. It returns an error if the text
	// is not a profile. This package does not depend on profiles; package targets provides the function.
	OfferOf func(profile string) (contract.Offer, error)
}

// Audit returns every reason why a log does not prove its verdicts: for example, it is incomplete, expected cases are missing or marked not-offered,
// a request is not the one of its case, a verdict does not follow from its observation, or a surface was judged without a healthy control call. For a
// sound log, Audit returns no reasons, regardless of the verdicts.
func (a Auditor) Audit(run runlog.Run) []string {
	audit := &audit{Auditor: a, run: run}
	if gap := run.Incomplete(); gap != "" {
		audit.problemf("the run is incomplete: %s", gap)
	}
	if run.ContractDigest != contract.Digest() {
		audit.problemf("the run was judged against contract %.80s, but this version of gatecert uses contract %s: use the version of gatecert that made the run, or repeat the run", run.ContractDigest, contract.Digest())
		return audit.problems
	}
	audit.selection()
	audit.profile()
	for _, c := range run.Cases {
		audit.verdict(c)
	}
	audit.requests()
	audit.controls()
	audit.footer()
	return audit.problems
}

type audit struct {
	Auditor
	run runlog.Run
	// offer is what the profile says, nil where it cannot be read.
	offer    *contract.Offer
	problems []string
}

func (a *audit) problemf(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

// selection compares the cases of the log with those that the contract and the selection require.
func (a *audit) selection() {
	s := a.run.Selection
	logged := make(map[string]contract.Verdict, len(a.run.Cases))
	for _, c := range a.run.Cases {
		logged[c.ID] = c.Verdict
	}
	selected := make(map[string]bool)
	for _, c := range contract.Cases() {
		id := c.ID()
		if !s.Asks(c) || !slices.Contains(s.Surfaces, c.Surface) {
			continue
		}
		selected[id] = true
		verdict, there := logged[id]
		switch expected := slices.Contains(a.run.Expected, id); {
		case !there:
			a.problemf("%s was expected but is not in the log", id)
		case expected == (verdict == contract.NotOffered):
			a.problemf("%s has the verdict %s, which contradicts the list of expected cases in the log's header", id, verdict)
		}
	}
	for _, c := range a.run.Cases {
		if !selected[c.ID] {
			a.problemf("%.100s was not selected or is not a case of the contract", c.ID)
		}
	}
}

// profile checks with the profile what the target claims, and every case that is marked not-offered. An observation that
// claims less than the profile would be judged by less.
func (a *audit) profile() {
	offer, err := a.OfferOf(a.run.Target.Profile)
	if err != nil {
		a.problemf("the profile in the log cannot be read: %v", err)
		return
	}
	a.offer = &offer
	claims, offers := offer.Claims, offer.Offers
	if !slices.Equal(offer.Recipes, a.run.Target.Recipes) {
		a.problemf("the recipes in the log's header differ from those in the profile")
	}
	if offer.BaseURL != a.run.Target.BaseURL || offer.Name != a.run.Target.Name {
		a.problemf("the log's header and the profile name different targets: the header has %.80q at %.80q, the profile has %.80q at %.80q",
			a.run.Target.Name, a.run.Target.BaseURL, offer.Name, offer.BaseURL)
	}
	if !reflect.DeepEqual(claims, a.run.Target.Claims) {
		a.problemf("the claims in the log's header (%s) differ from those in the profile (%s)", a.run.Target.Claims, claims)
	}
	for _, c := range a.run.Cases {
		if o := c.Observation; o != nil && o.Declared != nil && o.Declared.Codes != nil && !reflect.DeepEqual(o.Declared.Codes, claims.Codes) {
			a.problemf("%s was not judged against the codes that the profile claims", c.ID)
		}
		known, err := contract.ParseCase(c.ID)
		if err != nil || c.Verdict != contract.NotOffered {
			continue
		}
		if offers(known) {
			a.problemf("%s is marked not-offered, but according to the profile the gateway offers it", c.ID)
		}
	}
}

func (a *audit) verdict(c runlog.Case) {
	known, err := contract.ParseCase(c.ID)
	if err != nil {
		return // reported by selection
	}
	if c.CaseKey != runlog.KeyOf(known) {
		a.problemf("%s has the wrong row, circumstance, surface, variant or level in the log", c.ID)
	}
	if c.Verdict == contract.Error || c.Verdict == contract.NotOffered {
		return // the worst verdict, and what profile has checked
	}
	if c.Verdict == contract.Untestable && c.Reason != "" && !known.IsLoad() {
		return // the gateway served nobody, whatever it answered; it counts as a failure
	}
	if known.IsLoad() {
		a.loadCase(c, known)
		return
	}
	if c.Observation == nil {
		a.problemf("%s has the verdict %s but no observation", c.ID, c.Verdict)
		return
	}
	if want := judged(known, c); c.Verdict != want && (c.Verdict != contract.ExpectedFail || want != contract.Fail) {
		a.problemf("%s has the verdict %s, but the verdict computed from its observation is %s", c.ID, c.Verdict, want)
	}
	judgement := contract.Judge(known, *c.Observation)
	if len(c.Aspects) > 0 && !maps.Equal(c.Aspects, judgement.Aspects()) {
		a.problemf("%s has aspect results that differ from those computed from its observation", c.ID)
	}
	for _, f := range judgement.Findings {
		if !slices.ContainsFunc(c.Findings, func(g contract.Finding) bool { return g.Requirement == f.Requirement && g.Level == f.Level }) {
			a.problemf("%s omits a finding: %s %s", c.ID, f.Level, f.Requirement)
		}
	}
}

// judged is the verdict that follows from a case's observation and findings. The text of findings may differ from the
// log's: JSON does not keep invalid UTF-8 in a header field. Additional findings in the log count, since they can only make
// the verdict worse.
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

// controls checks that on every surface on which a case was judged, the healthy control before the cases succeeded and the
// nonsense control failed. A surface that costs nothing has no nonsense control.
func (a *audit) controls() {
	for _, s := range a.run.Selection.Surfaces {
		if !slices.ContainsFunc(a.run.Cases, func(c runlog.Case) bool {
			return c.Surface == s && c.Verdict != contract.NotOffered && c.Verdict != contract.Error
		}) {
			continue
		}
		for _, kind := range []string{runlog.ControlHealthy, runlog.ControlNonsense} {
			if kind == runlog.ControlNonsense && s.Free() {
				continue
			}
			i := slices.IndexFunc(a.run.Controls, func(c runlog.Control) bool {
				return c.Surface == s && c.Kind == kind && c.Phase == runlog.BeforeCases
			})
			if i < 0 {
				a.problemf("the cases on %s were judged without the %s control call", s, runlog.ControlName(kind))
				continue
			}
			c := a.run.Controls[i]
			healthy := false
			if c.Observation != nil {
				healthy, _ = contract.IsSuccess(s, *c.Observation)
			}
			if !c.OK || c.Observation == nil || healthy != (kind == runlog.ControlHealthy) {
				a.problemf("the cases on %s were judged although the %s control call did not have the expected result", s, runlog.ControlName(kind))
			}
		}
	}
}

func (a *audit) footer() {
	f := a.run.Footer
	if f == nil {
		return
	}
	want := runlog.Conclude(a.run.Header, a.run.Cases, f.Ended).Verdict
	if f.Verdict != want && slices.ContainsFunc(a.run.Controls, func(c runlog.Control) bool { return c.Phase == runlog.AfterCases && !c.OK }) {
		want, _ = contract.Worst(want, contract.Error) // the gateway was not healthy at the end
	}
	if f.Verdict != want {
		a.problemf("the verdict in the log's footer is %s, but the verdict computed from the cases is %s", f.Verdict, want)
	}
	if f.Ended.Before(a.run.Started) {
		a.problemf("the run's end time is before its start time")
	}
}
