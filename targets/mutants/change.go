package mutants

import (
	"context"
	"slices"
	"time"

	"github.com/gatecert/gatecert/targets/reference"
)

// change changes how a gateway is made, mostly by a hook.
type change func(*reference.Options)

func all(changes ...change) change {
	return func(o *reference.Options) {
		for _, change := range changes {
			change(o)
		}
	}
}

func changeFailure(do func(*reference.Call, *reference.Failure), conditions ...condition) change {
	return func(o *reference.Options) {
		o.Hooks.Failure = append(o.Hooks.Failure, func(c *reference.Call, f *reference.Failure) {
			if hold(conditions, c, f) {
				do(c, f)
			}
		})
	}
}

func setStatus(status int, conditions ...condition) change {
	return changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Status = status }, conditions...)
}

func setCode(code reference.Code, conditions ...condition) change {
	return changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Code = code }, conditions...)
}

// replaceBy replaces failures by those of another code: its status and message too.
func replaceBy(code reference.Code, conditions ...condition) change {
	return changeFailure(func(_ *reference.Call, f *reference.Failure) {
		other := reference.Refuse(code, nil)
		f.Code, f.Status, f.Message = other.Code, other.Status, other.Message
	}, conditions...)
}

func deleteHeader(name string, conditions ...condition) change {
	return changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Header.Del(name) }, conditions...)
}

// changeError changes error answers before they are sent.
func changeError(do func(*reference.Call, *reference.Answer), conditions ...condition) change {
	return changeAnswer(func(c *reference.Call, a *reference.Answer) {
		if f := c.Failure; f != nil && hold(conditions, c, f) {
			do(c, a)
		}
	})
}

// changeAnswer changes complete answers, successes too.
func changeAnswer(do func(*reference.Call, *reference.Answer)) change {
	return func(o *reference.Options) { o.Hooks.Answer = append(o.Hooks.Answer, do) }
}

// changeStreamError changes the events with which a stream that has begun reports a failure.
func changeStreamError(do func(c *reference.Call, events []byte) []byte, conditions ...condition) change {
	return func(o *reference.Options) {
		o.Hooks.StreamError = append(o.Hooks.StreamError, func(c *reference.Call, events []byte) []byte {
			if hold(conditions, c, c.Failure) {
				return do(c, events)
			}
			return events
		})
	}
}

func changeEvents(do func(c *reference.Call, events []byte) []byte) change {
	return func(o *reference.Options) { o.Hooks.Events = append(o.Hooks.Events, do) }
}

// wrap puts code around one handler of a model call.
func wrap(name reference.HandlerName, with func(ctx context.Context, c *reference.Call, next reference.Handler) error) change {
	return func(o *reference.Options) {
		o.Hooks.Handler = append(o.Hooks.Handler, func(handler reference.HandlerName, next reference.Handler) reference.Handler {
			if handler != name {
				return next
			}
			return func(ctx context.Context, c *reference.Call) error { return with(ctx, c, next) }
		})
	}
}

// moveBehind moves a handler of a model call behind a later one.
func moveBehind(later, moved reference.HandlerName) change {
	return func(o *reference.Options) {
		o.Hooks.Order = append(o.Hooks.Order, func(order []reference.HandlerName) []reference.HandlerName {
			order = slices.DeleteFunc(order, func(name reference.HandlerName) bool { return name == moved })
			return slices.Insert(order, slices.Index(order, later)+1, moved)
		})
	}
}

// changeLimit changes how a call counts against the limit of its key; admit is what the gateway would do.
func changeLimit(
	with func(c *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()),
) change {
	return func(o *reference.Options) {
		o.Hooks.Limit = append(o.Hooks.Limit, func(c *reference.Call, admit reference.LimitFunc) reference.LimitFunc {
			return func(key int64, rate reference.RateLimit) (reference.Allowance, func()) {
				return with(c, admit, key, rate)
			}
		})
	}
}

func changeAttempts(with func(c *reference.Call, allowed int) int) change {
	return func(o *reference.Options) { o.Hooks.Attempts = append(o.Hooks.Attempts, with) }
}

func changeTimeout(with func(c *reference.Call, allowed time.Duration) time.Duration) change {
	return func(o *reference.Options) { o.Hooks.Timeout = append(o.Hooks.Timeout, with) }
}

// loseRefund keeps the reserved quota of some of the calls that failed.
func loseRefund(conditions ...condition) change {
	return func(o *reference.Options) {
		o.Hooks.Refund = append(o.Hooks.Refund, func(c *reference.Call, refund func()) func() {
			if f := c.Failure; f != nil && hold(conditions, c, f) {
				return func() {}
			}
			return refund
		})
	}
}
