package runner

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// checkControls returns [ErrInconclusive] when the control calls leave nothing to be judged: on every surface one of them
// did not do what it must, or the key is refused wherever it is needed to ask a model.
func checkControls(ctx context.Context, session *targets.Session, c controls, surfaces []dialect.Surface) error {
	f := facts{url: shownRoot(session.Profile), model: session.Profile.Models.On}
	for _, call := range c.calls {
		if !call.OK {
			f.failed = append(f.failed, call)
		}
	}
	if len(c.failed) < len(surfaces) {
		return onlyKeyRefused(f, c, surfaces)
	}
	if len(f.failed) == 0 {
		return nil
	}
	if err := f.ask(ctx, session, c); err != nil {
		return fmt.Errorf("%w: %w", ErrHarness, err)
	}
	return diagnose(f)
}

// onlyKeyRefused returns [ErrInconclusive] when the key is refused on all surfaces that ask a model: some gateways list their
// models to everybody.
func onlyKeyRefused(f facts, c controls, surfaces []dialect.Surface) error {
	relayed := slices.DeleteFunc(slices.Clone(surfaces), func(s dialect.Surface) bool { return !s.Relayed() })
	if len(relayed) == 0 || slices.ContainsFunc(relayed, func(s dialect.Surface) bool { return c.failed[s] == "" }) {
		return nil
	}
	f.failed = slices.DeleteFunc(f.failed, func(c runlog.Control) bool { return !c.Surface.Relayed() })
	others := slices.DeleteFunc(slices.Clone(f.failed), func(c runlog.Control) bool { return symptomOf(c, f.model(c.Surface)) == absent })
	refused := func(c runlog.Control) bool { return symptomOf(c, f.model(c.Surface)) == keyRefused }
	if len(others) == 0 || slices.ContainsFunc(others, func(c runlog.Control) bool { return !refused(c) }) {
		return nil
	}
	return diagnose(f)
}

// ask finds out what else the diagnosis needs, with few calls, and none that the symptom makes superfluous.
func (f *facts) ask(ctx context.Context, session *targets.Session, c controls) (err error) {
	s, calls := f.prevailing()
	first := calls[0].Surface
	switch s {
	case unreachable, wantsTLS, redirected, keyRefused, limited, dropsUnknown:
		return nil
	case silent:
		return f.askTLS(ctx, session, first)
	case servesAll:
		f.sameAnswer = slices.ContainsFunc(c.calls, func(healthy runlog.Control) bool {
			return healthy.Surface == first && healthy.OK && sameAnswer(*healthy.Observation, *calls[0].Observation)
		})
		return nil
	case webPage, modelUnknown, down, odd, absent:
	}
	if root, ok := profile.RootOf(session.Profile.BaseURL); ok && session.Profile.Root(first) == session.Profile.BaseURL {
		if _, served, err := session.HealthyAt(ctx, first, root); err != nil {
			return err
		} else if served {
			f.root = session.Profile.Shown(root)
			return nil
		}
	}
	if s == webPage {
		return nil
	}
	if s != down {
		if f.offered, err = session.ListModels(ctx); err != nil {
			return err
		}
	}
	if s != modelUnknown && session.Profile.Upstream.Present() && first.Relayed() {
		f.mock, err = askMock(ctx, session, first)
	}
	return err
}

// askTLS finds out whether a gateway that does not answer in plain HTTP speaks TLS.
func (f *facts) askTLS(ctx context.Context, session *targets.Session, surface dialect.Surface) error {
	rest, isPlain := strings.CutPrefix(session.Profile.Root(surface), "http://")
	if !isPlain {
		return nil
	}
	o, _, err := session.HealthyAt(ctx, surface, "https://"+rest)
	if err != nil {
		return err
	}
	f.overTLS = o.Failure == nil || strings.Contains(o.Failure.Detail, "x509: ")
	return nil
}

// askMock makes a healthy call that should come to the mock upstream.
func askMock(ctx context.Context, session *targets.Session, surface dialect.Surface) (*mockFacts, error) {
	o, _, _, err := session.ToUpstream(ctx, surface)
	m := mockOf(session.Profile, surface)
	if o.Upstream != nil {
		m.attempts = o.Upstream.Attempts
	}
	return m, err
}

