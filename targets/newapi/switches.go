package newapi

import (
	"context"
	"errors"
	"sync"
)

// Purposes beside those that change options: see preflight.go.
const (
	vanish       = "let a channel vanish"
	loseKeys     = "lose the keys' table"
	loseReads    = "lose a table"
	refuseWrites = "refuse writes"
)

// undoing takes one change back.
type undoing = func(context.Context) error

// switches are the actions of a run: for every purpose one that makes changes and one that takes them back. Cases with
// actions run one at a time, and never at once with others.
type switches struct {
	mu   sync.Mutex
	undo map[string][]undoing
}

// actions are the functions that recipes name. Each purpose makes its changes in order.
func (s *switches) actions(purposes map[string][]func(context.Context) (undoing, error)) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{}
	for purpose, changes := range purposes {
		all[purpose] = func(ctx context.Context) error { return s.on(ctx, purpose, changes) }
		all[undo(purpose)] = func(ctx context.Context) error { return s.off(ctx, purpose) }
	}
	return all
}

func (s *switches) on(ctx context.Context, purpose string, changes []func(context.Context) (undoing, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, change := range changes {
		back, err := change(ctx)
		if back != nil {
			s.undo[purpose] = append(s.undo[purpose], back)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// off undoes what a purpose has changed, the last first.
func (s *switches) off(ctx context.Context, purpose string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for back := s.undo[purpose]; len(back) > 0; back = back[:len(back)-1] {
		errs = append(errs, back[len(back)-1](ctx))
	}
	delete(s.undo, purpose)
	return errors.Join(errs...)
}
