package limits

import (
	"context"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
)

// SizedProber makes a call whose prompt and response have approximately the given numbers of tokens. Not every upstream lets the caller choose the
// length of the response, so the tokens that a call used are those that its response reports.
type SizedProber func(ctx context.Context, prompt, answer int) (Call, error)

// The number of tokens in a call. It is a share of the limit that a few calls use up, so that the calls show where the limit is, but no more than any
// model accepts. smallCall is the size of a call that tests whether any capacity is free again.
const (
	shareOfCall = 10
	minTokens   = 16
	maxTokens   = 4000
	smallCall   = 8
)

// mix is a call's size, as a share of the usual one, and the share of the prompt in it. Prompts and answers take turns, so that a
// gateway that counts only the one shows.
type mix struct{ size, prompt float64 }

func mixes() []mix { return []mix{{1, 0.9}, {0.5, 0.2}, {1.5, 0.5}, {0.75, 0.1}, {1.25, 0.8}} }

// shareOfRequests is the part of the requests of another limit that is enough to use up a limit on tokens.
const shareOfRequests = 3

// sizeOf is how many tokens the n-th call of a token limit asks for. Where requests are limited too, calls are so large that the
// tokens are used up first.
func (v *verifier) sizeOf(n int) (prompt, answer int) {
	usual := max(v.declared.Limit/shareOfCall, minTokens)
	for _, other := range v.alongside {
		if !other.Tokens && other.Kind != contract.Concurrency {
			usual = max(usual, shareOfRequests*v.declared.Limit/max(min(other.Limit, other.capacity()), 1))
		}
	}
	usual = min(usual, maxTokens)
	m := mixes()[n%len(mixes())]
	total := m.size * float64(usual)
	switch v.declared.Part {
	case InputTokens:
		return max(int(total), 1), max(int(otherPart*float64(v.smallPart(OutputTokens, usual))*(1-m.prompt)), 1)
	case OutputTokens:
		return max(int(otherPart*float64(v.smallPart(InputTokens, usual))*m.prompt), 1), max(int(total), 1)
	default:
		return max(int(total*m.prompt), 1), max(int(total*(1-m.prompt)), 1)
	}
}

// otherPart makes the tokens of the part that is not under test twice those that are, on average, since the shares of the mixes are a
// half: a gateway that counts the wrong part, or both, then admits less than it may.
const otherPart = 4.0

// smallPart is how many tokens of the part that is not under test a call takes, before otherPart: no more than usual, and so few that another limit on them
// is not used up first.
func (v *verifier) smallPart(part TokenPart, usual int) int {
	for _, other := range v.alongside {
		if other.Tokens && other.Part == part {
			usual = min(usual, max(min(other.Limit, other.capacity())/(4*shareOfCall), 1))
		}
	}
	return usual
}

// settling is how long a gateway may take to count the tokens of a call that has ended.
const settling = 2 * releaseLag

// tokenCallsInWindow is how many calls have time in a window at least, however short it is.
const tokenCallsInWindow = 40

// maxTokenRatio is how many times the declared tokens are used, at most, in search of the limit.
const maxTokenRatio = 3

// MostTokens returns approximately the maximum number of tokens that the verification of a limit on tokens uses: those until the limit is reached,
// and those that are freed in two windows. It returns 0 for other limits.
func (d DeclaredLimit) MostTokens() int {
	if !d.Tokens || d.Window > LongestVerified {
		return 0
	}
	return (maxTokenRatio + 2) * d.capacity()
}

// verifyTokens makes the calls for a limit on tokens, one at a time: a gateway may count a call when it has ended, and calls at once
// then show nothing. It uses the limit up, waits until something is free again, and uses that up for a window, or two without a kind.
func (v *verifier) verifyTokens(ctx context.Context) error {
	if v.probers.Sized == nil {
		return nil
	}
	v.prober = func(ctx context.Context, _ time.Duration) (Call, error) { return v.probers.Sized(ctx, smallCall, 1) }
	return steps(
		func() error { return v.in(phaseSequential, func() error { return v.useTokens(ctx, time.Time{}) }) },
		func() error { return v.awaitRecovery(ctx) },
		func() error {
			if v.recovered.IsZero() {
				return nil
			}
			lasts := v.declared.Window
			if v.declared.Kind == "" {
				lasts *= 2
			}
			return v.in(phaseSustained, func() error { return v.useTokens(ctx, v.lastUse.Add(lasts+lasts/8)) })
		},
	)
}

// useTokens makes calls of different sizes: until one is refused, or many more tokens were used than the limit has; or until an
// instant, if it is given.
func (v *verifier) useTokens(ctx context.Context, until time.Time) error {
	used, began, lastAdmitted := 0, time.Now(), time.Now()
	small := v.prober
	defer func() { v.prober = small }()
	for n := 0; until.IsZero() && used < maxTokenRatio*v.declared.capacity() || time.Now().Before(until); n++ {
		prompt, answer := v.sizeOf(n)
		v.prober = func(ctx context.Context, _ time.Duration) (Call, error) { return v.probers.Sized(ctx, prompt, answer) }
		c, err := v.probe(ctx)
		if err != nil {
			return err
		}
		switch {
		case c.Outcome() == Admitted:
			used, lastAdmitted = used+max(c.Tokens.Of(v.declared.Part), 1), time.Now()
			err = wait.For(ctx, min(settling+releaseLag, v.declared.Window/tokenCallsInWindow))
		case until.IsZero() && c.Outcome() == Refused:
			return nil
		default:
			n-- // the same size again
			err = v.pause(ctx, began, lastAdmitted)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
