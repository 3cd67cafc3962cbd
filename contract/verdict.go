package contract

import (
	"fmt"
	"slices"
)

// Verdict is the outcome of a case, a matrix cell, a row or a run. Verdicts are ordered: the verdict of a whole is the worst verdict of its parts.
type Verdict string

// The verdicts, best first.
const (
	Pass         Verdict = "pass"          // every requirement held
	Warn         Verdict = "warn"          // only requirements of level SHOULD were violated
	NotOffered   Verdict = "not-offered"   // not claimed by the target; never turns a cell green
	ExpectedFail Verdict = "expected-fail" // a failure that the baseline lists
	Untestable   Verdict = "untestable"    // claimed, but could not be tested: counts as a failure
	Error        Verdict = "error"         // gatecert failed, or the target was unreachable
	Fail         Verdict = "fail"          // a MUST was violated: a proven failure counts even if other cases could not be judged
)

// Verdicts returns all verdicts, best first.
func Verdicts() []Verdict {
	return []Verdict{Pass, Warn, NotOffered, ExpectedFail, Untestable, Error, Fail}
}

// rank places an unknown verdict above all others, so that it can never make anything look better.
func (v Verdict) rank() int {
	if i := slices.Index(Verdicts(), v); i >= 0 {
		return i
	}
	return len(Verdicts())
}

// OrError returns v, or [Error] if v is not one of the seven verdicts. A log may contain any word.
func (v Verdict) OrError() Verdict {
	if slices.Contains(Verdicts(), v) {
		return v
	}
	return Error
}

// Worse reports whether v is worse than w.
func (v Verdict) Worse(w Verdict) bool { return v.rank() > w.rank() }

// Conformant reports whether a run with this verdict is conformant.
func (v Verdict) Conformant() bool { return v.rank() < Untestable.rank() }

// Worst returns the worst of the verdicts. ok is false if there are none, because an empty set is never a success.
func Worst(verdicts ...Verdict) (worst Verdict, ok bool) {
	for i, v := range verdicts {
		if i == 0 || v.Worse(worst) {
			worst = v
		}
	}
	return worst, len(verdicts) > 0
}

// UnmarshalText implements [encoding.TextUnmarshaler]. It returns an error for a word that is not a verdict.
func (v *Verdict) UnmarshalText(text []byte) error {
	if !slices.Contains(Verdicts(), Verdict(text)) {
		return fmt.Errorf("%q is not a verdict", text)
	}
	*v = Verdict(text)
	return nil
}

// VerdictOf returns the verdict that results from the findings of one case.
func VerdictOf(findings []Finding) Verdict {
	verdict := Pass
	for _, f := range findings {
		switch f.Level {
		case Note:
		case Should:
			verdict, _ = Worst(verdict, Warn)
		default:
			return Fail
		}
	}
	return verdict
}
