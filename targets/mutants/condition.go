package mutants

import (
	"errors"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// condition selects the failures that a change is about.
type condition func(*reference.Call, *reference.Failure) bool

func hold(conditions []condition, c *reference.Call, f *reference.Failure) bool {
	return !slices.ContainsFunc(conditions, func(holds condition) bool { return !holds(c, f) })
}

func not(holds condition) condition {
	return func(c *reference.Call, f *reference.Failure) bool { return !holds(c, f) }
}

func withCode(codes ...reference.Code) condition {
	return func(_ *reference.Call, f *reference.Failure) bool { return slices.Contains(codes, f.Code) }
}

func withStatus(statuses ...int) condition {
	return func(_ *reference.Call, f *reference.Failure) bool { return slices.Contains(statuses, f.Status) }
}

func with4xx(_ *reference.Call, f *reference.Failure) bool { return f.Status < 500 }

// withParam selects failures by the end of the place in the body that they name.
func withParam(suffix string) condition {
	return func(_ *reference.Call, f *reference.Failure) bool { return strings.HasSuffix(f.Param, suffix) }
}

// at selects failures by the handler that failed.
func at(handlers ...reference.HandlerName) condition {
	return func(_ *reference.Call, f *reference.Failure) bool { return slices.Contains(handlers, f.Handler) }
}

// on selects calls by their surface. Before the body is decoded, a stream counts as the surface without streaming.
func on(surfaces ...dialect.Surface) condition {
	return func(c *reference.Call, _ *reference.Failure) bool { return slices.Contains(surfaces, c.Surface) }
}

// in selects calls by the API format of their surface.
func in(d dialect.Dialect) condition {
	return func(c *reference.Call, _ *reference.Failure) bool { return c.Surface.Dialect() == d }
}

func streaming(c *reference.Call, _ *reference.Failure) bool { return c.Surface.Streaming() }

func begun(c *reference.Call, _ *reference.Failure) bool { return c.Reply.Begun() }

func withoutKey(c *reference.Call, _ *reference.Failure) bool { return c.Key() == "" }

func revoked(c *reference.Call, _ *reference.Failure) bool { return c.Revoked() }

func encoded(c *reference.Call, _ *reference.Failure) bool {
	return c.Request.Header.Get("Content-Encoding") != ""
}

func causedBy(cause error) condition {
	return func(_ *reference.Call, f *reference.Failure) bool { return errors.Is(f, cause) }
}

// upstreamAnswered reports whether a failure is an error that the upstream answered with, and that holds is true of.
func upstreamAnswered(f *reference.Failure, holds func(*reference.UpstreamError) bool) bool {
	upstream, ok := errors.AsType[*reference.UpstreamError](f)
	return ok && holds(upstream)
}

// upstreamStatus selects failures that are the upstream's answer with one of the statuses.
func upstreamStatus(statuses ...int) condition {
	return func(_ *reference.Call, f *reference.Failure) bool {
		return upstreamAnswered(f, func(e *reference.UpstreamError) bool { return slices.Contains(statuses, e.Status) })
	}
}

// upstreamErrorObject selects failures that are an error object of the upstream.
func upstreamErrorObject(_ *reference.Call, f *reference.Failure) bool {
	return upstreamAnswered(f, func(e *reference.UpstreamError) bool { return e.Refusal.Message != "" })
}
