package targets

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/program"
	"github.com/gatecert/gatecert/targets/profile"
)

// actionLimit bounds one action; undoing gets the same time of its own, also after the run was cancelled.
const actionLimit = 30 * time.Second

// Shell runs one shell command of a recipe. It returns the output of the command, and an error if the command failed.
type Shell func(ctx context.Context, line string) (output []byte, err error)

// SystemShell is a [Shell] that passes the command to sh. When the command ends, all processes that it started are killed, including those in the
// background.
func SystemShell(ctx context.Context, line string) ([]byte, error) {
	// The line is the user's own, from the user's own profile.
	return program.Run(exec.CommandContext(ctx, "sh", "-c", line)) //nolint:gosec // see above
}

// maxLine bounds how much of an action its consent is asked with, in bytes.
const maxLine = 200

// permitted returns [profile.ErrNotOffered] for a recipe with actions that nobody has agreed to, and says what would run.
func permitted(p profile.Profile, r profile.Recipe) error {
	i := slices.IndexFunc(slices.Concat(r.Before, r.After), profile.Action.Foreign)
	if !p.WithoutActions || i < 0 {
		return nil
	}
	action := slices.Concat(r.Before, r.After)[i]
	line := p.ShownAction(action, action.String())
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	return fmt.Errorf("%w: for this case, the profile runs commands that nobody has approved (approve them with --allow-actions or gatecert trust PROFILE): %s", profile.ErrNotOffered, line)
}

func (s *Session) runActions(ctx context.Context, actions []profile.Action) error {
	for _, a := range actions {
		if err := s.runAction(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// Around runs the calls of a load case between the actions of its recipe, just as [Session.Observe] runs a single call.
func (s *Session) Around(ctx context.Context, c contract.Case, run func(context.Context) error) error {
	pr, err := RequestFor(s.Profile, c, newToken())
	if err != nil {
		return err
	}
	return s.between(ctx, pr, func() error { return run(ctx) })
}

// between runs something between the actions of a request. Those after it run also when ctx is done, and when run or an action
// before it has failed. It returns the errors of all.
func (s *Session) between(ctx context.Context, pr Request, run func() error) (err error) {
	defer func() { err = errors.Join(err, s.runUndo(ctx, pr.After)) }()
	if err := s.runActions(ctx, pr.Before); err != nil {
		return fmt.Errorf(`the case's "before" action failed: %w`, err)
	}
	return run()
}

// runUndo runs every action even when one fails or the run was cancelled: what was broken has to be repaired.
func (s *Session) runUndo(ctx context.Context, actions []profile.Action) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, a := range actions {
		if err := s.runAction(ctx, a); err != nil {
			errs = append(errs, fmt.Errorf(`the case's "after" action failed: %w`, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Session) runAction(ctx context.Context, a profile.Action) error {
	if s.Profile.WithoutActions && a.Foreign() {
		return permitted(s.Profile, profile.Recipe{Before: []profile.Action{a}}) // no request with it is ever made
	}
	if a.Do != "" {
		// The driver bounds it itself: it may have to wait for the gateway's own rate limits.
		action, ok := s.actions[a.Do]
		if !ok {
			return fmt.Errorf("the driver has no action %q", a.Do)
		}
		if err := action(ctx); err != nil {
			return fmt.Errorf("do %q: %w", a.Do, err)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, actionLimit)
	defer cancel()
	if a.SQL != "" {
		if err := s.store.Exec(ctx, a.SQL); err != nil {
			return shownError{s.shown(a, err.Error(), 2*maxShown), err}
		}
		return nil
	}
	out, err := s.shell(ctx, a.Run)
	if err != nil {
		text := fmt.Sprintf("run %q: %v: %s", s.shown(a, a.Run, maxShown), err, s.shown(a, strings.TrimSpace(string(out)), maxShown))
		return shownError{text, err}
	}
	return nil
}

// maxShown bounds what an error quotes of an action, and of what it printed, in bytes.
const maxShown = 400

// shown is a text about an action without secrets, and cut. It is cut last: half a secret would not be recognised.
func (s *Session) shown(a profile.Action, text string, limit int) string {
	text = s.Profile.ShownAction(a, text)
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}

// shownError is an error of an action with the text that reports show.
type shownError struct {
	text string
	error
}

func (e shownError) Error() string { return e.text }

func (e shownError) Unwrap() error { return e.error }
