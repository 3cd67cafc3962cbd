package limits

import (
	"math"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// tokenUse is a call as a limit on tokens sees it.
type tokenUse struct {
	decision

	// tokens are those that the answer says it took; of a call that failed, those that it asked for.
	tokens float64
	// asked are those of the call before it is known what it takes.
	asked float64
}

// tokenModel is a limit on tokens.
type tokenModel struct {
	LimiterModel

	uses  []tokenUse
	slack time.Duration
}

// certainly is how many tokens were used by calls that were decided after an instant and had ended, and were counted, before a call
// was sent.
func (m tokenModel) certainly(since time.Duration, before *tokenUse) (n float64) {
	for i := range m.uses {
		if u := &m.uses[i]; u.outcome == Admitted && u.from >= since && u.ended+settling <= before.from {
			n += u.tokens
		}
	}
	return n
}

// possibly is how many tokens may have been used from an instant on by calls other than a refused one.
func (m tokenModel) possibly(since time.Duration, before *tokenUse) (n float64) {
	for i := range m.uses {
		if u := &m.uses[i]; u.outcome != Refused && u.to >= since && u.from <= before.to {
			n += max(u.tokens, u.asked)
		}
	}
	return n
}

// used is the share of the limit that was certainly used when a call was admitted; 1 is all. A gateway may count a call when it has
// ended, so that the last one may take more than was left.
func (m tokenModel) used(d *tokenUse) float64 {
	limit, at := float64(m.Limit), d.to+m.slack
	switch m.Kind {
	case contract.SlidingLog:
		return m.certainly(at-m.Window, d) / limit
	case contract.TokenBucket:
		most := 0.0
		for i := range m.uses {
			if s := m.uses[i].from; m.uses[i].outcome == Admitted && s < d.from {
				most = max(most, m.certainly(s, d)/(limit+m.Refill*(at-s).Seconds()))
			}
		}
		return most
	case contract.SlidingCounter:
		start := m.windowStart(at)
		current := m.certainly(start+m.slack, d)
		before := max(m.certainly(start-m.Window+m.slack, d)-m.certainly(start-m.slack, d), 0)
		return (current + before*max(1-(at-start).Seconds()/m.Window.Seconds(), 0)) / limit
	default:
		if m.StartsOnRequest {
			return m.certainly(m.requestWindow(at), d) / limit
		}
		return m.certainly(m.windowStart(at)+m.slack, d) / limit
	}
}

// requestWindow is when the window of an instant began, where a window begins with the first call after the last one ended. The
// phase is the end of the first window.
func (m tokenModel) requestWindow(at time.Duration) time.Duration {
	start, end := time.Duration(math.MinInt64), m.Phase
	for i := range m.uses {
		if u := &m.uses[i]; u.to+m.slack >= end && end <= at {
			start, end = u.from, u.from+m.Window
		}
	}
	return start
}

// needed is the share of the limit that was needed, at most, when a call was refused, its own tokens included; +Inf where what was
// used before the first call counts too.
func (m tokenModel) needed(d *tokenUse) float64 {
	limit, from := float64(m.Limit), d.from-m.slack
	oldest := from - m.Window
	switch {
	case m.Kind == contract.SlidingCounter:
		oldest -= m.Window
	case m.Kind == contract.FixedWindow && !m.StartsOnRequest:
		oldest = m.windowStart(from)
	case m.Kind == contract.TokenBucket:
		return m.neededOfBucket(d)
	}
	if oldest < m.uses[0].from {
		return math.Inf(1)
	}
	if m.Kind == contract.SlidingCounter {
		start := m.windowStart(from)
		current := m.possibly(start-m.slack, d)
		before := max(m.possibly(start-m.Window-m.slack, d)-current, 0)
		return (current + before*min(1-(from-start).Seconds()/m.Window.Seconds(), 1) + d.asked) / limit
	}
	return (m.possibly(oldest-m.slack, d) + d.asked) / limit
}

// neededOfBucket is needed of a bucket, which may have been empty when the first call was made.
func (m tokenModel) neededOfBucket(d *tokenUse) float64 {
	begin := m.uses[0].from
	content := min(float64(m.Limit), m.Refill*(d.from-m.slack-begin).Seconds()-m.possibly(begin, d))
	for i := range m.uses {
		if s := m.uses[i].to; m.uses[i].outcome != Refused && s < d.from {
			content = min(content, float64(m.Limit)+m.Refill*(d.from-m.slack-s).Seconds()-m.possibly(s, d))
		}
	}
	return 1 - (content-d.asked)/float64(m.Limit)
}

// tokenShares are the extremes of the shares of a limit.
type tokenShares struct {
	// used is the largest that was certainly used when a call was admitted, needed the least that was needed when one was refused.
	used, needed float64
	// over is the call that was admitted at the largest share, under are those that were refused at too small a share.
	over  int
	under []underused
}

// underused is a call that was refused although a share of the limit would have sufficed.
type underused struct {
	call   int
	needed float64
}

func (m tokenModel) shares() tokenShares {
	s := tokenShares{needed: math.Inf(1)}
	for i := range m.uses {
		switch u := &m.uses[i]; u.outcome { //nolint:exhaustive // a failed call says nothing about the limit
		case Admitted:
			if share := m.used(u); share > s.used {
				s.used, s.over = share, i
			}
		case Refused:
			share := m.needed(u)
			s.needed = min(s.needed, share)
			if share < minNeededTokens {
				s.under = append(s.under, underused{i, share})
			}
		}
	}
	return s
}

// Gateways count tokens in different ways, and often estimate those of a prompt. maxUsedTokens is the share of a limit at or above which no further
// call may be admitted. certainlyTooMany is the share that no way of counting explains. minNeededTokens is the smallest share at which a call may be
// refused.
const (
	maxUsedTokens    = 1.2
	certainlyTooMany = 1.5
	minNeededTokens  = 0.75
)

// wrong orders models: too many weighs more than too few.
func (s tokenShares) wrong() float64 {
	return 100*max(s.used-maxUsedTokens, 0) + max(minNeededTokens-s.needed, 0)
}

// phasesOfTokens is how many phases of a window are tried.
const phasesOfTokens = 64

// bestTokenModel is the model of a declared limit that explains the calls best.
func bestTokenModel(d DeclaredLimit, uses []tokenUse) (best LimiterModel, shares tokenShares) {
	least := math.Inf(1)
	try := func(m LimiterModel) {
		if s := (tokenModel{m, uses, d.Slack}).shares(); s.wrong() < least {
			best, shares, least = m, s, s.wrong()
		}
	}
	phases := func(m LimiterModel) {
		for i := 0; i < phasesOfTokens && least > 0; i++ {
			m.Phase = m.Window * time.Duration(i) / phasesOfTokens
			try(m)
		}
	}
	for _, kind := range d.kinds() {
		m := d.model(kind)
		if !m.hasPhase() {
			try(m)
			continue
		}
		phases(m)
		if m.StartsOnRequest = kind == contract.FixedWindow; m.StartsOnRequest {
			phases(m)
		}
	}
	return best, shares
}
