package newapi

import (
	"context"
	"errors"
	"sync"
)

// The purposes of actions other than options. The purposes of options are in inspect.go.
const (
	vanish       = "disable a channel during a call"
	loseKeys     = "rename the table of keys"
	loseReads    = "rename a table"
	refuseWrites = "refuse writes"
)

// undoAction names the action that undoes a purpose.
func undoAction(purpose string) string { return "undo: " + purpose }

// change changes the gateway and returns what undoes it.
type change = func(context.Context) (undoFunc, error)

type undoFunc = func(context.Context) error

// caseActions are the actions that recipes name: each purpose has one that makes its changes and one that undoes them. Cases
// with actions run one at a time, and never together with others.
type caseActions struct {
	mu   sync.Mutex
	undo map[string][]undoFunc
}

// byName returns the actions of all purposes by name. Each purpose makes its changes in order.
func (a *caseActions) byName(purposes map[string][]change) map[string]func(context.Context) error {
	actions := map[string]func(context.Context) error{}
	for purpose, changes := range purposes {
		actions[purpose] = func(ctx context.Context) error { return a.apply(ctx, purpose, changes) }
		actions[undoAction(purpose)] = func(ctx context.Context) error { return a.revert(ctx, purpose) }
	}
	return actions
}

func (a *caseActions) apply(ctx context.Context, purpose string, changes []change) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range changes {
		undo, err := c(ctx)
		if undo != nil {
			a.undo[purpose] = append(a.undo[purpose], undo)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// revert undoes the changes of a purpose, the last one first.
func (a *caseActions) revert(ctx context.Context, purpose string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for undo := a.undo[purpose]; len(undo) > 0; undo = undo[:len(undo)-1] {
		errs = append(errs, undo[len(undo)-1](ctx))
	}
	delete(a.undo, purpose)
	return errors.Join(errs...)
}
