package reference

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestHooksOfOneExtensionPointRunInTheirOrder(t *testing.T) {
	r := newRig(t, func(o *Options) {
		for _, suffix := range []string{" one", " two"} {
			o.Hooks.Failure = append(o.Hooks.Failure, func(_ *Call, f *Failure) { f.Message += suffix })
		}
		o.Hooks.Answer = append(o.Hooks.Answer, func(c *Call, a *Answer) { a.Header.Set("X-Handler", string(c.Failure.Handler)) })
	})
	a := r.ask(dialect.Chat, r.keys.Valid, "gc-nonsense", "hi")
	r.requireError(a, http.StatusNotFound, "model_not_found")
	require.Contains(t, string(a.body), "does not exist. one two")
	require.Equal(t, "authorize", a.header.Get("X-Handler"))
}

func TestHooksOrderAndWrapHandlers(t *testing.T) {
	var ran []HandlerName
	r := newRig(t, func(o *Options) {
		o.Hooks.Order = append(o.Hooks.Order, func(order []HandlerName) []HandlerName {
			return slices.DeleteFunc(order, func(name HandlerName) bool { return name == Screen })
		})
		o.Hooks.Handler = append(o.Hooks.Handler, func(name HandlerName, next Handler) Handler {
			return func(ctx context.Context, c *Call) error {
				ran = append(ran, name)
				return next(ctx, c)
			}
		})
	})
	r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "about "+r.gateway.Fixtures().Word))
	require.Equal(t, []HandlerName{
		Authenticate, Admit, Limit, Read, Decode, Authorize, Count, Price, Reserve, Pick, Dial, Deliver,
	}, ran)
}

func TestAnUnknownHandlerIsRefused(t *testing.T) {
	_, err := New(t.Context(), Options{Upstream: "http://127.0.0.1:1", Hooks: Hooks{
		Order: []func([]HandlerName) []HandlerName{func([]HandlerName) []HandlerName { return []HandlerName{"nosuch"} }},
	}})
	require.ErrorIs(t, err, ErrOptions)
	require.ErrorContains(t, err, `"nosuch"`)
}

func TestAHandlerCanAskForAnotherModel(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Hooks.Handler = append(o.Hooks.Handler, func(name HandlerName, next Handler) Handler {
			return func(ctx context.Context, c *Call) error {
				if name == Authorize {
					c.SetModel(FixtureModels().Chat)
				}
				return next(ctx, c)
			}
		})
	})
	r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, "gc-nonsense", "hi"))
}
