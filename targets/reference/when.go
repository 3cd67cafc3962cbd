package reference

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// when selects the failures that a deviation is about.
type when func(*call, *failure) bool

// holds reports whether all of the conditions hold; none is one that always does.
func holds(conditions []when, c *call, f *failure) bool {
	return !slices.ContainsFunc(conditions, func(w when) bool { return !w(c, f) })
}

// coded selects failures by their business code.
func coded(codes ...code) when {
	return func(_ *call, f *failure) bool { return slices.Contains(codes, f.code) }
}

// answered selects failures by the status that they are told with.
func answered(statuses ...int) when {
	return func(_ *call, f *failure) bool { return slices.Contains(statuses, f.status) }
}

// at selects failures by the stage that failed.
func at(stages ...string) when {
	return func(_ *call, f *failure) bool { return slices.Contains(stages, f.stage) }
}

// on selects calls by their surface. Before a body was decoded, a stream is not yet known for one and counts as its twin.
func on(surfaces ...dialect.Surface) when {
	return func(c *call, _ *failure) bool { return slices.Contains(surfaces, c.surface) }
}

// under selects calls by the beginning of their path.
func under(prefix string) when {
	return func(c *call, _ *failure) bool { return strings.HasPrefix(c.request.URL.Path, prefix) }
}

// speaking selects calls by the dialect of their surface.
func speaking(d dialect.Dialect) when {
	return func(c *call, _ *failure) bool { return c.surface.Dialect() == d }
}

// streaming selects calls that asked for a stream.
func streaming(c *call, _ *failure) bool { return c.surface.Streaming() }

// because selects failures by their cause.
func because(cause error) when {
	return func(_ *call, f *failure) bool { return errors.Is(f, cause) }
}

// refusedBy selects failures that are the provider's answer with one of the statuses.
func refusedBy(statuses ...int) when {
	return func(_ *call, f *failure) bool {
		refused, ok := errors.AsType[*providerError](f)
		return ok && slices.Contains(statuses, refused.status)
	}
}

// failing bends what failures are taken for, under all of the conditions.
func failing(do func(*call, *failure), conditions ...when) func(*bends) {
	return func(b *bends) {
		b.failed = append(b.failed, func(c *call, f *failure) {
			if holds(conditions, c, f) {
				do(c, f)
			}
		})
	}
}

// taking answers failures with another status.
func taking(status int, conditions ...when) func(*bends) {
	return failing(func(_ *call, f *failure) { f.status = status }, conditions...)
}

// calling gives failures another code. The status stays.
func calling(name code, conditions ...when) func(*bends) {
	return failing(func(_ *call, f *failure) { f.code = name }, conditions...)
}

// mistaking takes failures for those of another code, status and words included.
func mistaking(as code, conditions ...when) func(*bends) {
	return failing(func(_ *call, f *failure) {
		o := outcomeOf(as)
		f.code, f.status, f.message = as, o.status, o.message
	}, conditions...)
}

// answering bends answers that tell of a failure, under all of the conditions.
func answering(do func(*call, *wholeAnswer), conditions ...when) func(*bends) {
	return func(b *bends) {
		b.whole = append(b.whole, func(c *call, a *wholeAnswer) {
			if c.failed != nil && holds(conditions, c, c.failed) {
				do(c, a)
			}
		})
	}
}

// breaking bends the events by which a stream that has begun tells of a failure.
func breaking(do func(c *call, events []byte) []byte, conditions ...when) func(*bends) {
	return func(b *bends) {
		b.broken = append(b.broken, func(c *call, events []byte) []byte {
			if holds(conditions, c, c.failed) {
				return do(c, events)
			}
			return events
		})
	}
}

// together bends in several places at once.
func together(all ...func(*bends)) func(*bends) {
	return func(b *bends) {
		for _, bend := range all {
			bend(b)
		}
	}
}

// step is what a stage does.
type step = func(context.Context, *call) error

// wrapping puts something around one stage of a call to a model.
func wrapping(name string, with func(*Gateway, step) step) func(*bends) {
	return func(b *bends) {
		b.stages = append(b.stages, func(g *Gateway, stages []stage) []stage {
			i := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
			stages[i].run = with(g, stages[i].run)
			return stages
		})
	}
}

// after moves a stage of a call to a model behind another one.
func after(name, late string) func(*bends) {
	return func(b *bends) {
		b.stages = append(b.stages, func(_ *Gateway, stages []stage) []stage {
			from := slices.IndexFunc(stages, func(s stage) bool { return s.name == late })
			moved := stages[from]
			stages = slices.Delete(stages, from, from+1)
			to := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
			return slices.Insert(stages, to+1, moved)
		})
	}
}
