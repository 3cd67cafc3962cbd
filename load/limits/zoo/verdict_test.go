package zoo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/reports/runlog"
)

// verdict is what a result is worth.
type verdict int

const (
	right verdict = iota
	// unclear results claim nothing that is not so.
	unclear
	// tolerated results do not say that a declaration is wrong either, which differs by less than can be told.
	tolerated
	// missed results do not say that a declaration is wrong.
	missed
	// wrong results say something that is not so, short of a MUST.
	wrong
	// falseMust is a MUST although the limiter kept the promise.
	falseMust
)

// result is what came of one experiment.
type result struct {
	verdict verdict
	// sentence says what was found, for the list of results that are not right.
	sentence string
	took     time.Duration
}

// declaration is a limit that is declared of a species.
type declaration struct {
	name  string
	limit limits.DeclaredLimit
	// more and fewer say that the limiter admits more, or fewer, than declared.
	more, fewer bool
	// loose says that the limiter may refuse more than declared.
	loose bool
}

// declarations are those that are verified of a species: the truth, and limits that differ from it.
func declarations(s species) []declaration {
	if s.inferOnly {
		return nil
	}
	n := s.truth.Limit
	var all []declaration
	add := func(name string, limit int) {
		if limit < 1 || slices.ContainsFunc(all, func(d declaration) bool { return d.limit.Limit == limit }) {
			return
		}
		d := s.truth
		d.Limit = limit
		if s.truth.Burst == n {
			d.Burst = limit
		}
		of := declaration{name, d, limit < n, limit > n, s.loose}
		if d.Kind != "" {
			all = append(all, of)
		}
		if without, ok := withoutKind(of, s.truth); ok {
			all = append(all, without)
		}
	}
	add("true", n)
	add("half", n/2)
	add("double", 2*n)
	if s.loose {
		return all // what it refuses besides is more than a call or two
	}
	add("+1", n+1)
	add("-1", n-1)
	if fifteen := int(math.Round(0.15 * float64(n))); fifteen > 1 {
		add("+15%", n+fifteen)
		add("-15%", n-fifteen)
	}
	return all
}

// withoutKind returns what is declared by who does not know the kind, and so no burst either. A limit on calls in flight cannot be
// declared so. Of a bucket with another burst, a call more or less does not show.
func withoutKind(d declaration, truth limits.DeclaredLimit) (declaration, bool) {
	d.name += kindless
	if d.limit.Kind == "" {
		return d, true
	}
	kind := d.limit.Kind
	d.limit.Kind, d.limit.Burst = "", 0
	switch {
	case kind == contract.Concurrency:
		return d, false
	case truth.Burst == 0 || truth.Burst == truth.Limit:
		return d, true
	case truth.Burst > truth.Limit: // the same rate, in windows that allow the burst
		d.limit.Window = d.limit.Window * time.Duration(truth.Burst) / time.Duration(d.limit.Limit)
		d.limit.Limit = truth.Burst
	}
	d.loose = true
	return d, d.name == "true"+kindless || d.name == "half"+kindless || d.name == "double"+kindless
}

// kindless ends the names of declarations without a kind.
const kindless = " any"

var ofLimit = []contract.Requirement{contract.LimitExact, contract.LimitBurst, contract.Recovery}

// verify verifies a declaration of a new limiter of a species.
func verify(ctx context.Context, s species, of subject, d declaration) result {
	began := time.Now()
	findings, summary, err := limits.Verify(ctx, limits.Probers{Limited: s.keep(of)}, d.limit, limits.Budget{})
	r := result{took: time.Since(began)}
	admitted := of.log.all()
	r.verdict = judge(s, d, findings, summary, err, func() bool { return keeps(d.limit, admitted) })
	r.sentence = describe(findings, summary, err)
	if r.verdict == missed && (tolerates(s, d) || strings.Contains(r.sentence, "would also explain all responses")) {
		r.verdict = tolerated // of a difference of one call, it says that it does not tell the two apart
	}
	if r.verdict == falseMust {
		r.sentence += fmt.Sprintf("\nof %d in %s, the %d admitted calls are allowed by %q", d.limit.Limit, d.limit.Window, len(admitted), keptAs(d.limit, admitted))
	}
	return r
}

// clockError is by how much a limiter's clock may be off at any decision.
const clockError = 25 * time.Millisecond

// tolerates reports whether a declaration is so close to the truth that the documented method does not tell the two apart. Without a
// kind, a limit of L admits from kL-1 to (k+1)L calls in k windows, so that less than half and twice of it shows now and then.
// Of a bucket of one, a call may come as much earlier as a clock is off.
func tolerates(s species, d declaration) bool {
	small := !strings.HasPrefix(d.name, "half") && !strings.HasPrefix(d.name, "double")
	if strings.HasSuffix(d.name, kindless) && small {
		return true
	}
	if strings.HasSuffix(d.name, kindless) && d.fewer && d.limit.Limit-1 <= s.truth.Limit {
		return true // the least that a limit of two admits in a window is one
	}
	apart := func(l limits.DeclaredLimit) time.Duration { return l.Window / time.Duration(l.Limit) }
	if strings.HasSuffix(d.name, kindless) && d.limit.RefusedCount {
		return true // what it admits depends on how often is asked
	}
	return s.burst1 && (apart(s.truth)-apart(d.limit)).Abs() < clockError
}