func mockOf(p profile.Profile, surface dialect.Surface) *mockFacts {
	m := &mockFacts{field: "upstream.listen", address: p.Upstream.Listen, model: p.Models.Routed(surface)}
	if p.Upstream.Attach != "" {
		m.field, m.address = "upstream.attach", p.Upstream.Attach
	}
	m.url = cmp.Or(p.Upstream.URL, p.Upstream.Attach, "http://"+p.Upstream.Listen)
	m.address, m.url = shownURL(m.address), shownURL(m.url)
	return m
}

// shownURL leaves out what a URL has of credentials.
func shownURL(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return text[i+1:]
	}
	return text
}

// shownRoot is the URL of the gateway as it may be shown.
func shownRoot(p profile.Profile) string { return plain.Text(p.Shown(p.BaseURL), maxRoot) }

const maxRoot = 200

// checkUpstream returns [ErrInconclusive] when cases need the mock upstream and healthy calls succeed without it. It asks
// the surfaces of these cases until one gets there, and that one twice: a cache answers the second time.
func (r *runner) checkUpstream(ctx context.Context) error {
	if !r.session.HasUpstream() {
		return nil
	}
	var unasked []answered
	for _, s := range r.surfaces {
		needed := slices.ContainsFunc(r.plan.all(), func(c contract.Case) bool { return c.Surface == s && c.Reach() == contract.ReachMust })
		if !needed || r.before.failed[s] != "" {
			continue
		}
		o, ok, _, err := r.session.ToUpstream(ctx, s)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrHarness, err)
		case len(o.Upstream.Attempts) > 0:
			return r.checkCache(ctx, s)
		case ok:
			unasked = append(unasked, answered{s, o})
		}
	}
	if len(unasked) == 0 {
		return nil // what was refused says nothing about where the model leads
	}
	first := unasked[0]
	again, _, _, err := r.session.ToUpstream(ctx, first.surface)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHarness, err)
	}
	m := mockOf(r.session.Profile, first.surface)
	if sameAnswer(first.observation, again) {
		return diagnosis{sentence: m.cachedThroughout(shownRoot(r.session.Profile))}
	}
	return diagnosis{sentence: m.notAsked()}
}

// answered is what came of a call on a surface.
type answered struct {
	surface     dialect.Surface
	observation contract.Observation
}

// checkAttached returns [ErrInconclusive] when the record of a mock upstream in another process cannot be read.
func checkAttached(ctx context.Context, session *targets.Session) error {
	err := session.ReadsUpstream(ctx)
	if !errors.Is(err, targets.ErrNoUpstream) {
		return err
	}
	m, reason := mockOf(session.Profile, ""), strings.TrimPrefix(err.Error(), targets.ErrNoUpstream.Error()+": ")
	if request, ok := errors.AsType[*url.Error](err); ok {
		reason = request.Err.Error()
	}
	return diagnosis{sentence: fmt.Sprintf("the mock upstream at %s (%s) cannot be queried (%s): "+
		"start gatecert upstream there, set upstream.token if the mock upstream requires a token, or set upstream.listen instead",
		m.address, m.field, plain.Text(reason, maxQuote))}
}

// checkCache returns [ErrInconclusive] when a second healthy call on a surface succeeds without the mock upstream.
func (r *runner) checkCache(ctx context.Context, s dialect.Surface) error {
	o, ok, _, err := r.session.ToUpstream(ctx, s)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrHarness, err)
	case ok && len(o.Upstream.Attempts) == 0:
		return diagnosis{sentence: mockOf(r.session.Profile, s).cachedAfterAsking(shownRoot(r.session.Profile))}
	default:
		return nil
	}
}

// sameAnswer reports whether two answers are one: the same bytes, with an id, which is new in each answer of a model.
func sameAnswer(a, b contract.Observation) bool {
	return bytes.Equal(a.Body, b.Body) && withID.Match(a.Body)
}

var withID = regexp.MustCompile(`"(id|responseId)"\s*:\s*"[^"]`)
