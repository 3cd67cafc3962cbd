package targets

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/contract"
)

// BringAbout creates the circumstance of a case for another client: it performs the actions of the recipe, calls do with the request of the case, and
// undoes the actions. If the case needs many calls until one is refused, BringAbout makes these calls first, so that the next call is also refused.
//
// It returns [profile.ErrNotOffered] if the profile lacks what the case needs, the errors of actions, and the error of do.
func (s *Session) BringAbout(ctx context.Context, c contract.Case, do func(ctx context.Context, pr Request) error) error {
	pr, err := s.request(c, newToken())
	if err != nil {
		return err
	}
	return s.between(ctx, pr, func() error {
		if err := s.health.awaitTurn(ctx); err != nil {
			return err
		}
		if err := s.exhaust(ctx, c, pr); err != nil {
			return err
		}
		return do(ctx, pr)
	})
}

// RequestOf returns the request of a case with a new token, for an additional client while [Session.BringAbout] maintains the circumstance.
func (s *Session) RequestOf(c contract.Case) (Request, error) { return s.request(c, newToken()) }

// exhaust makes the calls of a case until one is refused.
func (s *Session) exhaust(ctx context.Context, c contract.Case, pr Request) error {
	for sent := 0; sent < pr.Repeat && pr.Repeat > 1; sent++ {
		o, err := s.client.Do(ctx, pr.Call)
		if err != nil {
			return fmt.Errorf("send calls until one is refused: %w", err)
		}
		if o.Status == http.StatusTooManyRequests {
			return nil
		}
		if pr, err = s.request(c, newToken()); err != nil {
			return err
		}
	}
	return nil
}
