package limits

import (
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Answer is the result of a call of an experiment.
type Answer struct {
	// The limiter decided between Sent and Answered, as in [Call].
	Sent, Answered time.Time
	Outcome        Outcome
	// Status is 0 if there was no response.
	Status int
	// ByOther means that the other caller made the call. The experiment determines whether this caller shares the limit.
	ByOther bool

	failure *contract.Failure
}

func answersOf(calls []Call) []Answer {
	answers := make([]Answer, 0, len(calls))
	for _, c := range calls {
		answers = append(answers, Answer{c.Earliest, c.Latest, c.Outcome(), c.Observation.Status, c.byOther, c.Observation.Failure})
	}
	return answers
}

// Logged returns the experiment in the form in which it is logged, with times relative to since. If there are more than [runlog.MaxAnswers] answers,
// the log contains only the number of the others.
func (e Experiment) Logged(since time.Time) runlog.MeasuredExperiment {
	logged := runlog.MeasuredExperiment{Name: e.Name, Text: e.Sentence, Start: e.Began.Sub(since), Took: e.Took, Calls: e.Calls}
	for _, a := range e.Answers[:min(len(e.Answers), runlog.MaxAnswers)] {
		logged.Answers = append(logged.Answers, runlog.MeasuredAnswer{
			Sent: a.Sent.Sub(since), Answered: a.Answered.Sub(since), Outcome: a.loggedOutcome(), Status: a.Status, ByOther: a.ByOther,
		})
	}
	return logged
}

// loggedOutcome classifies failed calls as the load engine does.
func (a Answer) loggedOutcome() runlog.Outcome {
	switch {
	case a.Outcome == Admitted:
		return runlog.Admitted
	case a.Outcome == Refused:
		return runlog.Refused
	case a.failure != nil && a.failure.Kind == contract.TimedOut:
		return runlog.Timeout
	case a.failure != nil || a.Status == 0:
		return runlog.TransportError
	case a.Status >= 500:
		return runlog.Error5xx
	case a.Status >= 400:
		return runlog.Error4xx
	default:
		return runlog.Wrong
	}
}

// Logged returns an inferred model in the form in which it is logged. scope is the zero value if it was not inferred.
func (m LimiterModel) Logged(scope Scope) *runlog.FoundLimiter {
	found := &runlog.FoundLimiter{
		Kind: string(m.Kind), Limit: m.Limit, Window: m.Window, Refill: m.Refill, Step: m.Step, StartsOnRequest: m.StartsOnRequest,
		Evidence: m.Evidence, Addresses: string(scope.Sources), Keys: string(scope.Keys),
	}
	if scope != (Scope{}) {
		found.Scope = scope.String()
	}
	if v := m.Intervals; v != (Intervals{}) {
		found.LimitRange = &runlog.Range{From: float64(v.Limit.From), To: float64(v.Limit.To)}
		if v.Window.To > 0 {
			found.WindowRange = &runlog.Range{From: float64(v.Window.From), To: float64(v.Window.To)}
		}
		if v.Refill.To > 0 {
			found.RefillRange = &runlog.Range{From: v.Refill.From, To: v.Refill.To}
		}
	}
	return found
}
