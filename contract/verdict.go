package contract

import (
	"fmt"
	"slices"
)

// Verdict is the outcome of a case, a cell, a row or a run. The verdicts are ordered: a whole takes the worst of its parts.
type Verdict string

// The verdicts, best first.
const (
	Pass         Verdict = "pass"          // every requirement held
	Warn         Verdict = "warn"          // only SHOULDs were violated
	NotOffered   Verdict = "not-offered"   // not claimed by the target; never turns a cell green
	ExpectedFail Verdict = "expected-fail" // a failure that the baseline lists
	Untestable   Verdict = "untestable"    // claimed, but could not be brought about: counts as failure
	Error        Verdict = "error"         // harness fault or target unreachable
	Fail         Verdict = "fail"          // a MUST was violated: what is proven stands, whatever else could not be judged
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

// OrError returns v, or [Error] when v is none of the seven: a log can hold any word.
func (v Verdict) OrError() Verdict {
	if slices.Contains(Verdicts(), v) {
		return v
	}
	return Error
}

// Worse reports whether v is worse than w.
func (v Verdict) Worse(w Verdict) bool { return v.rank() > w.rank() }

// Conformant reports whether the verdict leaves a run conformant.
func (v Verdict) Conformant() bool { return v.rank() < Untestable.rank() }

// Worst returns the worst of the verdicts, and ok false when there are none: nothing is never a success.
func Worst(verdicts ...Verdict) (worst Verdict, ok bool) {
	for i, v := range verdicts {
		if i == 0 || v.Worse(worst) {
			worst = v
		}
	}
	return worst, len(verdicts) > 0
}

// UnmarshalText implements [encoding.TextUnmarshaler]. It fails on a word that is not a verdict.
func (v *Verdict) UnmarshalText(text []byte) error {
	if !slices.Contains(Verdicts(), Verdict(text)) {
		return fmt.Errorf("%q is not a verdict", text)
	}
	*v = Verdict(text)
	return nil
}

// VerdictOf is the verdict that the findings of one case lead to.
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
