package limits

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// announcedLimit is a limit on requests as header fields have it.
type announcedLimit struct {
	source quotaSource
	limit  int
	// window is that of the policy, or the longest reset, in whole seconds.
	window time.Duration
}

// maxAnnounced bounds how many announced limits are tried: a gateway may send a different one with every answer.
const maxAnnounced = 4

// announcedLimits are the limits that the answers so far announce.
func (i *inference) announcedLimits() []announcedLimit {
	var all []announcedLimit
	for _, c := range i.calls {
		if c.Outcome() == Failed {
			continue
		}
		quotas, _ := parseQuotas(c.Observation.Header, c.Latest)
		for _, q := range quotas {
			if !q.about(DeclaredLimit{}) || q.limit == nil || *q.limit < 1 || *q.limit > math.MaxInt32 {
				continue
			}
			at := slices.IndexFunc(all, func(a announcedLimit) bool { return a.source == q.source && a.limit == int(*q.limit) })
			if at < 0 {
				if len(all) == maxAnnounced {
					continue
				}
				at = len(all)
				all = append(all, announcedLimit{source: q.source, limit: int(*q.limit)})
			}
			switch {
			case q.window != nil:
				all[at].window = *q.window
			case q.reset != nil:
				all[at].window = max(all[at].window, (*q.reset + time.Second - 1).Truncate(time.Second))
			}
		}
	}
	return slices.DeleteFunc(all, func(a announcedLimit) bool { return a.window <= 0 })
}

// testedLimit is an announced limit as the kind that explains the answers best, and by how many of them it is contradicted.
type testedLimit struct {
	announcedLimit

	model                   LimiterModel
	contradictions, answers int
}

// testAnnounced tests what is announced like any other hypothesis.
func (i *inference) testAnnounced() (all []testedLimit) {
	if len(i.calls) == 0 {
		return nil
	}
	decisions := downsample(decisionsOf(i.calls, i.origin()))
	usage := countAdmissions(decisions)
	for _, a := range i.announcedLimits() {
		var best argmin[LimiterModel]
		models(DeclaredLimit{Limit: a.limit, Window: a.window}, func(m LimiterModel) bool {
			best.add(m, countContradictions(newLimiter(m, decisions, usage, defaultSlack), decisions, best.bound()))
			return best.contradictions > 0
		})
		all = append(all, testedLimit{a, best.values[0], best.contradictions, len(decisions)})
	}
	return all
}

// judged says of each announced limit by how many answers it is contradicted.
func judged(announced []testedLimit) (sentences []string) {
	for _, a := range announced {
		sentences = append(sentences, fmt.Sprintf("the %s header fields announce a limit of %s in %s; if this is a %s limit, %d of %d responses contradict the announced values",
			a.source, plain.Count(a.limit, "call"), plain.Duration(a.window), a.model.Kind, a.contradictions, a.answers))
	}
	return sentences
}

// instead reports whether an announced limit explains every answer although the intervals of the inferred limit exclude it. The announced
// limit may be of another kind, and is tested on a sample of the answers.
func (a testedLimit) instead(m LimiterModel) bool {
	return a.contradictions == 0 && !m.Intervals.contain(a.limit, a.window)
}

// announcedWait is the longest wait that the latest refusal asks for, and the field that does; 0 where it asks for none.
func (i *inference) announcedWait() (wait time.Duration, field string) {
	for _, c := range slices.Backward(i.calls) {
		if c.Outcome() != Refused {
			continue
		}
		for _, a := range announcements(c) {
			if a.wait > wait {
				wait, field = a.wait, a.text
			}
		}
		if w := contract.RetryWaitOf(c.Observation); wait == 0 && !w.IsTimestamp() {
			wait, field = w.From(c.Latest), "Retry-After: "+clip(w.Value)
		}
		break
	}
	return wait, field
}

// The windows that an inference takes: most of two until the limit was admitted once and a half again, one or two of rest, and two for
// the experiment that tells the kinds apart.
const windowsNeeded = 5

// planTime says, before it is spent, how much time the inference needs by what the first refusals announce. It returns
// [ErrInconclusive] where the wait alone is longer than the time that is left: that time would show nothing.
func (i *inference) planTime() error {
	wait, field := i.announcedWait()
	left := (i.budget.Time - time.Since(i.began)).Round(time.Second)
	switch needed := windowsNeeded * wait; {
	case wait == 0:
		i.announce(fmt.Sprintf("the refusals do not say how long to wait; %s of the time budget is left, which is enough to infer a window of up to %s",
			round(left), round(left/windowsNeeded)))
	case wait > left:
		of := "has a window that is longer than the time left"
		if wait > hourlyQuota {
			of = "is a quota for several hours or a whole day"
		}
		return fmt.Errorf("%w: after %s, a refusal asked the caller to wait for %s (%s), but only %s of the time budget is left. "+
			"gatecert stopped sending calls, because the limit %s. Inferring this limit would take about %s", ErrInconclusive, plain.Count(count(i.calls, Admitted), "admitted call"), round(wait), field, round(left), of, round(needed))
	case needed > left:
		i.announce(fmt.Sprintf("the refusal asks the caller to wait for %s (%s). Inferring the kind of limit takes about %s, but only %s is left: "+
			"gatecert will infer how many calls are allowed, but may be unable to infer the kind of limit",
			round(wait), field, round(needed), round(left)))
	default:
		i.announce(fmt.Sprintf("the refusal asks the caller to wait for %s (%s). Inferring the limit takes about %s, and %s is left", round(wait), field, round(needed), round(left)))
	}
	return nil
}

// hourlyQuota is a wait beyond which a limit is that of a quota.
const hourlyQuota = 2 * time.Hour

func (i *inference) announce(sentence string) {
	if i.budget.Announce != nil {
		i.budget.Announce(sentence)
	}
}