// judge decides what a verification is worth. kept reports whether the limiter allowed no more than declared.
func judge(s species, d declaration, findings []contract.Finding, summary runlog.LoadSummary, err error, kept func() bool) verdict {
	must := slices.ContainsFunc(findings, func(f contract.Finding) bool { return f.Level == contract.Must })
	should := slices.ContainsFunc(findings, func(f contract.Finding) bool {
		return f.Level == contract.Should && slices.Contains(ofLimit, f.Requirement)
	})
	anotherReason := slices.ContainsFunc(findings, func(f contract.Finding) bool {
		return f.Level == contract.Should && f.Requirement == contract.RefusedFree
	})
	untested := !slices.ContainsFunc(summary.Checks, func(c runlog.Check) bool {
		return (c.Requirement == contract.LimitExact || c.Requirement == contract.LimitBurst) && c.Result != contract.Untested
	})
	switch {
	case err != nil && !isUnclear(err):
		return wrong
	case must && (!d.more || kept()):
		return falseMust
	case must:
		return right
	case err != nil || untested && !should:
		return unclear
	case d.more && should:
		return unclear // it says that more was admitted, but not for certain: a MUST rests on the admitted calls alone
	case d.more:
		return missed
	case d.fewer && should:
		return right
	case d.fewer && s.queues:
		return right // as many callers got an answer; that some waited is not a fault
	case d.fewer && anotherReason:
		return wrong
	case d.fewer:
		return missed
	case (should || anotherReason) && !d.loose:
		return wrong
	default:
		return right
	}
}

// isUnclear reports whether an error is that of an experiment without a result.
func isUnclear(err error) bool {
	return errors.Is(err, limits.ErrInconclusive) || errors.Is(err, limits.ErrBudget)
}

func describe(findings []contract.Finding, summary runlog.LoadSummary, err error) string {
	var lines []string
	if err != nil {
		lines = append(lines, err.Error())
	}
	for _, f := range findings {
		if f.Level == contract.Must || slices.Contains(ofLimit, f.Requirement) || f.Requirement == contract.RefusedFree {
			lines = append(lines, fmt.Sprintf("%s %s: want %s; got %s", f.Level, f.Requirement, f.Want, f.Got))
		}
	}
	for _, c := range summary.Checks {
		if (c.Requirement == contract.LimitExact || c.Requirement == contract.LimitBurst) && c.Result != contract.Violated {
			lines = append(lines, fmt.Sprintf("%s %s: %s", c.Requirement, c.Result, c.Sentence))
		}
	}
	return strings.Join(append(lines, summary.Limiter), "\n")
}

// infer infers the limit of a new limiter of a species.
func infer(ctx context.Context, s species, of subject) result {
	began := time.Now()
	m, _, err := limits.Infer(ctx, s.keep(of), limits.Budget{})
	r := result{took: time.Since(began), verdict: judgeModel(s, m, err), sentence: m.String()}
	if err != nil {
		r.sentence += ": " + err.Error()
	}
	r.sentence += "\n" + m.Intervals.String() + "\n" + strings.Join(m.Evidence, "\n")
	return r
}

// judgeModel decides what an inferred model is worth.
func judgeModel(s species, m limits.LimiterModel, err error) verdict {
	within := func(got, want float64) bool { return math.Abs(got/want-1) <= 0.05 }
	switch {
	case err != nil && isUnclear(err), err == nil && m.Kind == "":
		return unclear
	case err != nil:
		return wrong
	case s.truth.Kind == contract.Concurrency:
		if m.Kind == contract.Concurrency && (m.Limit == s.truth.Limit || s.loose && m.Limit == 2*s.truth.Limit) {
			return right
		}
		return wrong
	case m.Kind == contract.Concurrency, m.Kind == limits.None, m.Window <= 0:
		return wrong
	}
	rate := float64(m.Limit) / m.Window.Seconds()
	if len(s.rates) > 0 {
		if slices.ContainsFunc(s.rates, func(want float64) bool { return within(rate, want) || containsRate(m, want) }) {
			return right
		}
		return wrong
	}
	capacity := s.truth.Limit
	if s.truth.Burst > 0 {
		capacity = s.truth.Burst
	}
	switch {
	case m.Kind != s.truth.Kind && s.truth.Kind != "" && !s.burst1:
		return wrong
	case !within(rate, float64(s.truth.Limit)/s.truth.Window.Seconds()) && !containsRate(m, float64(s.truth.Limit)/s.truth.Window.Seconds()), !within(float64(m.Limit), float64(capacity)):
		return wrong
	default:
		return right
	}
}

// containsRate reports whether the intervals, which are printed with every inferred limit, contain a rate.
func containsRate(m limits.LimiterModel, rate float64) bool {
	of := m.Intervals
	if of.Window.To > 0 {
		return float64(m.Limit)/of.Window.To.Seconds() <= rate && rate <= float64(m.Limit)/of.Window.From.Seconds()
	}
	return of.Refill.From <= rate && rate <= of.Refill.To
}
